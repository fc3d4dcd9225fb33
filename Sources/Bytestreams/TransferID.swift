/// How a body travels beside the stanza that announces it, and the name it has there.
package struct TransferID: Hashable, Sendable {
  package enum Mechanism: Sendable {
    /// XEP-0047.
    case ibb
    /// `chunkedBase64` (XEP-0332 §4.2.5).
    case chunks
  }

  package let mechanism: Mechanism
  /// `sid` or `streamId`.
  package let name: String

  package init(_ mechanism: Mechanism, _ name: String) {
    self.mechanism = mechanism
    self.name = name
  }
}
