import NIOCore
import XML

/// SASL EXTERNAL (RFC 6120 §6, XEP-0178). The handshake has shown the key, and nothing is learnt here that it has not:
/// the steps are for peers that insist on them.
extension StreamMachine {
  // MARK: As initiator

  mutating func authenticate(_ negotiation: Negotiation, as local: JID) -> [StreamAction] {
    state = .authenticating(negotiation)
    return [.write(Self.bytes { $0.write(SASL.auth(as: local)) }), .deadline(negotiation.until)]
  }

  mutating func receivedOutcome(_ element: Element, _ negotiation: Negotiation, unread: Int) -> [StreamAction] {
    switch (element.name, element.namespace) {
    case ("success", Namespace.sasl): restart(negotiation, unread: unread)
    case ("failure", Namespace.sasl): end(.unauthorized(SASL.condition(element)), saying: farewell())
    case (_, _): receivedStray(element)
    }
  }

  // MARK: As responder

  mutating func receivedSASL(
    _ element: Element, from peer: Peer, _ negotiation: Negotiation, unread: Int
  ) -> [StreamAction] {
    do throws(SASL.Condition) {
      switch element.name {
      case "auth":
        guard element["mechanism"] == SASL.external else { throw .invalidMechanism }
        guard !element.text.isEmpty else { return challenge(peer, negotiation) }
      case "response" where negotiation.isChallenged: break
      case "abort": throw .aborted
      default: return receivedStray(element)
      }
      try authorize(SASL.decode(element.text), peer)
      return restart(negotiation, saying: Self.bytes { $0.write(SASL.success) }, unread: unread)
    } catch {
      return refuse(error, peer, negotiation)
    }
  }

  /// EXTERNAL begins with the client: who did not is asked to (RFC 6120 §6.4.2).
  private mutating func challenge(_ peer: Peer, _ negotiation: Negotiation) -> [StreamAction] {
    var negotiation = negotiation
    negotiation.isChallenged = true
    state = .offering(negotiation, peer)
    return [.write(Self.bytes { $0.write(SASL.challenge) })]
  }

  /// Nobody acts for another here: the identity to be, where one is named, is the one in the header.
  private func authorize(_ authzid: [UInt8], _ peer: Peer) throws(SASL.Condition) {
    guard !authzid.isEmpty else { return }
    guard let authzid = String(validating: authzid, as: UTF8.self).flatMap({ JID($0) }), authzid.bare == peer.remote
    else { throw .invalidAuthzid }
  }

  private mutating func refuse(
    _ condition: SASL.Condition, _ peer: Peer, _ negotiation: Negotiation
  ) -> [StreamAction] {
    var negotiation = negotiation
    negotiation.isChallenged = false
    negotiation.failedAttempts += 1
    state = .offering(negotiation, peer)
    let failure = StreamAction.write(Self.bytes { $0.write(SASL.failure(condition)) })
    guard negotiation.failedAttempts == SASL.maximumFailures else { return [failure] }
    return [failure] + violated(StreamError(.policyViolation, "too many failures to authenticate"))
  }

  // MARK: Both

  /// A new stream follows, which the initiator begins once it has been told (RFC 6120 §6.4.6): what came before that would
  /// be lost.
  private mutating func restart(
    _ negotiation: Negotiation, saying success: ByteBuffer? = nil, unread: Int
  ) -> [StreamAction] {
    guard unread == 0 else { return violated(StreamError(.policyViolation, "bytes behind the end of SASL")) }
    var negotiation = negotiation
    negotiation.security = negotiation.key.map { .authenticated(key: $0) } ?? .plaintext
    return (success.map { [.write($0)] } ?? []) + [.restart] + greet(negotiation)
  }
}
