import FoundationEssentials
import Synchronization
import XMPP

/// The devices whose owners said no to a request that was made on the dashboard, so that its page can say so.
final class DeclinedRequests: Sendable {
  /// Oldest first.
  private let all = Mutex<[(device: JID, at: Date)]>([])

  func note(_ device: JID, at time: Date) {
    all.withLock { all in
      all.removeAll { $0.device == device }
      if all.count >= DashboardLimits.declinedRequests { all.removeFirst() }
      all.append((device, time))
    }
  }

  func forget(_ device: JID) {
    all.withLock { $0.removeAll { $0.device == device } }
  }

  func time(of device: JID) -> Date? {
    all.withLock { $0.first { $0.device == device }?.at }
  }
}
