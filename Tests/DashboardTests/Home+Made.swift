import FoundationEssentials
import Front
import Trust
import XMPP

@testable import Dashboard
@testable import Mesh

extension Home {
  /// A node called `node@laptop`.
  static func made(
    of devices: [Device], _ book: FriendBook?, services: [NodeStatus.Served] = [], problem: String? = nil,
    now: Date = .now
  ) -> Home {
    let jid = JID("node@laptop")!
    let status = NodeStatus(
      jid: jid, wanted: jid, port: 1, discoveryProblem: problem, services: services, streams: 0)
    return Home(
      front: FrontAddress(port: 8332), status: status, id: book?.own ?? NodeID(digest: Array(repeating: 1, count: 32))!,
      devices: devices, book: book, now: now)
  }
}

extension Device {
  static func made(
    _ jid: String, _ standing: Standing = .stranger, node: NodeID? = nil, http: Bool? = true, state: State = .online,
    seen: Date = .now
  ) -> Device {
    let jid = JID(jid)!
    return Device(
      jid: jid, name: jid.localpart ?? "", state: state, isLocal: standing == .self, http: http, status: "",
      message: nil,
      endpoints: [], seen: seen, standing: standing, node: node)
  }
}
