import Control
import FoundationEssentials
import Front

/// The daemon's status as people read it.
enum StatusText {
  static func lines(_ report: StatusReport, now: Date, width: Int? = nil) -> [String] {
    let status = report.status
    var lines = [
      "Node      \(status.jid)\(anothers(status.wanted, status.jid).map { " (\($0))" } ?? ""), hearth \(status.version)",
      "Id        \(status.id)",
      "Port      \(status.port)",
      "Link      \(link(status))",
      "Front     \(status.front ?? "off")",
      "Streams   \(status.streams)\(bodies(status.bodies))",
    ]
    if let account = status.account { lines.append("Account   \(AccountText.line(account))") }
    if let component = status.component {
      let state = component.online ? "online" : "offline: \(component.problem ?? "not connected yet")"
      lines.append(Printable.clean("Component \(component.domain), \(state)"))
    }
    if !report.localhostNames, let front = status.front.flatMap(FrontAddress.init(dashboard:)) {
      lines.append("Names     \(LocalNames.advice(front))")
    }
    if status.services.isEmpty {
      lines.append("Services  none: see `hearth serve --help`")
    } else {
      lines += [""] + services(status.services, now, width)
    }
    return status.forwards.isEmpty ? lines : lines + [""] + ForwardText.lines(status.forwards)
  }

  /// How large bodies went, once there were some.
  private static func bodies(_ bodies: StatusResource.Bodies) -> String {
    let told = [
      bodies.direct > 0 ? "\(bodies.direct) large bodies beside them" : nil,
      bodies.fellBack > 0 ? "\(bodies.fellBack) in them, since no connection came about" : nil,
    ].compactMap { $0 }
    return told.isEmpty ? "" : "; " + told.joined(separator: ", ")
  }

  private static func link(_ status: StatusResource) -> String {
    if let problem = status.problem { return Printable.clean(problem) }
    return status.announcementProblem.map { "browsing, not announced: \(Printable.clean($0))" }
      ?? "announcing and browsing"
  }

  private static func services(_ services: [StatusResource.Service], _ now: Date, _ width: Int?) -> [String] {
    var table = TextTable(header: ["SERVICE", "JID", "ACCESS", "TARGET", "APP", "SINCE", "PROBLEM"])
    table.rows = services.map {
      [
        $0.name, $0.jid ?? "-", $0.plaintext ? "plaintext" : $0.access.description, $0.target, health($0.health),
        DeviceTable.age(now.timeIntervalSince($0.health.since)), $0.problem ?? anothers($0.wanted, $0.jid) ?? "",
      ]
    }
    return table.lines(fitting: width, shortening: [3, 2, 0])
  }

  /// Why a device is announced by another name than it is meant to have; nil where it has that one.
  private static func anothers(_ wanted: String?, _ jid: String?) -> String? {
    guard let wanted, let jid, wanted != jid else { return nil }
    return "\(wanted) is another's on this link, and taken back when it is free"
  }

  /// `ok`, `unknown`, or `down: Connection refused`.
  private static func health(_ health: HealthResource) -> String {
    health.state.rawValue + (health.reason.map { ": \($0)" } ?? "")
  }
}
