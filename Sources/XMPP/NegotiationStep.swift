import XML

/// A step of negotiation (RFC 6120 §4.3): what it looks for in the other side's features, what it says, and how it reads
/// what it is told. The stream machine takes those that its configuration names, in either role.
///
/// Each further SASL mechanism and resource binding (RFC 6120 §7) are cases beside these, with the values that they need.
package enum NegotiationStep: Sendable, Hashable {
  /// RFC 6120 §5. Where it is required, no stanza passes without, nor without a key of the other side.
  case startTLS(isRequired: Bool)
  /// SASL EXTERNAL (RFC 6120 §6, XEP-0178). The handshake has shown the key, and nothing is learnt here that it has not:
  /// the step is for peers that insist on it.
  case external

  /// What is negotiated between two devices on the link.
  package static func link(tls: TLSPolicy) -> [NegotiationStep] {
    switch tls {
    case .none: []
    case .preferred: [.startTLS(isRequired: false), .external]
    case .required: [.startTLS(isRequired: true), .external]
    }
  }

  /// How far a stream has come that is not open yet.
  enum Level { case plaintext, encrypted, authenticated }

  /// Where a stream has to stand for this step.
  var level: Level {
    switch self {
    case .startTLS: .plaintext
    case .external: .encrypted
    }
  }

  /// Whether it is for a stream whose other side has shown a key.
  var needsKey: Bool {
    switch self {
    case .startTLS: false
    case .external: true
    }
  }

  /// What comes when it is done. A new stream begins in either case.
  enum Continuation {
    case handshake
    case newStream(Level)
  }

  var continuation: Continuation {
    switch self {
    case .startTLS: .handshake
    case .external: .newStream(.authenticated)
    }
  }

  /// What is wrong where bytes came along with its end.
  ///
  /// Plaintext behind `<starttls/>` or `<proceed/>` is not the other side's: it waits for our part of the handshake. Who put
  /// it there wants it to be taken for what came over TLS (RFC 6120 §5.3.3 forbids even space). Behind SASL the initiator
  /// begins a new stream once it has been told (RFC 6120 §6.4.6): what came before that would be lost.
  var trailingBytes: String {
    switch self {
    case .startTLS: "plaintext behind the start of TLS"
    case .external: "bytes behind the end of SASL"
    }
  }
}

// MARK: As initiator

extension NegotiationStep {
  /// What the other side's answer means.
  enum Answer {
    case completed
    case insecure(Insecurity)
    case unauthorized(SASL.Condition)
    /// It is about something else.
    case stray
  }

  /// The words that ask for this step, as `local`; nil where it is not offered.
  func request(_ features: StreamFeatures, as local: JID) -> Element? {
    switch self {
    case .startTLS: features.startTLS == .none ? nil : Element("starttls", namespace: Namespace.tls)
    case .external: features.mechanisms.contains(SASL.external) ? SASL.auth(as: local) : nil
    }
  }

  func answer(_ element: Element) -> Answer {
    switch (self, element.namespace, element.name) {
    case (.startTLS, Namespace.tls, "proceed"), (.external, Namespace.sasl, "success"): .completed
    case (.startTLS, Namespace.tls, "failure"): .insecure(.refused)
    case (.external, Namespace.sasl, "failure"): .unauthorized(SASL.condition(element))
    case (.startTLS, _, _), (.external, _, _): .stray
    }
  }
}

// MARK: As responder

extension NegotiationStep {
  /// What comes of the other side's request.
  enum Response {
    case completed(saying: Element)
    /// The other side has the next word, about this step.
    case challenge(Element)
    /// Not this way; the other side may try again.
    case refused(Element)
    /// It is about something else.
    case stray
  }

  func offer(in features: inout StreamFeatures) {
    switch self {
    case .startTLS(let isRequired): features.startTLS = isRequired ? .required : .offered
    case .external: features.mechanisms.append(SASL.external)
    }
  }

  /// Whether an element is for this step to answer.
  func concerns(_ element: Element) -> Bool {
    switch self {
    case .startTLS: element.namespace == Namespace.tls
    case .external: element.namespace == Namespace.sasl
    }
  }

  /// - Parameters:
  ///   - peer: as whom the other side opened the stream.
  ///   - isChallenged: whether the last response was a challenge.
  func response(to element: Element, from peer: JID?, isChallenged: Bool) -> Response {
    switch self {
    case .startTLS:
      element.name == "starttls" ? .completed(saying: Element("proceed", namespace: Namespace.tls)) : .stray
    case .external: SASL.response(to: element, from: peer, isChallenged: isChallenged)
    }
  }
}
