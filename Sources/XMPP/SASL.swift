import Codecs
package import XML

/// What SASL says in XMPP (RFC 6120 §6), and its mechanism EXTERNAL, which says that the TLS handshake has shown who we are
/// (RFC 4422 appendix A, XEP-0178).
package enum SASL {
  /// RFC 6120 §6.5.
  package enum Condition: String, Error, Sendable, CaseIterable {
    case aborted
    case accountDisabled = "account-disabled"
    case credentialsExpired = "credentials-expired"
    case encryptionRequired = "encryption-required"
    case incorrectEncoding = "incorrect-encoding"
    case invalidAuthzid = "invalid-authzid"
    case invalidMechanism = "invalid-mechanism"
    case malformedRequest = "malformed-request"
    case mechanismTooWeak = "mechanism-too-weak"
    case notAuthorized = "not-authorized"
    case temporaryAuthFailure = "temporary-auth-failure"
  }

  static let external = "EXTERNAL"
  static let success = Element("success", namespace: Namespace.sasl)
  /// Asks for the response that a client did not send with `<auth/>`.
  static let challenge = Element("challenge", namespace: Namespace.sasl)

  static func auth(as authzid: JID) -> Element {
    let response = Base64.encode(Array(authzid.text.utf8))
    return Element("auth", namespace: Namespace.sasl, ["mechanism": external], text: response)
  }

  static func failure(_ condition: Condition) -> Element {
    Element("failure", namespace: Namespace.sasl, [:], [Element(condition.rawValue, namespace: Namespace.sasl)])
  }

  /// What a `<failure/>` says; a condition that is missing or unknown becomes `not-authorized`.
  package static func condition(_ failure: Element) -> Condition {
    failure.elements.lazy.compactMap { Condition(rawValue: $0.name) }.first ?? .notAuthorized
  }

  /// The bytes that a response stands for: base64, where `=` is none at all (RFC 6120 §6.4.2). Throws
  /// `incorrect-encoding`.
  package static func decode(_ response: String) throws(Condition) -> [UInt8] {
    guard response != "=" else { return [] }
    guard let bytes = Base64.decodeCanonical(response) else { throw .incorrectEncoding }
    return bytes
  }
}
