import XML
import XMPP

/// The `sid` of a bytestream, or the `streamId` of a row of chunks.
enum Identifier {
  /// The attribute's value, refused where it is missing, empty or unreasonably long.
  ///
  /// Foreign ones are not held to be an NMTOKEN (XEP-0047 §2.1): whoever compares and quotes them needs no such thing.
  static func read(_ attribute: String, of element: Element) throws(UnreadableElement) -> String {
    guard let value = element[attribute], !value.isEmpty, value.utf8.count <= BytestreamLimits.identifierBytes
    else { throw UnreadableElement(transfer: nil, refusal(.badRequest, "\(element.name) needs a \(attribute)")) }
    return value
  }
}

/// XEP-0047 §2.2 gives every refusal of its own the type `cancel`.
func refusal(_ condition: StanzaError.Condition, _ text: String) -> StanzaError {
  StanzaError(condition, text, kind: .cancel)
}

/// `true`, `1`, `false`, `0` (XML Schema Part 2 §3.2.2), nil for anything else.
func schemaBoolean(_ text: String) -> Bool? {
  switch text {
  case "true", "1": true
  case "false", "0": false
  default: nil
  }
}
