import FoundationEssentials
import Synchronization
import Trust

/// The lines of invites that were made on the dashboard, to be shown until they are used or void. The node itself keeps no more
/// than their hashes.
final class IssuedInvites: Sendable {
  struct Invite: Sendable {
    let line: InviteLine
    let petname: String
    let expires: Date
  }

  /// Oldest first; `DashboardLimits.invites` at most.
  private let all = Mutex<[Invite]>([])

  func note(_ invite: Invite) {
    all.withLock { all in
      if all.count >= DashboardLimits.invites { all.removeFirst() }
      all.append(invite)
    }
  }

  /// Those with which somebody can still become a friend; the others are forgotten.
  func open(_ book: FriendBook, now: Date) -> [Invite] {
    all.withLock { all in
      all.removeAll { !book.isOpen($0.line, now: now) }
      return all
    }
  }
}
