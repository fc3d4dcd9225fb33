/// Why a stream cannot be read on. Nothing that follows it on the wire is looked at.
package struct XMLError: Error, Hashable, Sendable {
  package enum Limit: String, Hashable, Sendable {
    case stanzaBytes = "bytes in a stanza"
    case elements = "elements in a stanza"
    case depth = "elements inside each other"
    case attributes = "attributes of an element"
    case names = "different names in a stream"
  }

  package enum Code: Hashable, Sendable {
    /// Not XML, not namespace-well-formed, or not UTF-8.
    case notWellFormed
    /// A DTD, comment, processing instruction, or an entity other than the five (RFC 6120 §11.1).
    case restricted
    case tooLarge(Limit)
    /// Another encoding than UTF-8, by the declaration or by the first bytes (RFC 6120 §11.6).
    case unsupportedEncoding
    /// Text other than whitespace between stanzas.
    case invalidText
  }

  package let code: Code
  /// For logs and for the peer's developer.
  package let message: String

  package init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  /// By what the declaration names, or by a beginning that one in UTF-16 has.
  static let notUTF8 = XMLError(.unsupportedEncoding, "a stream is in UTF-8")

  static func tooLarge(_ limit: Limit, _ maximum: Int) -> XMLError {
    XMLError(.tooLarge(limit), "more than \(maximum) \(limit.rawValue)")
  }
}
