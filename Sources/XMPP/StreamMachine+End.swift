import NIOCore
import XML

/// The ways to the end, which several verbs share.
extension StreamMachine {
  /// Every way to the end comes through here, once.
  mutating func end(
    _ reason: StreamEnd, saying farewell: ByteBuffer? = nil, disconnecting: Bool = true
  ) -> [StreamAction] {
    var actions: [StreamAction] = []
    if let farewell { actions.append(.write(farewell)) }
    switch state {
    case .greeting, .awaitingFeatures, .asking, .securing, .offering, .closing:
      actions.append(.deadline(nil))
    case .idle, .open, .closed: break
    }
    if disconnecting { actions.append(.disconnect) }
    actions.append(.closed(reason))
    state = .closed
    return actions
  }

  /// Tells the other side what it did wrong and hangs up: after a stream error there is nothing to wait for
  /// (RFC 6120 §4.9.1.1).
  mutating func violated(_ error: StreamError) -> [StreamAction] {
    switch state {
    case .idle, .closed: []
    case .greeting, .awaitingFeatures, .asking, .securing, .offering, .open:
      end(.violated(error), saying: farewell(error))
    // We have said goodbye already, and may send nothing behind it.
    case .closing(_, let reason, _): end(reason)
    }
  }

  /// Gives up a stream that the policy does not let open.
  mutating func insecure(_ reason: Insecurity) -> [StreamAction] {
    end(.insecure(reason), saying: farewell(StreamError(.policyViolation, reason.description)))
  }

  /// The last words that the other side can read now, nil for none.
  func farewell(_ error: StreamError? = nil) -> ByteBuffer? {
    switch state {
    // In the middle of a handshake there is no stream.
    case .idle, .securing, .closing, .closed: nil
    case .greeting: earlyFarewell(error)
    case .awaitingFeatures, .asking, .offering, .open: Self.streamEnd(error)
    }
  }

  /// A responder that has not sent its header has nothing to close; where it has to say why, it opens the stream for it
  /// (RFC 6120 §4.9.1.2).
  private func earlyFarewell(_ error: StreamError?) -> ByteBuffer? {
    switch role {
    case .initiator: return Self.streamEnd(error)
    case .responder:
      guard let error else { return nil }
      return Self.bytes {
        $0.write(StreamHeader(from: configuration.isReserved ? nil : configuration.node, id: configuration.streamID()))
        $0.writeImmutableBuffer(Self.streamEnd(error))
      }
    }
  }

  /// The end of a stream, with an error before it where there is one.
  static func streamEnd(_ error: StreamError? = nil) -> ByteBuffer {
    bytes { buffer in
      if let error { buffer.write(error.element) }
      buffer.writeStreamEnd()
    }
  }

  static func bytes(_ write: (inout ByteBuffer) -> Void) -> ByteBuffer {
    var buffer = ByteBuffer()
    write(&buffer)
    return buffer
  }
}
