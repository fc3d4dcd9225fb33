/// How a connection ends whose protocol has changed: each direction by itself, and the connection once what was written has
/// left and nobody here has to do with it any more.
struct DuplexEnd {
  private enum Output {
    case open
    /// All is written, and not all has left.
    case draining
    case ended
  }

  enum Action {
    case none
    /// Only this direction: the other one goes on.
    case endOutput
    case close
  }

  private var output = Output.open
  private var hasInputEnded = false
  private var isBroken = false
  private var isDone = false

  /// One of the two has ended, or is about to.
  var isHalfClosed: Bool { hasInputEnded || output != .open }

  /// That the channel closes now is how the other side ends its direction: NIO tells of no end of the input where the output
  /// has ended before.
  var endsInOrder: Bool { output == .ended && !isBroken }

  mutating func inputEnded() { hasInputEnded = true }

  /// The last byte is written; `left` has to follow.
  mutating func wrote() { output = .draining }

  /// All that was written has left, or will not.
  mutating func left(_ isWhole: Bool) -> Action {
    guard isWhole else { return broke() }
    output = .ended
    return isDone ? .close : .endOutput
  }

  /// Nobody here reads or writes any more.
  mutating func done() -> Action {
    isDone = true
    return output == .draining ? .none : .close
  }

  /// The socket is broken, or is to be.
  mutating func broke() -> Action {
    isBroken = true
    return .close
  }
}
