import FoundationEssentials
import XMPP

/// Friends and blocked nodes, with the rules that hold between them: no petname and no device belongs to two
/// friends, and nobody is both friend and blocked.
struct FriendTable: Sendable {
  private(set) var friends: [NodeID: Friend] = [:]
  private(set) var blocked: [NodeID: BlockedNode] = [:]
  private var pins: [JID: NodeID] = [:]

  func owner(of jid: JID) -> Friend? {
    pins[jid].flatMap { friends[$0] }
  }

  func friend(named petname: Petname) -> Friend? {
    friends.values.first { $0.petname == petname }
  }

  /// The name that the owner chose, or a neutral one.
  func name(_ petname: Petname?, for id: NodeID) throws(TrustError) -> Petname {
    guard let petname else { return .neutral(for: id) { friend(named: $0) != nil } }
    if let other = friend(named: petname), other.id != id {
      throw TrustError(.petnameTaken, "\(other.petname) is already the name of \(other.id.short): choose another")
    }
    return petname
  }

  mutating func add(_ friend: Friend) throws(TrustError) {
    guard blocked[friend.id] == nil else {
      throw TrustError(.blocked, "\(friend.id.short) is blocked", nextStep: .unblock(friend.id))
    }
    guard friends[friend.id] == nil, self.friend(named: friend.petname) == nil
    else { throw TrustError(.petnameTaken, "\(friend.petname) (\(friend.id.short)) is there twice") }
    guard friends.count < TrustLimits.friends
    else { throw TrustError(.full, "\(TrustLimits.friends) friends are the most there can be: remove one first") }
    guard friend.devices.count <= TrustLimits.devices
    else { throw TrustError(.full, "\(TrustLimits.devices) devices are the most that a friend can have") }
    for jid in friend.devices { try checkFree(jid, for: friend.id) }
    friends[friend.id] = friend
    for jid in friend.devices { pins[jid] = friend.id }
  }

  /// Throws `changed` where the device belongs to another friend.
  func checkFree(_ jid: JID, for id: NodeID) throws(TrustError) {
    guard let owner = owner(of: jid), owner.id != id else { return }
    throw TrustError(
      .changed, "\(jid) belongs to \(owner.petname) (\(owner.id)), and this is \(id)", nextStep: .remove(owner.petname))
  }

  enum Pinning { case known, pinned, full, foreign }

  /// Ties a device to a friend at first contact. Never unties one.
  mutating func pin(_ jid: JID, to id: NodeID) -> Pinning {
    guard var friend = friends[id] else { return .foreign }
    if let owner = pins[jid] { return owner == id ? .known : .foreign }
    guard friend.devices.count < TrustLimits.devices else { return .full }
    friend.devices.append(jid)
    friends[id] = friend
    pins[jid] = id
    return .pinned
  }

  @discardableResult mutating func remove(_ id: NodeID) -> Friend? {
    guard let friend = friends.removeValue(forKey: id) else { return nil }
    for jid in friend.devices { pins[jid] = nil }
    return friend
  }

  mutating func rename(_ id: NodeID, to petname: Petname) {
    friends[id]?.petname = petname
  }

  /// Since when its node knows nothing of the friendship; nil where it does.
  mutating func setRenounced(_ id: NodeID, _ since: Date?) {
    friends[id]?.renounced = since
  }

  mutating func setAccount(_ id: NodeID, _ account: JID?) {
    friends[id]?.account = account
  }

  /// The friend's key is another one from now on; name and devices stay.
  mutating func replace(_ old: NodeID, by new: NodeID) -> Friend? {
    guard friends[new] == nil, blocked[new] == nil, var friend = remove(old) else { return nil }
    friend.id = new
    friends[new] = friend
    for jid in friend.devices { pins[jid] = new }
    return friend
  }

  mutating func block(_ node: BlockedNode) throws(TrustError) {
    guard blocked.count < TrustLimits.blocked || blocked[node.id] != nil
    else {
      throw TrustError(.full, "\(TrustLimits.blocked) blocked nodes are the most there can be: unblock one first")
    }
    remove(node.id)
    blocked[node.id] = node
  }

  mutating func unblock(_ id: NodeID) -> BlockedNode? {
    blocked.removeValue(forKey: id)
  }
}
