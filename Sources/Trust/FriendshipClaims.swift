import FoundationEssentials

/// What comes out of friendships that only one side knows of: the nodes that claim one which this node knows nothing of, and
/// how often a friend may make this node write down that it ended one.
///
/// Forgotten with the process: who still claims it says so again.
struct FriendshipClaims: Sendable {
  /// Oldest first.
  private(set) var all: [ClaimedFriendship] = []
  private var bucket = TokenBucket(burst: TrustLimits.requestBurst, interval: TrustLimits.requestInterval)

  mutating func keepBucket(of other: FriendshipClaims) { bucket = other.bucket }

  /// Whether a change of one friend's may be written to disk now. It counts in any case, and is written with the next one.
  mutating func mayPersist(now: Date) -> Bool { bucket.take(now: now) }

  /// Whether there was room for it: as for requests, so that nobody's claims are drowned by those of one address. False where it
  /// is known.
  mutating func add(_ claim: ClaimedFriendship) -> Bool {
    guard all.count < TrustLimits.requests, !all.contains(where: { $0.id == claim.id }) else { return false }
    let same = claim.address.map { address in all.count { $0.address == address } } ?? 0
    guard same < TrustLimits.requestsPerAddress else { return false }
    all.append(claim)
    return true
  }

  /// Whether there was one.
  @discardableResult mutating func remove(_ id: NodeID) -> Bool {
    let count = all.count
    all.removeAll { $0.id == id }
    return all.count < count
  }
}
