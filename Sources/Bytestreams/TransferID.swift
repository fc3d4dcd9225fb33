/// How a body travels beside the stanza that announces it, and the name it has there.
package struct TransferID: Hashable, Sendable {
  package enum Mechanism: Sendable {
    /// XEP-0047.
    case ibb
    /// `chunkedBase64` (XEP-0332 §4.2.5).
    case chunks
    /// Published (XEP-0137), by the id of the publication: until it is known by which name its bytestream comes.
    case sipub
    /// Offered in a Jingle session (XEP-0166), by the name of that.
    case jingle
  }

  package let mechanism: Mechanism
  /// `sid`, `streamId` or `id`.
  package let name: String

  package init(_ mechanism: Mechanism, _ name: String) {
    self.mechanism = mechanism
    self.name = name
  }
}
