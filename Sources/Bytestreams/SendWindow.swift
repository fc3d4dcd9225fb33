import NIOCore

/// How many blocks of one bytestream may be in flight: a few where answers come at once, more where they are long under way.
///
/// What is measured is a block that fills the window: the time to its answer, and how many answers come in that time, which are
/// what the link and the reader take. Twice as many as they take within the shortest round trip keep them busy (the bound of
/// BBR, draft-ietf-ccwg-bbr §4.6.4.2). While the window alone holds the bytestream up, that is twice the window: it doubles. Where the
/// link is full, or the reader slow, answers take longer than the round trip, and the window stays, or shrinks.
struct SendWindow: Sendable {
  private struct Measurement {
    let sent: NIODeadline
    /// Those of the blocks in flight when it was sent, its own being the last.
    let answers: Int
    var answersLeft: Int
  }

  /// In flight at most.
  private(set) var blocks: Int
  private let smallest: Int
  private var measurement: Measurement?

  init(blocks: Int) {
    self.blocks = blocks
    smallest = blocks
  }

  /// A block left, with which so many are in flight.
  mutating func sent(inFlight: Int, now: NIODeadline) {
    guard measurement == nil, inFlight >= blocks else { return }
    measurement = Measurement(sent: now, answers: inFlight, answersLeft: inFlight)
  }

  /// A block was answered.
  ///
  /// - Parameters:
  ///   - roundTrip: the shortest of the stream; nil where none is known.
  ///   - largest: blocks that there is room for.
  mutating func answered(now: NIODeadline, roundTrip: TimeAmount?, largest: Int) {
    measurement?.answersLeft -= 1
    if let roundTrip, let done = measurement, done.answersLeft == 0 {
      measurement = nil
      adapt(done, took: max(now - done.sent, .nanoseconds(1)), roundTrip)
    }
    blocks = max(smallest, min(blocks, largest))
  }

  private mutating func adapt(_ done: Measurement, took: TimeAmount, _ roundTrip: TimeAmount) {
    let roundTrip = min(roundTrip, took)
    guard roundTrip >= BytestreamLimits.longRoundTrip else { return blocks = smallest }
    let wanted = 2 * done.answers * Int(roundTrip.nanoseconds) / Int(took.nanoseconds)
    // One answer that is late for another reason does not undo all.
    blocks = max(wanted, blocks / 2)
  }
}
