import NIOCore

/// Whether the other side of a stream is still there, as far as its silence tells: when to ask it (XEP-0199), when to close
/// an idle stream, when to doubt one before it is used again. A value; `now` is told.
struct Liveness {
  enum Due: Hashable {
    case nothing
    /// Ask whether it is there; `probing` and `probed` have to follow.
    case probe
    /// Nobody has used the stream for a while.
    case close
  }

  private var lastReceived: NIODeadline
  private var lastUsed: NIODeadline
  private var isProbing = false

  init(now: NIODeadline) {
    lastReceived = now
    lastUsed = now
  }

  /// The other side said something.
  mutating func received(now: NIODeadline) { lastReceived = now }

  /// This side used the stream.
  mutating func touch(now: NIODeadline) { lastUsed = now }

  /// Asked; false where the answer to an earlier question is still due, which a second would not hasten.
  mutating func probing() -> Bool {
    defer { isProbing = true }
    return !isProbing
  }

  /// The question was answered, or its time is over.
  mutating func probed() { isProbing = false }

  /// Silent for so long that the other side may be gone: to be asked before the stream is used again.
  func isDoubtful(now: NIODeadline) -> Bool { lastReceived + Timeouts.doubt <= now }

  /// When to ask `due` next; nil while the answer to a probe is awaited.
  ///
  /// - Parameter isBusy: something is under way that a silent peer would leave hanging.
  func deadline(isBusy: Bool) -> NIODeadline? {
    let quiet = max(lastReceived, lastUsed)
    guard isBusy else { return quiet + Timeouts.idle }
    return isProbing ? nil : quiet + Timeouts.silence
  }

  func due(isBusy: Bool, now: NIODeadline) -> Due {
    guard let deadline = deadline(isBusy: isBusy), deadline <= now else { return .nothing }
    return isBusy ? .probe : .close
  }
}
