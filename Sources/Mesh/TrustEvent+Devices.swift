import Trust
import XMPP

extension TrustEvent {
  /// Whose devices may appear otherwise from now on, and the devices that are pinned to them.
  ///
  /// The nodes of a decision about one stream or request alone are not among them: nothing was changed by it.
  var concerned: (nodes: Set<NodeID>, devices: Set<JID>) {
    switch self {
    case .befriended(let friend), .confirmed(let friend), .removed(let friend), .renamed(let friend, _),
      .renounced(let friend), .accountTold(let friend):
      ([friend.id], Set(friend.devices))
    case .pinned(let jid, let friend), .unpinned(let jid, let friend): ([friend.id], [jid])
    case .rotated(let friend, let former): ([friend.id, former], Set(friend.devices))
    case .blocked(let node), .unblocked(let node): ([node.id], [])
    case .asked(let node), .declined(let node): ([node.id], [])
    case .requested(let request): ([request.id], [])
    case .claimed(let claim): ([claim.id], [])
    case .requestRefused(let id, _, _), .requestWithdrawn(let id), .requestRejected(let id), .inviteRefused(let id, _),
      .pairingBegun(let id, _), .pairingEnded(let id, _), .pairingRefused(let id, _), .rotationRefused(let id),
      .fleetEntryRefused(let id, _):
      ([id], [])
    case .invited, .permitOpened, .permitClosed, .streamAccepted, .streamRefused, .accessRefused, .notKept, .suppressed:
      ([], [])
    }
  }
}
