import HTTPTypes
import NIOCore

/// The parts of requests → requests to hand over: whole where all of the body came with the head, else open.
///
/// Between two requests, holding a head and what has come of its body, or passing a body on.
struct RequestAssembler {
  enum Action {
    case none
    case whole(HTTPRequest, ByteBuffer)
    /// The body goes on; what is given of it is its beginning.
    case open(HTTPRequest, ByteBuffer?)
    case part(ByteBuffer)
    case end
  }

  private enum State {
    case between
    case held(HTTPRequest, ByteBuffer?)
    case open
  }

  private var state = State.between

  /// `isHeldBack`: the client sends what follows only when it is asked for, or the protocol has changed.
  mutating func received(_ head: HTTPRequest, isHeldBack: Bool) -> Action {
    state = isHeldBack ? .open : .held(head, nil)
    return isHeldBack ? .open(head, nil) : .none
  }

  mutating func received(_ bytes: ByteBuffer) -> Action {
    switch state {
    case .between:
      return .none
    case .held(let head, nil):
      state = .held(head, bytes)
      return .none
    case .held(let head, var held?):
      state = .open
      held.writeImmutableBuffer(bytes)
      guard held.readableBytes <= PartSize.small else { return .open(head, held) }
      state = .held(head, held)
      return .none
    case .open:
      return .part(bytes)
    }
  }

  mutating func receivedEnd() -> Action {
    defer { state = .between }
    switch state {
    case .between: return .none
    case .held(let head, let bytes): return .whole(head, bytes ?? ByteBuffer())
    case .open: return .end
    }
  }

  /// There is one that nobody was told of.
  var isHolding: Bool {
    if case .held = state { true } else { false }
  }

  /// What one read brought is here.
  mutating func readCompleted() -> Action {
    guard case .held(let head, let bytes) = state else { return .none }
    state = .open
    return .open(head, bytes)
  }
}
