import FoundationEssentials
import Mesh
import Trust
import XMPP

/// The devices of one node, as they announce whose they are, in one card of the dashboard.
struct NodeGroup: Sendable {
  enum Kind: Int, Comparable, Sendable {
    case own, friend, stranger, plaintext, blocked

    static func < (a: Kind, b: Kind) -> Bool { a.rawValue < b.rawValue }
  }

  /// The card's id in the page.
  let id: String
  let kind: Kind
  /// nil where none is announced, and for a device that is another's than it says: that is in a card of its own.
  let node: NodeID?
  /// The node's own entry, which has no pages: nil where none is announced.
  let head: Device?
  /// Sorted by address, those with pages first.
  let devices: [Device]

  /// At least one, the head or a device.
  var first: Device { head ?? devices[0] }
  var all: [Device] { (head.map { [$0] } ?? []) + devices }
  var petname: Petname? { all.lazy.compactMap(\.petname).first }
  var seen: Date { all.map(\.seen).max() ?? .distantPast }
  var machine: String { first.jid.domainpart }

  var state: Device.State {
    let states = all.map(\.state)
    return states.contains(.online) ? .online : states.contains(.away) ? .away : .gone
  }

  /// The server over which the node is reached, where none of its devices is on the link.
  var server: String? {
    let here = all.filter { $0.state != .gone }
    return here.contains { $0.server == nil } ? nil : here.lazy.compactMap(\.server).first
  }
}

extension NodeGroup {
  /// The own one first, then friends; those that are here or were lately, and those whose devices nobody has heard of for a day.
  static func all(of home: Home) -> (recent: [NodeGroup], old: [NodeGroup]) {
    let recent = home.devices.filter { !isOld($0, home.now) }
    return (all(recent, of: home), all(home.devices.filter { isOld($0, home.now) }, of: home, "old-"))
  }

  private static func isOld(_ device: Device, _ now: Date) -> Bool {
    !device.isLocal && device.state != .online && now.timeIntervalSince(device.seen) > DashboardLimits.old
  }

  private static func all(_ devices: [Device], of home: Home, _ prefix: String = "") -> [NodeGroup] {
    Dictionary(grouping: devices, by: key).map { NodeGroup($0, $1, home, prefix) }.sorted {
      ($0.kind, $0.petname?.text ?? $0.machine, $0.id) < ($1.kind, $1.petname?.text ?? $1.machine, $1.id)
    }
  }

  private static func key(_ device: Device) -> String {
    if device.isLocal { return "own" }
    switch device.standing {
    case .changed, .mismatch: break
    default: if let node = device.node { return "n-\(node)" }
    }
    return "c" + Home.elementID(device.jid)
  }

  private init(_ id: String, _ members: [Device], _ home: Home, _ prefix: String) {
    let head = members.first { id == "own" ? $0.jid == home.status.jid : $0.node != nil && $0.http == false }
    let rest = members.filter { $0.jid != head?.jid }
    let isAlone = id.hasPrefix("c")
    self.id = prefix + id
    self.head = isAlone ? nil : head
    devices = isAlone ? members : rest.filter { $0.http != false } + rest.filter { $0.http == false }
    node = isAlone ? nil : members.lazy.compactMap(\.node).first
    kind = members.map { Kind($0.standing) }.min() ?? .plaintext
  }
}

extension NodeGroup.Kind {
  init(_ standing: Standing) {
    switch standing {
    case .self: self = .own
    case .friend: self = .friend
    case .stranger: self = .stranger
    case .plaintext, .account, .changed, .mismatch: self = .plaintext
    case .blocked: self = .blocked
    }
  }
}
