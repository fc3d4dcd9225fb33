/// The functions that this module needs and does not have itself.
package struct Cryptography: Sendable {
  /// SHA-256 (FIPS 180-4): 32 bytes.
  package let sha256: @Sendable ([UInt8]) -> [UInt8]
  /// Whether `signature` is one of `message` by the key in `spki` (DER SubjectPublicKeyInfo).
  package let verify: @Sendable (_ signature: [UInt8], _ message: [UInt8], _ spki: [UInt8]) -> Bool

  package init(
    sha256: @escaping @Sendable ([UInt8]) -> [UInt8],
    verify: @escaping @Sendable (_ signature: [UInt8], _ message: [UInt8], _ spki: [UInt8]) -> Bool
  ) {
    self.sha256 = sha256
    self.verify = verify
  }

  /// The id of the node that has this key; nil only where `sha256` is none.
  package func id(ofKey spki: [UInt8]) -> NodeID? {
    NodeID(digest: sha256(spki))
  }
}
