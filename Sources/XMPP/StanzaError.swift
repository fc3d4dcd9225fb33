package import XML

/// Why a stanza was not dealt with (RFC 6120 §8.3).
package struct StanzaError: Error, Sendable, Hashable {
  /// RFC 6120 §8.3.3.
  package enum Condition: String, Sendable, CaseIterable {
    case badRequest = "bad-request"
    case conflict
    case featureNotImplemented = "feature-not-implemented"
    case forbidden
    case gone
    case internalServerError = "internal-server-error"
    case itemNotFound = "item-not-found"
    case jidMalformed = "jid-malformed"
    case notAcceptable = "not-acceptable"
    case notAllowed = "not-allowed"
    case notAuthorized = "not-authorized"
    case policyViolation = "policy-violation"
    case recipientUnavailable = "recipient-unavailable"
    case redirect
    case registrationRequired = "registration-required"
    case remoteServerNotFound = "remote-server-not-found"
    case remoteServerTimeout = "remote-server-timeout"
    case resourceConstraint = "resource-constraint"
    case serviceUnavailable = "service-unavailable"
    case subscriptionRequired = "subscription-required"
    case undefinedCondition = "undefined-condition"
    case unexpectedRequest = "unexpected-request"
  }

  /// What the sender may do about it (RFC 6120 §8.3.2).
  package enum Kind: String, Sendable, CaseIterable {
    case auth, cancel, `continue`, modify, wait
  }

  package var condition: Condition
  package var kind: Kind
  /// For the peer's developer or user, in English.
  package var text: String?

  /// Without a kind given, the one that the RFC associates with the condition.
  package init(_ condition: Condition, _ text: String? = nil, kind: Kind? = nil) {
    self.condition = condition
    self.kind = kind ?? condition.kind
    self.text = text
  }

  /// Reads `<error/>`; what is missing or unknown becomes `undefined-condition` and the kind of the condition.
  package init(_ element: Element) {
    let conditions = element.elements.lazy.filter { $0.namespace == Namespace.stanzas }
    self.init(
      conditions.compactMap { Condition(rawValue: $0.name) }.first ?? .undefinedCondition,
      element.first("text", namespace: Namespace.stanzas)?.text,
      kind: element["type"].flatMap(Kind.init(rawValue:)))
  }

  package var element: Element {
    let text = text.map { Element("text", namespace: Namespace.stanzas, text: $0) }
    return Element(
      "error", namespace: Namespace.client, ["type": kind.rawValue],
      [Element(condition.rawValue, namespace: Namespace.stanzas)] + (text.map { [$0] } ?? []))
  }
}

extension StanzaError.Condition {
  /// RFC 6120 §8.3.3: the type that each condition is associated with; the first where it names two.
  package var kind: StanzaError.Kind {
    switch self {
    case .badRequest, .jidMalformed, .notAcceptable, .policyViolation, .redirect: .modify
    case .conflict, .featureNotImplemented, .gone, .internalServerError, .itemNotFound, .notAllowed,
      .remoteServerNotFound, .serviceUnavailable, .undefinedCondition:
      .cancel
    case .forbidden, .notAuthorized, .registrationRequired, .subscriptionRequired: .auth
    case .recipientUnavailable, .remoteServerTimeout, .resourceConstraint, .unexpectedRequest: .wait
    }
  }
}
