package import FoundationEssentials

/// A friendship that only one side knows of: the other removed this node, or lost what it knew. Neither is undone by that;
/// both owners see it, and one of them asks again.
extension FriendBook {
  /// A friend's node treats this one as a stranger: it refused for that reason, or answered that it is no friend.
  package mutating func renounced(by id: NodeID, now: Date) -> [TrustAction] {
    guard let friend = friendTable.friends[id], friend.renounced == nil else { return [] }
    return setRenounced(friend, now, now: now) + friendRateLimiter.pass(.renounced(friend), now: now)
  }

  /// A friend's node says that this one is its friend as well.
  package mutating func confirmed(by id: NodeID, now: Date) -> [TrustAction] {
    guard let friend = friendTable.friends[id] else { return [] }
    return setRenounced(friend, nil, now: now) + friendRateLimiter.pass(.confirmed(friend), now: now)
  }

  /// A node asked for what nodes ask their friends for, and so counts this one among them.
  package mutating func claimed(by peer: KeyedPeer, now: Date) -> [TrustAction] {
    switch verdict(jid: peer.address, id: peer.id) {
    case .friend: friendTable.friends[peer.id]?.renounced == nil ? [] : confirmed(by: peer.id, now: now)
    case .stranger: noteClaim(of: peer, now: now)
    case .self, .plaintext, .account, .changed, .mismatch, .blocked: []
    }
  }

  private mutating func noteClaim(of peer: KeyedPeer, now: Date) -> [TrustAction] {
    // Who was asked, or asks, waits for a word already.
    guard !queue.isPending(peer.id), !queue.asked.contains(where: { $0.id == peer.id }) else { return [] }
    let claim = ClaimedFriendship(id: peer.id, jid: peer.address, address: peer.networkAddress, since: now)
    return claims.add(claim) ? [.tell(.claimed(claim))] : []
  }

  /// On disk, as often as a friend may cause that.
  mutating func setRenounced(_ friend: Friend, _ since: Date?, now: Date) -> [TrustAction] {
    guard (friend.renounced == nil) != (since == nil) else { return [] }
    friendTable.setRenounced(friend.id, since)
    return claims.mayPersist(now: now) ? [.persist] : []
  }
}
