package import XML

/// Why a stream has to end (RFC 6120 §4.9).
package struct StreamError: Error, Sendable, Hashable {
  /// RFC 6120 §4.9.3.
  package enum Condition: String, Sendable, CaseIterable {
    case badFormat = "bad-format"
    case badNamespacePrefix = "bad-namespace-prefix"
    case conflict
    case connectionTimeout = "connection-timeout"
    case hostGone = "host-gone"
    case hostUnknown = "host-unknown"
    case improperAddressing = "improper-addressing"
    case internalServerError = "internal-server-error"
    case invalidFrom = "invalid-from"
    case invalidNamespace = "invalid-namespace"
    case invalidXML = "invalid-xml"
    case notAuthorized = "not-authorized"
    case notWellFormed = "not-well-formed"
    case policyViolation = "policy-violation"
    case remoteConnectionFailed = "remote-connection-failed"
    case reset
    case resourceConstraint = "resource-constraint"
    case restrictedXML = "restricted-xml"
    case seeOtherHost = "see-other-host"
    case systemShutdown = "system-shutdown"
    case undefinedCondition = "undefined-condition"
    case unsupportedEncoding = "unsupported-encoding"
    case unsupportedFeature = "unsupported-feature"
    case unsupportedStanzaType = "unsupported-stanza-type"
    case unsupportedVersion = "unsupported-version"
  }

  package var condition: Condition
  /// For the peer's developer, in English.
  package var text: String?

  package init(_ condition: Condition, _ text: String? = nil) {
    self.condition = condition
    self.text = text
  }

  /// What to tell a peer whose bytes cannot be read on.
  package init(_ error: XMLError) {
    switch error.code {
    case .notWellFormed: self.init(.notWellFormed, error.message)
    case .restricted: self.init(.restrictedXML, error.message)
    case .unsupportedEncoding: self.init(.unsupportedEncoding, error.message)
    case .tooLarge: self.init(.policyViolation, error.message)
    case .invalidText: self.init(.badFormat, error.message)
    }
  }

  /// Reads `<stream:error/>`; a condition that is missing or unknown becomes `undefined-condition`.
  package init(_ element: Element) {
    let conditions = element.elements.lazy.filter { $0.namespace == Namespace.streamErrors }
    self.init(
      conditions.compactMap { Condition(rawValue: $0.name) }.first ?? .undefinedCondition,
      element.first("text", namespace: Namespace.streamErrors)?.text)
  }

  package var element: Element {
    let text = text.map { Element("text", namespace: Namespace.streamErrors, text: $0) }
    return Element(
      "error", namespace: Namespace.streams, [:],
      [Element(condition.rawValue, namespace: Namespace.streamErrors)] + (text.map { [$0] } ?? []))
  }
}
