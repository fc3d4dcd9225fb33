import NIOCore

/// Finds out whether a silent connection is dead. A value; `now` is told.
struct KeepAlive {
  enum Verdict: Hashable { case fine, ask, dead }

  private var heard: NIODeadline
  /// When something was sent that the server answers, and nothing has come since.
  private var asked: NIODeadline?

  init(now: NIODeadline) { heard = now }

  /// Anything has come, be it space.
  mutating func received(now: NIODeadline) {
    heard = now
    asked = nil
  }

  /// Something went out that the server will answer.
  mutating func expectsAnswer(now: NIODeadline) {
    if asked == nil { asked = now }
  }

  /// To be asked every now and then.
  func look(now: NIODeadline) -> Verdict {
    if let asked { return asked + AccountTimes.patience <= now ? .dead : .fine }
    return heard + AccountTimes.idle <= now ? .ask : .fine
  }
}
