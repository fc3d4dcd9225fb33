import FoundationEssentials
import Synchronization
import Trust
import XMPP

/// How many requests strangers may make. Friends never come here.
final class RequestRates: Sendable {
  private enum Asker: Hashable {
    case key(NodeID)
    case account(JID)
    /// All who come from there without a key.
    case address(String)
  }

  private let table = Mutex(
    RateTable<Asker>(
      burst: MeshLimits.requestBurst, interval: MeshLimits.requestInterval, capacity: MeshLimits.countedAskers))

  /// Whether this one may ask now.
  func admits(_ caller: Caller, now: Date = Date()) -> Bool {
    switch caller.standing {
    case .self, .friend: return true
    case .account(let jid, _): return table.withLock { $0.take(.account(jid), now: now) }
    case .stranger, .plaintext, .changed, .mismatch, .blocked:
      let identity = caller.identity
      let asker = identity.id.map { Asker.key($0) } ?? .address(identity.networkAddress ?? "")
      return table.withLock { $0.take(asker, now: now) }
    }
  }
}
