package import FoundationEssentials

/// How often something may happen: a burst, then once an interval.
///
/// A clock that is set back refills nothing; one that is set forward fills the burst again, and no more.
struct TokenBucket: Sendable {
  private let burst: Int
  private let interval: TimeInterval
  private var left: Int
  private var refilled: Date?

  init(burst: Int, interval: TimeInterval) {
    self.burst = burst
    self.interval = interval
    left = burst
  }

  mutating func take(now: Date) -> Bool {
    refill(now: now)
    guard left > 0 else { return false }
    left -= 1
    return true
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
