import FoundationEssentials
import NIOCore
import Trust

/// How much a stranger may want of one stream. A value; `now` is told.
///
/// Beyond, each stanza is refused for a word, and who goes on asking loses the stream.
struct StanzaMeter {
  enum Verdict: Hashable {
    case pass, refuse, end
  }

  private var bucket = TokenBucket(burst: Limits.stanzaBurst, interval: Limits.stanzaInterval)
  /// A bucket as well, since a flood always has some that pass.
  private var refusals = TokenBucket(burst: Limits.refusedStanzas, interval: Limits.refusalInterval)

  mutating func take(now: NIODeadline) -> Verdict {
    let now = now.date
    if bucket.take(now: now) { return .pass }
    return refusals.take(now: now) ? .refuse : .end
  }
}

extension NIODeadline {
  /// For what counts in seconds: since an unknown moment.
  var date: Date { Date(timeIntervalSinceReferenceDate: Double(uptimeNanoseconds) / 1e9) }
}
