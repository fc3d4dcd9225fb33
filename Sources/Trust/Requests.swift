package import FoundationEssentials
import XMPP

/// What becomes of requests of friendship (`requests` in the configuration; XEP-0332 §"DiscoveredDevices handling in web
/// servers").
package enum RequestMode: String, Sendable, CaseIterable {
  /// The owner decides on each.
  case ask
  /// None are taken in.
  case reject
  /// All are friends at once, within bounds.
  case accept
}

/// The owner's open door: requests are accepted until it closes.
package struct PermitWindow: Sendable, Hashable {
  package let opened: Date
  package let closes: Date

  /// A clock that was set back closes it.
  package func isOpen(now: Date) -> Bool { now >= opened && now < closes }

  /// For the countdown; 0 when it is closed.
  package func seconds(now: Date) -> TimeInterval { isOpen(now: now) ? closes.timeIntervalSince(now) : 0 }
}

/// Requests that wait: those of others for the owner, and our own for an answer.
struct RequestQueue: Sendable {
  /// Oldest first.
  private(set) var pending: [PendingRequest] = []
  private(set) var asked: [AskedNode] = []
  private var bucket = TokenBucket(burst: TrustLimits.requestBurst, interval: TrustLimits.requestInterval)
  private var rejected: [(id: NodeID, at: Date)] = []

  init(pending: [PendingRequest] = [], asked: [AskedNode] = []) {
    self.pending = pending
    self.asked = asked
  }

  mutating func keepBucket(of other: RequestQueue) { bucket = other.bucket }

  func isPending(_ id: NodeID) -> Bool { pending.contains { $0.id == id } }

  /// Whether a newcomer may be dealt with now: counts against the bucket only where it would be.
  ///
  /// - Parameter isPermitted: the door is open, which is a later word of the owner than a rejection.
  mutating func admit(_ id: NodeID, isPermitted: Bool, now: Date) -> RequestRefusal? {
    let isPaused =
      !isPermitted
      && rejected.contains {
        $0.id == id && now >= $0.at && now < $0.at + TrustLimits.rejectionPause
      }
    if isPaused { return .rejected }
    return bucket.take(now: now) ? nil : .tooMany
  }

  func room(for address: String?) -> Bool {
    guard pending.count < TrustLimits.requests else { return false }
    guard let address else { return true }
    return pending.count { $0.address == address } < TrustLimits.requestsPerAddress
  }

  mutating func append(_ request: PendingRequest) { pending.append(request) }

  /// The request with what its peer says now; nil where it has none.
  mutating func greet(_ greeting: String, by id: NodeID) -> PendingRequest? {
    guard let place = pending.firstIndex(where: { $0.id == id }) else { return nil }
    let old = pending[place]
    pending[place] = PendingRequest(
      id: old.id, jid: old.jid, address: old.address, greeting: greeting, since: old.since)
    return pending[place]
  }

  mutating func removePending(_ id: NodeID) -> PendingRequest? {
    pending.firstIndex { $0.id == id }.map { pending.remove(at: $0) }
  }

  mutating func reject(_ id: NodeID, now: Date) -> PendingRequest? {
    guard let request = removePending(id) else { return nil }
    if rejected.count >= TrustLimits.rejections { rejected.removeFirst() }
    rejected.append((id, now))
    return request
  }

  /// Replaces an earlier one to the same node.
  mutating func ask(_ node: AskedNode) throws(TrustError) {
    asked.removeAll { $0.id == node.id }
    guard asked.count < TrustLimits.asked
    else {
      throw TrustError(
        .full, "\(TrustLimits.asked) requests of yours wait for an answer", nextStep: .withdraw)
    }
    asked.append(node)
  }

  mutating func removeAsked(_ id: NodeID) -> AskedNode? {
    asked.firstIndex { $0.id == id }.map { asked.remove(at: $0) }
  }
}
