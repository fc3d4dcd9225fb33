import FoundationEssentials
import HTTPX
import LinkLocal
import NIOCore
import Streams
import Trust
package import XMPP

/// What a request to a device needs to know, ready made: the directory hands it out once a request.
///
/// Made anew only when something about the device changes: what it announces, what it showed when it was dialled, or what
/// its node is to this one. As long as nothing does, it is the same object.
///
/// More than eight properties: all that a request would else have to look up.
package final class Route: Sendable {
  /// As lists show it; its address is the canonical one, as announced.
  let device: Device
  /// The node id that the device announces, which proves nothing.
  let hint: String?
  /// The key to insist on: the pinned one, else the announced one.
  let expectedKey: NodeID?
  /// What the device showed when it was dialled as what it announces now; nil where it has not been.
  let shown: Shown?
  /// Every address to dial, in order.
  let addresses: [SocketAddress]
  /// Of `addresses`, without port and scope.
  let hosts: Set<String>
  /// Under which the pool keeps the stream to it.
  let key: StreamPool.Key
  let lastSign: LastSign
  /// The device by whose announcement this one is reached: itself, or another of its node.
  let announced: JID
  /// The device's address as the authority of a URI, and so as `Host`.
  package let authority: String

  /// The key that a device showed, nil where it showed none.
  struct Shown: Sendable, Equatable {
    let key: NodeID?
  }

  init(
    to device: Device, announcing hint: String?, expecting expectedKey: NodeID?, shown: Shown?, lastSign: LastSign,
    by other: JID? = nil
  ) {
    (self.device, self.hint, self.expectedKey, self.shown, self.lastSign) = (
      device, hint, expectedKey, shown, lastSign
    )
    announced = other ?? device.jid
    authority = HTTPXURI(jid: device.jid).authority
    addresses = device.endpoints.compactMap(\.socketAddress)
    hosts = Set(addresses.compactMap(\.host))
    // A device that belongs to another node than it announces shares nothing with either. What a stream's peer can do is
    // what the device can to which the stream was opened: only what is known to speak HTTP shares one.
    if let expectedKey, expectedKey == device.node, device.http == true {
      key = .node(expectedKey)
    } else {
      key = .device(device.jid)
    }
  }

  package var jid: JID { device.jid }

  /// Its device is elsewhere, and its node is reached over a server.
  var isRelayed: Bool { device.server != nil }

  /// A peer that is no node of ours, at an address on a server, which reads what passes.
  package var isForeign: Bool { device.server != nil && expectedKey == nil }

  /// Those that read what passes, this node's own first; none where only the device's node does.
  package var servers: [String] {
    guard isForeign, let server = device.server else { return [] }
    let other = jid.domainpart
    return server.lowercased() == other.lowercased() ? [server] : [server, other]
  }

  /// Its device is not to be had by it: it is gone, or another node announces its name.
  var isDisplaced: Bool { !device.isLocal && (device.state == .gone || expectedKey != device.node) }

  /// The way to a foreign peer.
  convenience init(to jid: JID, over server: String, _ standing: Standing) {
    let device = Device(
      jid: jid, name: jid.localpart ?? jid.text, state: .online, isLocal: false, http: nil, status: "", message: nil,
      endpoints: [], server: server, seen: Date(), standing: standing, node: nil)
    self.init(to: device, announcing: nil, expecting: nil, shown: nil, lastSign: LastSign(Date()))
  }

  /// The way to another device of the node to which this one leads.
  func detour(to jid: JID, of id: NodeID) -> Route {
    let device = Device(
      jid: jid, name: jid.localpart ?? jid.text, state: device.state, isLocal: false, http: device.http,
      status: device.status, message: nil, endpoints: device.endpoints, server: device.server, seen: device.seen,
      standing: device.standing,
      node: id, isEncrypted: device.isEncrypted)
    return Route(to: device, announcing: hint, expecting: id, shown: shown, lastSign: lastSign, by: self.jid)
  }

  /// The device is the owner's or a friend's.
  package var isTrusted: Bool {
    switch device.standing {
    case .self, .friend: true
    case .stranger, .plaintext, .account, .changed, .mismatch, .blocked: false
    }
  }

  /// The node of a friend's device; nil for others.
  var friend: NodeID? {
    if case .friend = device.standing { expectedKey } else { nil }
  }

  /// The device as lists show it at this moment.
  var current: Device { device.seen(at: lastSign.time) }

  /// Whether both lead to the same: a later sign of life alone makes no other route.
  func leads(sameAs other: Route) -> Bool {
    device == other.device && hint == other.hint && expectedKey == other.expectedKey && shown == other.shown
  }

  /// Whether what these nodes are to this one, or whose these devices are, may matter to it.
  func concerns(_ nodes: Set<NodeID>, _ devices: Set<JID>) -> Bool {
    devices.contains(jid) || [device.node, expectedKey, shown?.key].contains { $0.map(nodes.contains) == true }
  }

  /// Why it cannot be dialled; nil where it can.
  var unreachable: MeshError? {
    guard addresses.isEmpty, !isRelayed else { return nil }
    let what = device.state == .gone ? "has left the network" : "is listed on the network, and does not answer"
    return MeshError(.away, device: jid, message: "“\(jid)” \(what). Is it switched on?", lastSeen: lastSign.time)
  }
}
