package import FoundationEssentials
package import XMPP

/// By which account on a server a friend can be reached. It is the friend's own word, over a stream with its key, and says only where
/// to look: who is there is decided by the key.
extension FriendBook {
  /// - Parameter account: bare; nil: by none any more.
  package mutating func told(_ account: JID?, by id: NodeID, now: Date) -> [TrustAction] {
    guard var friend = friendTable.friends[id], friend.account != account,
      account.map({ $0.text.utf8.count <= TrustLimits.accountBytes }) ?? true, claims.mayPersist(now: now)
    else { return [] }
    friend.account = account
    friendTable.setAccount(id, account)
    return [.persist, .tell(.accountTold(friend))]
  }
}
