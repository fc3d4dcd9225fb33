import Control
import Front

/// The daemon's status as people read it.
enum StatusText {
  static func lines(_ report: StatusReport) -> [String] {
    let status = report.status
    var lines = [
      "Node      \(status.jid), hearth \(status.version)",
      "Id        \(status.id)",
      "Port      \(status.port)",
      "Link      \(status.problem.map(Printable.clean) ?? "announcing and browsing")",
      "Front     \(status.front ?? "off")",
      "Streams   \(status.streams)",
    ]
    if !report.localhostNames, let front = status.front.flatMap(FrontAddress.init(dashboard:)) {
      lines.append("Names     \(LocalNames.advice(front))")
    }
    if status.services.isEmpty {
      lines.append("Services  none: see `hearth serve --help`")
    } else {
      lines += [""] + services(status.services)
    }
    return status.forwards.isEmpty ? lines : lines + [""] + ForwardText.lines(status.forwards)
  }

  private static func services(_ services: [StatusResource.Service]) -> [String] {
    var table = TextTable(header: ["SERVICE", "JID", "ACCESS", "TARGET", "PROBLEM"])
    table.rows = services.map {
      [$0.name, $0.jid ?? "-", $0.plaintext ? "plaintext" : $0.access.description, $0.target, $0.problem ?? ""]
    }
    return table.lines
  }
}
