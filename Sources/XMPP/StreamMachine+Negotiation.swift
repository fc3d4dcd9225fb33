import NIOCore
import XML

/// The steps of negotiation, one after the other.
extension StreamMachine {
  /// Those that the stream is ready for, the preferred first.
  func steps(_ negotiation: Negotiation) -> [NegotiationStep] {
    configuration.steps.filter { $0.level == negotiation.level && (negotiation.key != nil || !$0.needsKey) }
  }

  // MARK: As initiator

  /// Asks for the first step that is offered; nil where none is.
  mutating func ask(
    _ features: StreamFeatures, as local: JID, _ negotiation: Negotiation
  ) -> [StreamAction]? {
    for step in steps(negotiation) {
      guard let request = step.request(features, as: local) else { continue }
      state = .asking(negotiation, step)
      return [.write(Self.bytes { $0.write(request) }), .deadline(negotiation.until)]
    }
    return nil
  }

  mutating func receivedAnswer(
    _ element: Element, to step: NegotiationStep, _ negotiation: Negotiation, unread: Int
  ) -> [StreamAction] {
    switch step.answer(element) {
    case .completed: completed(step, negotiation, unread: unread)
    case .insecure(let reason): insecure(reason)
    case .unauthorized(let condition): end(.unauthorized(condition), saying: farewell())
    case .stray: receivedStray(element)
    }
  }

  // MARK: As responder

  mutating func receivedRequest(
    _ element: Element, for step: NegotiationStep, on stream: StreamAttributes, _ negotiation: Negotiation, unread: Int
  ) -> [StreamAction] {
    switch step.response(to: element, from: stream.remote, isChallenged: negotiation.isChallenged) {
    case .completed(let words): return completed(step, negotiation, saying: words, unread: unread)
    case .challenge(let challenge):
      var negotiation = negotiation
      negotiation.isChallenged = true
      state = .offering(negotiation, stream)
      return [.write(Self.bytes { $0.write(challenge) })]
    case .refused(let failure): return refuse(failure, stream, negotiation)
    case .stray: return receivedStray(element)
    }
  }

  private mutating func refuse(_ failure: Element, _ stream: StreamAttributes, _ negotiation: Negotiation)
    -> [StreamAction]
  {
    var negotiation = negotiation
    negotiation.isChallenged = false
    negotiation.failedAttempts += 1
    state = .offering(negotiation, stream)
    let action = StreamAction.write(Self.bytes { $0.write(failure) })
    guard negotiation.failedAttempts == SASL.maximumFailures else { return [action] }
    return [action] + violated(StreamError(.policyViolation, "too many failures to authenticate"))
  }

  // MARK: Both

  private mutating func completed(
    _ step: NegotiationStep, _ negotiation: Negotiation, saying words: Element? = nil, unread: Int
  ) -> [StreamAction] {
    guard unread == 0 else { return violated(StreamError(.policyViolation, step.trailingBytes)) }
    let last = words.map { words in [StreamAction.write(Self.bytes { $0.write(words) })] } ?? []
    switch step.continuation {
    case .handshake:
      state = .securing(negotiation)
      return last + [.startTLS]
    case .newStream(let level):
      var negotiation = negotiation
      negotiation.level = level
      return last + [.restart] + greet(negotiation)
    }
  }

  /// The handshake is done. `key`: SHA-256 of the SubjectPublicKeyInfo that the other side has shown to be its own; nil where
  /// it is a client that showed none.
  package mutating func secured(key: [UInt8]?) -> [StreamAction] {
    guard case .securing(var negotiation) = state else { return [] }
    negotiation.level = .encrypted
    negotiation.key = key
    return greet(negotiation)
  }

  /// The handshake failed, or what came later over TLS cannot be trusted. Nothing can be said any more.
  package mutating func tlsFailed(_ reason: String) -> [StreamAction] {
    switch state {
    case .securing: end(.insecure(.handshake(reason)))
    case .greeting, .awaitingFeatures, .asking, .offering, .open: end(.lost)
    case .closing(_, let reason, _): end(reason)
    case .idle, .closed: []
    }
  }
}
