import NIOCore
import XML

/// STARTTLS (RFC 6120 §5).
extension StreamMachine {
  /// The handshake is done. `key`: SHA-256 of the SubjectPublicKeyInfo that the other side has shown to be its own.
  package mutating func secured(key: [UInt8]) -> [StreamAction] {
    guard case .securing(var negotiation) = state else { return [] }
    negotiation.security = .encrypted(key: key)
    return greet(negotiation)
  }

  /// The handshake failed, or what came later over TLS cannot be trusted. Nothing can be said any more.
  package mutating func tlsFailed(_ reason: String) -> [StreamAction] {
    switch state {
    case .securing: end(.insecure(.handshake(reason)))
    case .greeting, .awaitingFeatures, .askingForTLS, .authenticating, .offering, .open: end(.lost)
    case .closing(_, let reason, _): end(reason)
    case .idle, .closed: []
    }
  }

  /// As initiator.
  mutating func askForTLS(_ negotiation: Negotiation) -> [StreamAction] {
    state = .askingForTLS(negotiation)
    let command = Element("starttls", namespace: Namespace.tls)
    return [.write(Self.bytes { $0.write(command) }), .deadline(negotiation.until)]
  }

  /// As initiator.
  mutating func receivedInsteadOfTLS(
    _ element: Element, _ negotiation: Negotiation, unread: Int
  ) -> [StreamAction] {
    switch (element.name, element.namespace) {
    case ("proceed", Namespace.tls): startTLS(negotiation, unread: unread)
    case ("failure", Namespace.tls): insecure(.refused)
    case (_, _): receivedStray(element)
    }
  }

  /// As responder.
  mutating func receivedTLS(_ element: Element, _ negotiation: Negotiation, unread: Int) -> [StreamAction] {
    guard element.name == "starttls" else { return receivedStray(element) }
    let proceed = Element("proceed", namespace: Namespace.tls)
    return startTLS(negotiation, saying: Self.bytes { $0.write(proceed) }, unread: unread)
  }

  /// Plaintext behind `<starttls/>` or `<proceed/>` is not the other side's: it waits for our part of the handshake. Who
  /// put it there wants it to be taken for what came over TLS (RFC 6120 §5.3.3 forbids even space).
  private mutating func startTLS(
    _ negotiation: Negotiation, saying proceed: ByteBuffer? = nil, unread: Int
  ) -> [StreamAction] {
    guard unread == 0 else { return violated(StreamError(.policyViolation, "plaintext behind the start of TLS")) }
    state = .securing(negotiation)
    return (proceed.map { [.write($0)] } ?? []) + [.startTLS]
  }
}
