package import FoundationEssentials
package import XMPP

/// What the owner does about friends and requests. All throw `TrustError` and change nothing then.
extension FriendBook {
  /// Asks another node for friendship, which makes it a friend here as soon as it agrees. With a token it agrees at
  /// once, where the token is good. The caller must know that the key is the one that the owner means.
  package mutating func ask(
    _ id: NodeID, jid: JID?, petname: Petname? = nil, greeting: String? = nil, token: [UInt8]? = nil,
    rotations: [KeyRotation] = [], now: Date
  ) throws(TrustError) -> [TrustAction] {
    try checkWelcome(id, jid)
    let request = FriendRequest(greeting: greeting, token: token, rotations: rotations)
    // A friend may have lost this node; asking changes nothing here.
    guard friendTable.friends[id] == nil else { return [.send(.subscribe(request), to: id)] }
    if let petname { _ = try friendTable.name(petname, for: id) }
    let node = AskedNode(id: id, jid: jid, petname: petname, since: now, origin: token == nil ? .request : .invite)
    // Who was asked and waits here at the same time needs no further word.
    if queue.isPending(id) { return try accept(id, petname: petname, now: now) + [.send(.subscribe(request), to: id)] }
    try queue.ask(node)
    return [.persist, .tell(.asked(node)), .send(.subscribe(request), to: id)]
  }

  /// Takes a request of ours back.
  package mutating func withdraw(_ id: NodeID) throws(TrustError) -> [TrustAction] {
    guard let node = queue.removeAsked(id) else { throw Self.unknown("request of yours to \(id.short)") }
    return [.persist, .tell(.requestWithdrawn(node.id)), .send(.unsubscribe, to: id)]
  }

  package mutating func accept(
    _ id: NodeID, petname: Petname? = nil, now: Date
  ) throws(TrustError) -> [TrustAction] {
    guard let request = queue.pending.first(where: { $0.id == id })
    else { throw Self.unknown("request of \(id.short)") }
    return try befriend(id, jid: request.jid, petname: petname, origin: .request, now: now)
      + [.send(.subscribed, to: id)]
  }

  package mutating func reject(_ id: NodeID, now: Date) throws(TrustError) -> [TrustAction] {
    guard queue.reject(id, now: now) != nil else { throw Self.unknown("request of \(id.short)") }
    return [.persist, .tell(.requestRejected(id)), .send(.unsubscribed, to: id)]
  }

  package mutating func rename(_ id: NodeID, to petname: Petname) throws(TrustError) -> [TrustAction] {
    guard let friend = friendTable.friends[id] else { throw Self.unknown("friend \(id.short)") }
    let name = try friendTable.name(petname, for: id)
    friendTable.rename(id, to: name)
    let renamed = friendTable.friends[id] ?? friend
    return [.persist, .tell(.renamed(renamed, from: friend.petname))]
  }

  /// It is a stranger from now on, and its devices belong to nobody. Its node is told, so that its owner sees it.
  package mutating func remove(_ id: NodeID) throws(TrustError) -> [TrustAction] {
    guard let friend = friendTable.friends[id] else { throw Self.unknown("friend \(id.short)") }
    guard friend.origin != .fleet else {
      throw TrustError(.policy, "\(friend.petname) comes from trusted.d: remove it there, or block it")
    }
    friendTable.remove(id)
    return [.persist, .send(.unsubscribed, to: id), .terminate(id), .tell(.removed(friend))]
  }

  /// A friend that is blocked is no longer one. The peer is not told.
  package mutating func block(_ id: NodeID, now: Date) throws(TrustError) -> [TrustAction] {
    guard id != own else { throw TrustError(.itself, "this is the id of this node itself") }
    let node = BlockedNode(id: id, petname: friendTable.friends[id]?.petname, since: now)
    try friendTable.block(node)
    _ = queue.removePending(id)
    _ = queue.removeAsked(id)
    claims.remove(id)
    return endPairing(with: id, now: now) + [.persist, .terminate(id), .tell(.blocked(node))]
  }

  /// It is a stranger from now on, even where it was a friend.
  package mutating func unblock(_ id: NodeID) throws(TrustError) -> [TrustAction] {
    guard let node = friendTable.unblock(id) else { throw Self.unknown("blocked node \(id.short)") }
    return [.persist, .tell(.unblocked(node))]
  }

  /// Notes an invite with this fresh random token, of `TrustLimits.tokenBytes`, and a name for the one who comes
  /// with it.
  package mutating func invite(
    token: [UInt8], petname: Petname? = nil, now: Date
  ) throws(TrustError) -> [TrustAction] {
    guard token.count == TrustLimits.tokenBytes
    else { throw TrustError(.range, "a token has \(TrustLimits.tokenBytes) random bytes") }
    if let petname, let friend = friendTable.friend(named: petname) {
      throw TrustError(.petnameTaken, "\(petname) is already the name of \(friend.id.short): choose another")
    }
    try inviteList.issue(hash: hash(ofToken: token), petname: petname, now: now)
    return [.persist, .tell(.invited(petname))]
  }

  /// The one node that the owner means by a petname, an id, the first group of an id, or a device's address.
  /// Throws `unknown` or `ambiguous`.
  package func find(_ text: String) throws(TrustError) -> NodeID {
    if let petname = try? Petname(text), let friend = friendTable.friend(named: petname) { return friend.id }
    if let petname = try? Petname(text), let node = blocked.first(where: { $0.petname == petname }) { return node.id }
    if let id = try? NodeID(text) { return id }
    let (short, jid) = (String(decoding: NodeID.normalized(text), as: UTF8.self), JID(bare: text))
    var known: [(id: NodeID, jids: [JID])] = friendTable.friends.values.map { ($0.id, $0.devices) }
    known += queue.pending.map { ($0.id, $0.jid.map { [$0] } ?? []) }
    known += queue.asked.map { ($0.id, $0.jid.map { [$0] } ?? []) }
    known += claims.all.map { ($0.id, $0.jid.map { [$0] } ?? []) }
    known += friendTable.blocked.keys.map { ($0, []) }
    let matches = Set(known.filter { node in node.id.short == short || node.jids.contains { $0 == jid } }.map(\.id))
    guard let match = matches.first else { throw Self.unknown("friend, request or node called “\(text)”") }
    guard matches.count == 1 else {
      let ids = matches.sorted().map(\.description).joined(separator: ", ")
      throw TrustError(.ambiguous, "“\(text)” may be any of \(ids): give the whole id")
    }
    return match
  }

  /// The node whose request the owner means to accept, by the whole of its id.
  ///
  /// What can be imitated is not enough to make a friend by: an address is a claim, and the first group of an id has 35
  /// bits. Throws `unknown`; `ambiguous` where it may be meant that way.
  package func requester(_ text: String) throws(TrustError) -> NodeID {
    if let id = try? NodeID(text) { return id }
    let id = try find(text)
    throw TrustError(.ambiguous, "“\(text)” can be imitated", nextStep: .compareID(id))
  }

  static func unknown(_ what: String) -> TrustError {
    TrustError(.unknown, "there is no \(what)", nextStep: .listFriends)
  }
}

/// One entry of `trusted.d`.
package struct FleetEntry: Sendable, Hashable {
  package let id: NodeID
  package let petname: Petname

  package init(id: NodeID, petname: Petname) {
    self.id = id
    self.petname = petname
  }
}

extension FriendBook {
  /// What `trusted.d` says now: those who are new become friends, those who are no longer there are friends no
  /// more. Who is a friend by other means stays as it is; who is blocked stays blocked.
  package mutating func setFleet(_ entries: [FleetEntry], now: Date) -> [TrustAction] {
    let ids = Set(entries.map(\.id))
    var (changes, isChanged): ([TrustAction], Bool) = ([], false)
    for friend in friends where friend.origin == .fleet && !ids.contains(friend.id) {
      friendTable.remove(friend.id)
      isChanged = true
      changes += [.send(.unsubscribed, to: friend.id), .terminate(friend.id), .tell(.removed(friend))]
    }
    for entry in entries {
      do throws(TrustError) {
        guard let actions = try addFleet(entry, now: now) else { continue }
        isChanged = true
        changes += actions
      } catch {
        changes.append(.tell(.fleetEntryRefused(entry.id, error.message)))
      }
    }
    return (isChanged ? [.persist] : []) + changes
  }

  /// nil where nothing changed.
  private mutating func addFleet(_ entry: FleetEntry, now: Date) throws(TrustError) -> [TrustAction]? {
    if let friend = friendTable.friends[entry.id] {
      guard friend.origin == .fleet, friend.petname.text != entry.petname.text else { return nil }
      return try rename(entry.id, to: entry.petname).filter { $0 != .persist }
    }
    guard entry.id != own else { return nil }
    return try befriend(entry.id, jid: nil, petname: entry.petname, origin: .fleet, now: now).filter { $0 != .persist }
  }
}
