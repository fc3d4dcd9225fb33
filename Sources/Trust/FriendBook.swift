package import FoundationEssentials
package import XMPP

/// All that a node knows about whom to trust: friends, blocked nodes, requests, invites, and the pairing under way.
///
/// Each verb returns what is to be done about it. Verbs of the owner throw `TrustError` where nothing was done;
/// what peers do never fails in a way that they can see through. Friends, blocked nodes, requests and invites
/// survive restarts (`encoded()`); an open permit window, a pairing and what others claim do not. More than eight properties, each a part with
/// rules of its own, since a verb has to change several of them at once or none.
package struct FriendBook: Sendable {
  /// This node's id.
  package let own: NodeID
  /// As configured; not part of the store.
  package var mode: RequestMode
  let cryptography: Cryptography
  var friendTable = FriendTable()
  var queue = RequestQueue()
  var claims = FriendshipClaims()
  var inviteList = InviteList()
  var permitWindow: PermitWindow?
  var pairing: PairingMachine
  /// What the peer of the pairing under way will be called, where the owner said so.
  package internal(set) var pairingPetname: Petname?
  var rateLimiter = LogRateLimiter()
  /// For what friends say, which strangers must not drown.
  var friendRateLimiter = LogRateLimiter()

  /// Takes over what was spent of the limits, and nothing else.
  package mutating func keepLimits(of other: FriendBook) {
    queue.keepBucket(of: other.queue)
    claims.keepBucket(of: other.claims)
    (rateLimiter, friendRateLimiter) = (other.rateLimiter, other.friendRateLimiter)
  }

  /// - Parameter ownKey: DER SubjectPublicKeyInfo of this node, of which `own` is the id.
  package init(
    own: NodeID, ownKey: [UInt8], mode: RequestMode = .ask, cryptography: Cryptography,
    digits: Int = TrustLimits.digits
  ) {
    self.own = own
    self.mode = mode
    self.cryptography = cryptography
    pairing = PairingMachine(ownKey: ownKey, sha256: cryptography.sha256, digits: digits)
  }
}

/// What there is, sorted by name or by time.
extension FriendBook {
  package var friends: [Friend] { friendTable.friends.values.sorted { $0.petname < $1.petname } }
  package var blocked: [BlockedNode] { friendTable.blocked.values.sorted { ($0.since, $0.id) < ($1.since, $1.id) } }
  package var requests: [PendingRequest] { queue.pending }
  package var asked: [AskedNode] { queue.asked }
  /// Oldest first.
  package var claimedFriendships: [ClaimedFriendship] { claims.all }
  package func invites(now: Date) -> [Invite] { inviteList.invites.filter { $0.isOpen(now: now) } }
  /// Whether somebody can still become a friend with this line.
  package func isOpen(_ line: InviteLine, now: Date) -> Bool {
    let hash = hash(ofToken: line.token)
    return invites(now: now).contains { $0.hash == hash }
  }
  package func permit(now: Date) -> PermitWindow? { permitWindow.flatMap { $0.isOpen(now: now) ? $0 : nil } }

  package func friend(_ id: NodeID) -> Friend? { friendTable.friends[id] }
  package func friend(named petname: Petname) -> Friend? { friendTable.friend(named: petname) }

  /// When `expire` has something to do; nil while it has not.
  package var deadline: Date? {
    [permitWindow?.closes, pairing.deadline].compactMap { $0 }.min()
  }

  /// Ends what is over: the permit window, the pairing.
  package mutating func expire(now: Date) -> [TrustAction] {
    var actions = expirePairing(now: now)
    if let window = permitWindow, !window.isOpen(now: now) {
      permitWindow = nil
      actions.append(.tell(.permitClosed))
    }
    return actions
  }
}

/// First contact, and the window.
extension FriendBook {
  /// A stream with this key goes to or comes from this device: a friend's device is its own from now on.
  package mutating func met(_ jid: JID, id: NodeID, now: Date) -> [TrustAction] {
    guard let friend = friendTable.friends[id] else { return [] }
    switch friendTable.pin(jid, to: id) {
    case .known, .foreign: return []
    case .pinned: return [.persist, .tell(.pinned(jid, friend))]
    case .full: return rateLimiter.pass(.unpinned(jid, friend), now: now)
    }
  }

  /// Opens the door for so many seconds (`TrustLimits.permit`), or changes how long it stays open. Throws `range`.
  package mutating func permit(seconds: TimeInterval, now: Date) throws(TrustError) -> [TrustAction] {
    guard TrustLimits.permit.contains(seconds) else {
      throw TrustError(
        .range, "the door stays open for 1 to \(Int(TrustLimits.permit.upperBound)) seconds", nextStep: .permit)
    }
    permitWindow = PermitWindow(opened: now, closes: now + seconds)
    return [.tell(.permitOpened(seconds: Int(seconds)))]
  }

  package mutating func closePermit() -> [TrustAction] {
    guard permitWindow != nil else { return [] }
    permitWindow = nil
    return [.tell(.permitClosed)]
  }
}
