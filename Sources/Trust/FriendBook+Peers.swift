import Codecs
package import FoundationEssentials
import XMPP

/// What peers say about friendship. Nothing here fails; what a peer is told is `subscribed`, `unsubscribed` or later.
extension FriendBook {
  package mutating func received(_ friendship: Friendship, from peer: KeyedPeer, now: Date) -> [TrustAction] {
    switch friendship {
    case .subscribe(let request): requested(request, by: peer, now: now)
    case .subscribed: agreed(peer, now: now)
    case .unsubscribed: declined(peer, now: now)
    case .unsubscribe: withdrew(peer)
    case .later: []
    }
  }

  private mutating func requested(_ request: FriendRequest, by peer: KeyedPeer, now: Date) -> [TrustAction] {
    switch verdict(jid: peer.address, id: peer.id) {
    case .self: return refuse(peer, .itself, now: now)
    case .blocked: return refuseBlocked(request, peer, now: now)
    case .changed, .mismatch, .plaintext, .account:
      // Only a new key that the old one vouches for gets past a pinned address.
      return rotate(request, peer, now: now) ?? refuse(peer, .changed, now: now)
    case .friend:
      // The answer may have been lost. What was meant for one use is used up all the same.
      let spent = request.token.flatMap { try? take($0, now: now).get() } != nil
      // With that answer both know of it again.
      let mended = friendTable.friends[peer.id]?.renounced == nil ? [] : confirmed(by: peer.id, now: now)
      let isWritten = mended.contains(.persist)
      return (spent && !isWritten ? [.persist] : []) + mended + [.send(.subscribed, to: peer.id)]
    case .stranger:
      if let actions = rotate(request, peer, now: now) { return actions }
      if let token = request.token { return redeem(token, peer, now: now) }
      return consider(request, peer, now: now)
    }
  }

  /// An ordinary request of somebody unknown.
  private mutating func consider(_ request: FriendRequest, _ peer: KeyedPeer, now: Date) -> [TrustAction] {
    if let asked = queue.asked.first(where: { $0.id == peer.id }) {
      return welcome(peer, petname: asked.petname, origin: asked.origin, now: now)
    }
    let isPermitted = permit(now: now) != nil
    if queue.isPending(peer.id), mode == .ask, !isPermitted { return askedAgain(request, by: peer, now: now) }
    if mode == .reject, !isPermitted { return refuse(peer, .rejecting, now: now) }
    if mode == .ask, !isPermitted, !queue.room(for: peer.networkAddress) { return refuse(peer, .queueFull, now: now) }
    if let refusal = queue.admit(peer.id, isPermitted: isPermitted, now: now) { return refuse(peer, refusal, now: now) }
    if isPermitted { return welcome(peer, petname: nil, origin: .permit, now: now) }
    if mode == .accept { return welcome(peer, petname: nil, origin: .open, now: now) }
    let pending = PendingRequest(
      id: peer.id, jid: peer.address, address: peer.networkAddress, greeting: request.greeting, since: now)
    queue.append(pending)
    return [.persist, .tell(.requested(pending))]
  }

  /// One that waits already, and has another greeting now: the last word counts, as often as there may be requests.
  private mutating func askedAgain(_ request: FriendRequest, by peer: KeyedPeer, now: Date) -> [TrustAction] {
    guard let greeting = request.greeting,
      queue.pending.contains(where: { $0.id == peer.id && $0.greeting != greeting }),
      queue.admit(peer.id, isPermitted: false, now: now) == nil, let pending = queue.greet(greeting, by: peer.id)
    else { return [] }
    return [.persist, .tell(.requested(pending))]
  }

  private mutating func welcome(
    _ peer: KeyedPeer, petname: Petname?, origin: Friend.Origin, now: Date
  ) -> [TrustAction] {
    do throws(TrustError) {
      // A name that was taken meanwhile does not undo the owner's word.
      let name = petname.flatMap { friendTable.friend(named: $0) == nil ? $0 : nil }
      return try befriend(peer.id, jid: peer.address, petname: name, origin: origin, now: now)
        + [.send(.subscribed, to: peer.id)]
    } catch {
      return refuse(peer, Self.refusal(error), now: now)
    }
  }

  static func refusal(_ error: TrustError) -> RequestRefusal {
    error.code == .changed ? .changed : .friendsFull
  }

  /// All that can be wrong with a token gets the same answer at once; the reason is for the log.
  private mutating func redeem(_ token: [UInt8], _ peer: KeyedPeer, now: Date) -> [TrustAction] {
    switch take(token, now: now) {
    case .success(let invite):
      let actions = welcome(peer, petname: invite.petname, origin: .invite, now: now)
      if friendTable.friends[peer.id] != nil { return actions }
      return [.persist] + rateLimiter.pass(.inviteRefused(peer.id, .unwelcome), now: now)
        + [.send(.unsubscribed, to: peer.id)]
    case .failure(let failure):
      return rateLimiter.pass(.inviteRefused(peer.id, failure.reason), now: now) + [.send(.unsubscribed, to: peer.id)]
    }
  }

  /// A token in a blocked node's hands is in the wrong ones.
  private mutating func refuseBlocked(_ request: FriendRequest, _ peer: KeyedPeer, now: Date) -> [TrustAction] {
    guard let token = request.token, case .success = take(token, now: now)
    else { return refuse(peer, .blocked, now: now) }
    return [.persist] + rateLimiter.pass(.inviteRefused(peer.id, .unwelcome), now: now)
      + [.send(.unsubscribed, to: peer.id)]
  }

  private mutating func take(_ token: [UInt8], now: Date) -> Result<Invite, InviteFailure> {
    inviteList.redeem(hash: hash(ofToken: token), now: now)
  }

  /// nil where the request is not about a key of a friend.
  private mutating func rotate(_ request: FriendRequest, _ peer: KeyedPeer, now: Date) -> [TrustAction]? {
    guard let old = predecessor(in: request.rotations) else { return nil }
    let successor = KeyRotation.successor(of: old.id, along: request.rotations, cryptography)
    // `trusted.d` names the old key: only its author can change that.
    guard successor == peer.id, old.origin != .fleet, let friend = friendTable.replace(old.id, by: peer.id) else {
      return rateLimiter.pass(.rotationRefused(peer.id), now: now) + [.send(.unsubscribed, to: peer.id)]
    }
    _ = queue.removePending(peer.id)
    _ = queue.removeAsked(peer.id)
    return [.persist, .terminate(old.id), .tell(.rotated(friend, from: old.id)), .send(.subscribed, to: peer.id)]
  }

  /// The friend with whose key a part of the chain begins.
  private func predecessor(in chain: [KeyRotation]) -> Friend? {
    chain.prefix(TrustLimits.rotations).lazy
      .compactMap { cryptography.id(ofKey: $0.old) }.compactMap { friendTable.friends[$0] }.first
  }

  /// Counts only where this node asked.
  private mutating func agreed(_ peer: KeyedPeer, now: Date) -> [TrustAction] {
    if friendTable.friends[peer.id] != nil { return confirmed(by: peer.id, now: now) }
    guard let asked = queue.asked.first(where: { $0.id == peer.id }),
      verdict(jid: peer.address, id: peer.id) == .stranger
    else { return [] }
    let name = asked.petname.flatMap { friendTable.friend(named: $0) == nil ? $0 : nil }
    do throws(TrustError) {
      return try befriend(peer.id, jid: asked.jid ?? peer.address, petname: name, origin: asked.origin, now: now)
    } catch {
      return rateLimiter.pass(.requestRefused(peer.id, peer.address, Self.refusal(error)), now: now)
    }
  }

  private mutating func declined(_ peer: KeyedPeer, now: Date) -> [TrustAction] {
    if let asked = queue.removeAsked(peer.id) { return [.persist, .tell(.declined(asked))] }
    guard let friend = friendTable.friends[peer.id] else { return unclaimed(peer) }
    // Told each time, since somebody may wait for the answer to a request.
    return setRenounced(friend, now, now: now) + friendRateLimiter.pass(.renounced(friend), now: now)
  }

  private mutating func withdrew(_ peer: KeyedPeer) -> [TrustAction] {
    if queue.removePending(peer.id) == nil { return unclaimed(peer) }
    return [.persist, .tell(.requestWithdrawn(peer.id))]
  }

  /// It does not count this node among its friends any more.
  private mutating func unclaimed(_ peer: KeyedPeer) -> [TrustAction] {
    claims.remove(peer.id) ? [.tell(.requestWithdrawn(peer.id))] : []
  }

  private mutating func refuse(_ peer: KeyedPeer, _ reason: RequestRefusal, now: Date) -> [TrustAction] {
    rateLimiter.pass(.requestRefused(peer.id, peer.address, reason), now: now)
      + [.send(reason.isTemporary ? .later : .unsubscribed, to: peer.id)]
  }
}

/// What both sides' verbs share.
extension FriendBook {
  /// Adds a friend, ends what waited for that, and pins the device by which it came.
  mutating func befriend(
    _ id: NodeID, jid: JID?, petname: Petname?, origin: Friend.Origin, now: Date
  ) throws(TrustError) -> [TrustAction] {
    try checkWelcome(id, jid)
    let name = try friendTable.name(petname, for: id)
    let friend = Friend(id: id, petname: name, devices: jid.map { [$0] } ?? [], since: now, origin: origin)
    try friendTable.add(friend)
    _ = queue.removePending(id)
    _ = queue.removeAsked(id)
    claims.remove(id)
    return [.persist, .tell(.befriended(friend))]
  }

  /// Throws where this node cannot become a friend at all.
  func checkWelcome(_ id: NodeID, _ jid: JID?) throws(TrustError) {
    guard id != own else { throw TrustError(.itself, "this is the id of this node itself") }
    guard friendTable.blocked[id] == nil
    else { throw TrustError(.blocked, "\(id.short) is blocked", nextStep: .unblock(id)) }
    if let jid { try friendTable.checkFree(jid, for: id) }
  }

  /// Bound to this node, so that what is stored here fits no other store.
  func hash(ofToken token: [UInt8]) -> String {
    let hash = cryptography.sha256(Array("hearth invite 1\0".utf8) + own.digest + token)
    return Base32.uppercase.encode(hash)
  }
}
