package import FoundationEssentials

/// How often something may happen: a burst, then once an interval.
///
/// A clock that is set back refills nothing; one that is set forward fills the burst again, and no more.
package struct TokenBucket: Sendable {
  private let burst: Int
  private let interval: TimeInterval
  private var left: Int
  private var refilled: Date?

  /// - Parameter interval: seconds.
  package init(burst: Int, interval: TimeInterval) {
    self.burst = burst
    self.interval = interval
    left = burst
  }

  package mutating func take(now: Date) -> Bool {
    refill(now: now)
    guard left > 0 else { return false }
    left -= 1
    return true
  }

  /// What was taken last does not count.
  fileprivate mutating func giveBack() { left = min(burst, left + 1) }

  /// Whether it is as if nothing had happened.
  fileprivate func isFull(now: Date) -> Bool {
    var bucket = self
    bucket.refill(now: now)
    return bucket.left == burst
  }

  private mutating func refill(now: Date) {
    guard let last = refilled, now >= last, left < burst else {
      refilled = now
      return
    }
    let due = min(((now.timeIntervalSince(last)) / interval).rounded(.down), Double(burst))
    guard due >= 1 else { return }
    left = min(burst, left + Int(due))
    refilled = left == burst ? now : last + due * interval
  }
}

/// How often each of many may do something: a bucket for each.
///
/// Memory is bounded: where there are too many, those that have rested are forgotten, and then the others. Who is forgotten begins
/// anew, as whoever takes a new name does.
package struct RateTable<Key: Hashable & Sendable>: Sendable {
  private let bucket: TokenBucket
  private let capacity: Int
  private var buckets: [Key: TokenBucket] = [:]

  package init(burst: Int, interval: TimeInterval, capacity: Int) {
    bucket = TokenBucket(burst: burst, interval: interval)
    self.capacity = capacity
  }

  /// Those that are remembered.
  package var count: Int { buckets.count }

  package mutating func take(_ key: Key, now: Date) -> Bool {
    if buckets[key] == nil, buckets.count >= capacity { makeRoom(now: now) }
    return buckets[key, default: bucket].take(now: now)
  }

  /// What was taken last does not count.
  package mutating func giveBack(_ key: Key) { buckets[key]?.giveBack() }

  private mutating func makeRoom(now: Date) {
    buckets = buckets.filter { !$0.value.isFull(now: now) }
    if buckets.count >= capacity { buckets.removeAll() }
  }
}

/// Passes what is told about strangers, as often as a log can bear, and counts the rest.
package struct LogRateLimiter: Sendable {
  private var bucket = TokenBucket(burst: TrustLimits.refusalBurst, interval: TrustLimits.refusalInterval)
  private var held = 0

  package init() {}

  /// What is to be told now.
  package mutating func pass(_ event: TrustEvent, now: Date) -> [TrustEvent] {
    guard bucket.take(now: now) else {
      held += 1
      return []
    }
    defer { held = 0 }
    return (held > 0 ? [.suppressed(held)] : []) + [event]
  }

  mutating func pass(_ event: TrustEvent, now: Date) -> [TrustAction] {
    pass(event, now: now).map { .tell($0) }
  }
}
