import Control

/// The daemon's status as people read it.
enum StatusText {
  static func lines(_ status: StatusResource) -> [String] {
    var lines = [
      "Node      \(status.jid), hearth \(status.version)",
      "Id        \(status.id)",
      "Port      \(status.port)",
      "Link      \(status.problem.map(Printable.clean) ?? "announcing and browsing")",
      "Front     \(status.front ?? "off")",
      "Streams   \(status.streams)",
    ]
    guard !status.services.isEmpty else { return lines + ["Services  none: see `hearth serve --help`"] }
    var table = TextTable(header: ["SERVICE", "JID", "ACCESS", "TARGET", "PROBLEM"])
    table.rows = status.services.map {
      [$0.name, $0.jid ?? "-", $0.plaintext ? "plaintext" : $0.access.description, $0.target, $0.problem ?? ""]
    }
    lines += [""] + table.lines
    return lines
  }
}
