package import XMPP

/// What is to be done after a verb, in this order: what changes the store is on disk before anyone is told.
package enum TrustAction: Sendable, Hashable {
  /// Write `FriendBook.encoded()` to disk. Where that fails, run none of the actions behind it.
  case persist
  /// One structured line of the log, and news for whoever watches.
  case tell(TrustEvent)
  /// Send to this node, on a stream whose key it is.
  case send(Friendship, to: NodeID)
  /// End all streams and transfers with this node now.
  case terminate(NodeID)
  /// Send as an IQ set to this node.
  case pair(PairingMessage, to: NodeID)
  /// Show these digits to the owner, who says whether the peer's are the same.
  case compare(digits: String, with: NodeID)
}

/// A decision, as it is logged and shown.
package enum TrustEvent: Sendable, Hashable {
  case befriended(Friend)
  /// A friend says that this node is its friend as well.
  case confirmed(Friend)
  case removed(Friend)
  case renamed(Friend, from: Petname)
  case blocked(BlockedNode)
  case unblocked(BlockedNode)
  /// A device was met for the first time and belongs to this friend now.
  case pinned(JID, Friend)
  /// The friend has more devices than are pinned.
  case unpinned(JID, Friend)
  case requested(PendingRequest)
  case requestRefused(NodeID, JID?, RequestRefusal)
  /// The peer took its request back.
  case requestWithdrawn(NodeID)
  /// The owner said no.
  case requestRejected(NodeID)
  /// The owner asks another node.
  case asked(AskedNode)
  /// The other node said no.
  case declined(AskedNode)
  /// A friend no longer counts this node among its own; it stays one here.
  case renounced(Friend)
  /// A node that is none counts this one among its friends.
  case claimed(ClaimedFriendship)
  /// A friend says by which account it can be reached, or by none any more.
  case accountTold(Friend)
  case invited(Petname?)
  case inviteRefused(NodeID, InviteRefusal)
  case permitOpened(seconds: Int)
  case permitClosed
  case pairingBegun(NodeID, PairingRole)
  case pairingEnded(NodeID, PairingFailure)
  case pairingRefused(NodeID, PairingFailure)
  /// A friend has another key, and proved that it is the same friend.
  case rotated(Friend, from: NodeID)
  case rotationRefused(NodeID)
  case fleetEntryRefused(NodeID, String)
  /// A stream that came in, and what its peer is to this node.
  case streamAccepted(PeerIdentity, Standing)
  /// A stream that was not let be, by what it showed or did.
  case streamRefused(PeerIdentity, why: String, detail: String)
  /// A request for a service that its rules do not open to this caller.
  case accessRefused(PeerIdentity, service: String, Refusal)
  /// What happened could not be written to disk, so it did not happen.
  case notKept(String)
  /// So many lines about strangers were left out since the last one.
  case suppressed(Int)
}

/// Why a request of friendship was turned away without asking the owner.
package enum RequestRefusal: String, Sendable, CaseIterable {
  case blocked
  /// The address belongs to another key.
  case changed
  /// The configuration says `requests = "reject"`.
  case rejecting
  /// The owner said no a short while ago.
  case rejected
  /// Too many wait already, from this address or in all.
  case queueFull = "queue-full"
  /// Too many friends.
  case friendsFull = "friends-full"
  case tooMany = "too-many"
  /// The node's own key.
  case itself = "self"

  /// Whether another attempt later may succeed. What the peer is told beyond that is nothing.
  var isTemporary: Bool {
    switch self {
    case .queueFull, .friendsFull, .tooMany: true
    case .blocked, .changed, .rejecting, .rejected, .itself: false
    }
  }
}
