package import NIOCore
package import XML

/// The life of one stream between two devices (RFC 6120 §4, XEP-0174 §§6–8), for both sides.
///
/// `idle` until the connection stands. `greeting` from there to the other side's header, with a deadline; an initiator has
/// sent its own header by then, a responder has not. `open` while stanzas flow: a responder has sent its features, if the
/// other side knows them, an initiator does not wait for any. `closing` from our end tag to the other side's, with a
/// deadline; stanzas are still received. `closed` is the end, and `closed` the last action.
package struct StreamMachine: ~Copyable {
  package enum Role: Sendable, Hashable {
    case initiator(local: JID, remote: JID)
    case responder
  }

  enum State {
    case idle
    case greeting(until: NIODeadline)
    case open(Peer)
    case closing(Peer, end: StreamEnd, until: NIODeadline)
    case closed
  }

  let role: Role
  let configuration: StreamConfiguration
  var state = State.idle
  /// A responder's go with its header; an initiator's go once at most, and only to a Hearth node.
  var hasSentFeatures = false

  package init(role: Role, configuration: StreamConfiguration) {
    self.role = role
    self.configuration = configuration
  }

  /// Whether stanzas may be sent, for those who write them to the connection by themselves.
  package var isOpen: Bool {
    switch state {
    case .open: true
    case .idle, .greeting, .closing, .closed: false
    }
  }

  /// The connection stands.
  package mutating func connected(now: NIODeadline) -> [StreamAction] {
    guard case .idle = state else { return [] }
    let deadline = now + StreamTimes.negotiation
    state = .greeting(until: deadline)
    switch role {
    case .initiator(let local, let remote):
      return [.write(Self.bytes { $0.write(StreamHeader(from: local, to: remote)) }), .deadline(deadline)]
    case .responder: return [.deadline(deadline)]
    }
  }

  package mutating func received(_ event: XMLEvent) -> [StreamAction] {
    switch event {
    case .opened(let root): receivedHeader(root)
    case .element(let element): receivedElement(element)
    case .closed: receivedEnd()
    }
  }

  /// What was received cannot be read on.
  package mutating func failed(_ error: XMLError) -> [StreamAction] {
    violated(StreamError(error))
  }

  /// The other side ended its half of the connection, with or without an end tag before.
  package mutating func inputEnded() -> [StreamAction] {
    switch state {
    case .idle, .greeting: end(.hungUp)
    case .open: end(.hungUp, saying: Self.farewell())
    case .closing(_, let reason, _): end(reason)
    case .closed: []
    }
  }

  /// The connection is gone, whatever else was to come.
  package mutating func shut() -> [StreamAction] {
    switch state {
    case .idle, .greeting, .open: end(.lost, disconnecting: false)
    case .closing(_, let reason, _): end(reason, disconnecting: false)
    case .closed: []
    }
  }

  /// Addresses that the stanza lacks are filled in.
  package func send(_ stanza: Stanza) -> StreamSendAction {
    switch state {
    case .open(let peer):
      var stanza = stanza
      stanza.from = stanza.from ?? peer.local
      stanza.to = stanza.to ?? peer.remote
      return .write(Self.bytes { $0.write(stanza.element) })
    case .idle, .greeting: return .tooEarly
    case .closing, .closed: return .tooLate
    }
  }

  /// Says goodbye, and why where it is for an error.
  package mutating func close(_ error: StreamError? = nil, now: NIODeadline) -> [StreamAction] {
    switch state {
    case .idle: return end(.closed(error))
    case .greeting: return end(.closed(error), saying: earlyFarewell(error))
    case .open(let peer):
      let deadline = now + StreamTimes.close
      state = .closing(peer, end: .closed(error), until: deadline)
      return [.write(Self.farewell(error)), .deadline(deadline)]
    case .closing, .closed: return []
    }
  }

  /// The deadline passed. One that was replaced meanwhile does nothing.
  package mutating func timedOut(now: NIODeadline) -> [StreamAction] {
    switch state {
    case .greeting(let until) where until <= now:
      end(.timedOut, saying: earlyFarewell(StreamError(.connectionTimeout, "no stream header in time")))
    case .closing(_, let reason, let until) where until <= now: end(reason)
    case .idle, .greeting, .open, .closing, .closed: []
    }
  }
}

/// Parts that several verbs share.
extension StreamMachine {
  /// Every way to the end comes through here, once.
  mutating func end(
    _ reason: StreamEnd, saying farewell: ByteBuffer? = nil, disconnecting: Bool = true
  ) -> [StreamAction] {
    var actions: [StreamAction] = []
    if let farewell { actions.append(.write(farewell)) }
    switch state {
    case .greeting, .closing: actions.append(.deadline(nil))
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
    case .greeting: end(.violated(error), saying: earlyFarewell(error))
    case .open: end(.violated(error), saying: Self.farewell(error))
    // We have said goodbye already, and may send nothing behind it.
    case .closing(_, let reason, _): end(reason)
    }
  }

  /// An end before the other side's header came. A responder that has to say why opens the stream for it
  /// (RFC 6120 §4.9.1.2), otherwise it has nothing to close.
  func earlyFarewell(_ error: StreamError?) -> ByteBuffer? {
    switch role {
    case .initiator: return Self.farewell(error)
    case .responder:
      guard let error else { return nil }
      return Self.bytes {
        $0.write(StreamHeader(from: configuration.node, id: configuration.streamID()))
        $0.writeImmutableBuffer(Self.farewell(error))
      }
    }
  }

  /// The end of a stream, with an error before it where there is one.
  static func farewell(_ error: StreamError? = nil) -> ByteBuffer {
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
