package import FoundationEssentials

/// Why a token opened nothing: for the log of this node, never for the peer.
package enum InviteRefusal: String, Sendable, CaseIterable {
  case unknown, expired, used
  /// The token was good, and its bearer is blocked or there is no room for friends: it is used up.
  case unwelcome
}

/// One invite. Only a hash of the token is kept, so that the store gives no token away.
package struct Invite: Sendable, Hashable, Codable {
  /// SHA-256 in base32, of the token together with the node's id.
  let hash: String
  /// What the friend will be called.
  package let petname: Petname?
  package let issued: Date
  var isUsed = false

  /// A clock that was set back makes an invite invalid, not immortal.
  func isOpen(now: Date) -> Bool {
    !isUsed && now >= issued && now < issued + TrustLimits.inviteLife
  }
}

/// The invites of this node: those that are open, and for the log those that were.
struct InviteList: Sendable {
  private(set) var invites: [Invite] = []

  init(_ invites: [Invite] = []) {
    self.invites = invites.suffix(TrustLimits.invites)
  }

  /// Throws `full` where too many are open.
  mutating func issue(hash: String, petname: Petname?, now: Date) throws(TrustError) {
    guard invites.count(where: { $0.isOpen(now: now) }) < TrustLimits.openInvites else {
      throw TrustError(
        .full, "\(TrustLimits.openInvites) invites are open: wait until one is used, or ten minutes old")
    }
    // Room is made by those that open nothing any more.
    while invites.count >= TrustLimits.invites, let dead = invites.firstIndex(where: { !$0.isOpen(now: now) }) {
      invites.remove(at: dead)
    }
    invites.append(Invite(hash: hash, petname: petname, issued: now))
  }

  /// Uses the invite up. A hash is compared, which tells nothing by the time it takes.
  mutating func redeem(hash: String, now: Date) -> Result<Invite, InviteFailure> {
    guard let index = invites.firstIndex(where: { $0.hash == hash }) else { return .failure(.init(reason: .unknown)) }
    let invite = invites[index]
    guard !invite.isUsed else { return .failure(.init(reason: .used)) }
    guard invite.isOpen(now: now) else { return .failure(.init(reason: .expired)) }
    invites[index].isUsed = true
    return .success(invite)
  }
}

struct InviteFailure: Error {
  let reason: InviteRefusal
}
