import Control
import FoundationEssentials
import Front

/// The daemon's status as people read it.
enum StatusText {
  static func lines(_ report: StatusReport, now: Date) -> [String] {
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
      lines += [""] + services(status.services, now)
    }
    return status.forwards.isEmpty ? lines : lines + [""] + ForwardText.lines(status.forwards)
  }

  private static func services(_ services: [StatusResource.Service], _ now: Date) -> [String] {
    var table = TextTable(header: ["SERVICE", "JID", "ACCESS", "TARGET", "APP", "SINCE", "PROBLEM"])
    table.rows = services.map {
      [
        $0.name, $0.jid ?? "-", $0.plaintext ? "plaintext" : $0.access.description, $0.target, health($0.health),
        DeviceTable.age(now.timeIntervalSince($0.health.since)), $0.problem ?? "",
      ]
    }
    return table.lines
  }

  /// `ok`, `unknown`, or `down: Connection refused`.
  private static func health(_ health: HealthResource) -> String {
    health.state.rawValue + (health.reason.map { ": \($0)" } ?? "")
  }
}
