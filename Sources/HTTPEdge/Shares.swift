/// Who has how many of a number of places, and who may have one more.
///
/// - The user of this node may have each that is free.
/// - All others leave the last eighth of them to that user.
/// - One of them has at most half of what the others leave, so that whoever comes next finds as many again.
/// - Strangers, who make as many keys as they like, have together at most half of all; one of them has at most half of what
///   the other strangers leave of that.
///
/// Whoever has none may have the last one of its kind.
struct Shares: Sendable {
  private let limit: Int
  private var taken: [UpstreamCaller: Int] = [:]
  private var total = 0
  private var strangers = 0

  init(limit: Int) {
    self.limit = limit
  }

  private var forStrangers: Int { max(1, limit / 2) }
  private var reserve: Int { limit / 8 }

  func admits(_ caller: UpstreamCaller) -> Bool {
    let free = limit - total
    switch caller {
    case .own: return free > 0
    case .known: return free > reserve && isWithinHalf(caller, free)
    case .stranger: return free > reserve && isWithinHalf(caller, min(free, forStrangers - strangers))
    }
  }

  private func isWithinHalf(_ caller: UpstreamCaller, _ free: Int) -> Bool {
    let own = taken[caller, default: 0]
    return free > 0 && own < max(1, (free + own) / 2)
  }

  mutating func take(_ caller: UpstreamCaller) { count(caller, 1) }

  mutating func leave(_ caller: UpstreamCaller) { count(caller, -1) }

  private mutating func count(_ caller: UpstreamCaller, _ change: Int) {
    total += change
    switch caller {
    case .own: return
    case .known: break
    case .stranger: strangers += change
    }
    let count = taken[caller, default: 0] + change
    taken[caller] = count > 0 ? count : nil
  }
}
