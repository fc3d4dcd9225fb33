package import NIOCore
package import XML

/// The life of one stream between two devices (RFC 6120 §§4–6, XEP-0174 §§6–8, XEP-0178), for both sides.
///
/// `idle` until the connection stands, then `greeting` until the other side's header comes; an initiator has sent its own
/// by then, a responder has not. What follows is negotiation, all of it under one deadline:
///
///     initiator                                     responder
///     greeting ─ awaitingFeatures ─ asking ─┐       greeting ─ offering ─┐
///        ├──────────── securing ────────────┤          ├──── securing ───┤
///        └──────────────────────────────────┘          └─────────────────┘
///
/// `asking` and `offering` are about the steps of the configuration, whatever these are: an initiator takes one that the
/// other side offers, a responder offers all that the stream is ready for. `securing` comes behind STARTTLS. Each `greeting`
/// is a new stream on the same connection; when no step is left, the stream opens. Peers from before XMPP 1.0 have nothing
/// to negotiate, others may leave steps out: from `awaitingFeatures` and `offering` a stream opens as it is when the other
/// side goes on without, unless TLS is required and there is none, or no key came with it.
///
/// `open` while stanzas flow. `closing` from our end tag to the other side's, with a deadline; stanzas are still received.
/// `closed` is the end, and `closed` the last action.
package struct StreamMachine: ~Copyable {
  package enum Role: Sendable, Hashable {
    case initiator(local: JID, remote: JID)
    case responder
  }

  enum State {
    case idle
    case greeting(Negotiation)
    /// An initiator has the other side's header.
    case awaitingFeatures(Negotiation, StreamAttributes, until: NIODeadline)
    /// An initiator has asked for a step.
    case asking(Negotiation, NegotiationStep)
    /// The TLS handshake: nothing is read or written here.
    case securing(Negotiation)
    /// A responder has sent header and features: a step may be asked for, or a stanza may come.
    case offering(Negotiation, StreamAttributes)
    case open(StreamAttributes)
    case closing(StreamAttributes, end: StreamEnd, until: NIODeadline)
    case closed
  }

  /// How far a stream has come that is not open yet.
  struct Negotiation {
    let until: NIODeadline
    var level = NegotiationStep.Level.plaintext
    /// Who the other side is; nil in plaintext, and where it is a client without certificate.
    var key: [UInt8]?
    /// A responder waits for what should have come with `<auth/>`.
    var isChallenged = false
    var failedAttempts = 0
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
    case .idle, .greeting, .awaitingFeatures, .asking, .securing, .offering, .closing, .closed:
      false
    }
  }

  /// Whether the next element may be a stanza that counts: then what the features advertise as limits has to hold for it.
  package var takesStanzas: Bool {
    switch state {
    case .open: true
    case .awaitingFeatures, .offering: !configuration.steps.contains(.startTLS(isRequired: true))
    case .idle, .greeting, .asking, .securing, .closing, .closed: false
    }
  }

  /// The connection stands.
  package mutating func connected(now: NIODeadline) -> [StreamAction] {
    guard case .idle = state else { return [] }
    let negotiation = Negotiation(until: now + StreamTimes.negotiation)
    return greet(negotiation) + [.deadline(negotiation.until)]
  }

  /// `unread`: how many bytes came with this event that the reader has not looked at yet. They would end up on the wrong
  /// side of a new stream, so there must be none where one begins.
  package mutating func received(_ event: XMLEvent, unread: Int, now: NIODeadline) -> [StreamAction] {
    switch event {
    case .opened(let root): receivedHeader(root, now: now)
    case .element(let element): receivedElement(element, unread: unread)
    case .closed: receivedEnd()
    }
  }

  /// The stanza that this is, on an open stream, where nearly all that comes is one: it changes nothing here, so that `received`
  /// need not be told of it. nil for all else.
  package func stanza(_ event: XMLEvent) -> Stanza? {
    guard case .open(let stream) = state, case .element(let element) = event else { return nil }
    return stanza(element, on: stream)
  }

  /// What was received cannot be read on.
  package mutating func failed(_ error: XMLError) -> [StreamAction] {
    violated(StreamError(error))
  }

  /// The other side ended its half of the connection, with or without an end tag before.
  package mutating func inputEnded() -> [StreamAction] {
    switch state {
    case .idle, .greeting: end(.hungUp)
    case .awaitingFeatures, .asking, .securing, .offering, .open:
      end(.hungUp, saying: farewell())
    case .closing(_, let reason, _): end(reason)
    case .closed: []
    }
  }

  /// The connection is gone, whatever else was to come.
  package mutating func shut() -> [StreamAction] {
    switch state {
    case .idle, .greeting, .awaitingFeatures, .asking, .securing, .offering, .open:
      end(.lost, disconnecting: false)
    case .closing(_, let reason, _): end(reason, disconnecting: false)
    case .closed: []
    }
  }

  /// Addresses that the stanza lacks are filled in.
  package func send(_ stanza: Stanza) -> StreamSendAction {
    switch state {
    case .open(let stream):
      var stanza = stanza
      stanza.from = stanza.from ?? stream.local
      stanza.to = stanza.to ?? stream.remote
      return .write(Self.bytes { $0.write(stanza.element) })
    case .idle, .greeting, .awaitingFeatures, .asking, .securing, .offering: return .tooEarly
    case .closing, .closed: return .tooLate
    }
  }

  /// Says goodbye, and why where it is for an error.
  package mutating func close(_ error: StreamError? = nil, now: NIODeadline) -> [StreamAction] {
    switch state {
    case .idle, .greeting, .awaitingFeatures, .asking, .securing, .offering:
      return end(.closed(error), saying: farewell(error))
    case .open(let stream):
      let deadline = now + StreamTimes.close
      state = .closing(stream, end: .closed(error), until: deadline)
      return [.write(Self.streamEnd(error)), .deadline(deadline)]
    case .closing, .closed: return []
    }
  }

  /// The deadline passed. One that was replaced meanwhile does nothing.
  package mutating func timedOut(now: NIODeadline) -> [StreamAction] {
    switch state {
    case .greeting(let negotiation) where negotiation.until <= now,
      .asking(let negotiation, _) where negotiation.until <= now:
      end(.timedOut, saying: farewell(StreamError(.connectionTimeout, "negotiation was not finished in time")))
    case .awaitingFeatures(_, let stream, let until) where until <= now: open(stream, orElse: .noFeatures)
    case .securing(let negotiation) where negotiation.until <= now: tlsFailed("it was not finished in time")
    // Who stays silent has nothing to negotiate.
    case .offering(let negotiation, let stream) where negotiation.until <= now: open(stream, orElse: .declined)
    case .closing(_, let reason, let until) where until <= now: end(reason)
    case .idle, .greeting, .awaitingFeatures, .asking, .securing, .offering, .open, .closing,
      .closed:
      []
    }
  }
}
