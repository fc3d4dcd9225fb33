import NIOCore

/// Whether the other side of a stream is still there, as far as its silence tells: when to ask it (XEP-0199), when to close
/// an idle stream, when to doubt one before it is used again. A value; `now` is told.
///
/// A question waits behind what was written before it, and on a bad link that takes its time. As long as the kernel's connection
/// moves, the other side is there: the time for the answer begins anew with each sign of that.
struct Liveness {
  enum Due: Hashable {
    case nothing
    /// Ask whether it is there; `probing` and `probed` have to follow.
    case probe
    /// Look whether the connection has moved; `looked` has to follow, and says whether there is any hope.
    case look
    /// Nobody has used the stream for a while.
    case close
  }

  private var lastReceived: NIODeadline
  private var lastUsed: NIODeadline
  /// When it was asked; nil where no answer is due.
  private var asked: NIODeadline?
  /// When the connection moved last, as far as looks have shown.
  private var lastMoved: NIODeadline
  /// As of the last look.
  private var connection: ConnectionProgress?

  init(now: NIODeadline) {
    lastReceived = now
    lastUsed = now
    lastMoved = now
  }

  /// The other side said something.
  mutating func received(now: NIODeadline) { lastReceived = now }

  /// This side used the stream.
  mutating func touch(now: NIODeadline) { lastUsed = now }

  /// Asked; false where the answer to an earlier question is still due, which a second would not hasten.
  ///
  /// - Parameter connection: as it is now; nil where the kernel does not say.
  mutating func probing(_ connection: ConnectionProgress?, now: NIODeadline) -> Bool {
    guard asked == nil else { return false }
    asked = now
    self.connection = connection
    return true
  }

  /// The question was answered, or nobody waits for that any more.
  mutating func probed() { asked = nil }

  /// The time for the answer is over; false where the other side is not there any more.
  mutating func looked(_ connection: ConnectionProgress?, now: NIODeadline) -> Bool {
    if let connection, let known = self.connection, connection.hasMoved(since: known) {
      lastMoved = max(lastMoved, now - connection.sinceLastSegment)
      self.connection = connection
    }
    return answerDue.map { now < $0 } ?? true
  }

  /// Until when there has to be an answer, or another sign.
  private var answerDue: NIODeadline? {
    asked.map {
      max($0, lastMoved, lastReceived) + (connection?.isLossy ?? false ? Timeouts.controlIfLossy : Timeouts.control)
    }
  }

  /// Silent for so long that the other side may be gone: to be asked before the stream is used again.
  func isDoubtful(now: NIODeadline) -> Bool { max(lastReceived, lastMoved) + Timeouts.doubt <= now }

  /// When to ask `due` next.
  ///
  /// - Parameter isBusy: something is under way that a silent peer would leave hanging.
  func deadline(isBusy: Bool) -> NIODeadline {
    if let answerDue { return answerDue }
    return max(lastReceived, lastUsed) + (isBusy ? Timeouts.silence : Timeouts.idle)
  }

  func due(isBusy: Bool, now: NIODeadline) -> Due {
    guard deadline(isBusy: isBusy) <= now else { return .nothing }
    if asked != nil { return .look }
    return isBusy ? .probe : .close
  }
}

/// What the kernel tells of a connection, as of one moment (tcp(7), `TCP_INFO`).
struct ConnectionProgress: Hashable {
  /// Bytes of ours that the other side's kernel has acknowledged, ever.
  var acknowledged: UInt64
  /// Segments with data that came from it, ever; those that came out of order as well.
  var received: UInt32
  /// Since the last segment came, with or without data.
  var sinceLastSegment: TimeAmount
  /// Segments with data that were sent, ever, and of these the repeated ones.
  var sent: UInt32 = 0
  var repeated: UInt32 = 0
  /// Segments that came before an earlier one did, ever: what a loss on the way here looks like.
  var early: UInt32 = 0

  func hasMoved(since earlier: ConnectionProgress) -> Bool {
    acknowledged > earlier.acknowledged || received != earlier.received
  }

  /// Loses one segment in 20 or more: pauses of many seconds are usual there, as TCP doubles its own with each loss. As many as
  /// this do not come together where the other side vanished a moment ago.
  var isLossy: Bool { Self.isMuch(repeated, of: sent) || Self.isMuch(early, of: received) }

  private static func isMuch(_ count: UInt32, of all: UInt32) -> Bool { count >= 20 && UInt64(count) * 20 >= all }
}
