/// How long to wait before the next attempt to connect: twice as long each time, between half and all of it by chance, so that
/// the nodes of a server that comes back do not come all at once.
package struct Backoff: Sendable {
  private var pause = AccountTimes.firstPause

  package init() {}

  package mutating func next(using generator: inout some RandomNumberGenerator) -> Duration {
    defer { pause = min(pause * 2, AccountTimes.longestPause) }
    return pause * Double.random(in: 0.5...1, using: &generator)
  }

  /// The stream was open long enough.
  package mutating func succeeded() { pause = AccountTimes.firstPause }
}
