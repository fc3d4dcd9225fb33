package import XML
import XMPP

/// A node's new key, signed by its old one.
///
/// The new key is proven by the TLS stream that brings the statement: one that comes over a stream with another key
/// is refused.
package struct KeyRotation: Sendable, Hashable {
  /// DER SubjectPublicKeyInfo.
  package let old: [UInt8]
  package let new: [UInt8]
  /// By the old key, of `statement(old:new:)`.
  package let signature: [UInt8]

  package init(old: [UInt8], new: [UInt8], signature: [UInt8]) {
    self.old = old
    self.new = new
    self.signature = signature
  }

  /// The bytes to sign: a label that no other signature of this key begins with, then both keys with their lengths.
  package static func statement(old: [UInt8], new: [UInt8]) -> [UInt8] {
    Array("hearth key rotation 1\0".utf8) + lengthPrefixed(old) + lengthPrefixed(new)
  }

  private static func lengthPrefixed(_ bytes: [UInt8]) -> [UInt8] {
    withUnsafeBytes(of: UInt32(bytes.count).bigEndian, Array.init) + bytes
  }

  package func isValid(_ cryptography: Cryptography) -> Bool {
    old != new && cryptography.verify(signature, Self.statement(old: old, new: new), old)
  }

  /// The id that the chain leads to from `id`; nil where a link is missing, forged, or there are too many. A friend
  /// who was away for several changes needs all of them; links before the one that begins with `id` are skipped.
  static func successor(of id: NodeID, along chain: [KeyRotation], _ cryptography: Cryptography) -> NodeID? {
    guard chain.count <= TrustLimits.rotations,
      let start = chain.firstIndex(where: { cryptography.id(ofKey: $0.old) == id })
    else { return nil }
    var key = chain[start].old
    for link in chain[start...] {
      guard link.old == key, link.isValid(cryptography) else { return nil }
      key = link.new
    }
    return cryptography.id(ofKey: key)
  }
}

/// `<rotation xmlns='urn:hearth:rotation:1'>` with one `<link/>` a change, oldest first; all values in base64.
extension KeyRotation {
  package static func element(_ chain: [KeyRotation]) -> Element {
    Element(
      "rotation", namespace: Namespace.rotation, [:],
      chain.map { link in
        Element(
          "link", namespace: Namespace.rotation, [:],
          [("old", link.old), ("new", link.new), ("signature", link.signature)].map {
            Element($0, namespace: Namespace.rotation, text: Binary.text($1))
          })
      })
  }

  /// Empty where any link cannot be read, or there are too many.
  package static func chain(_ element: Element) -> [KeyRotation] {
    let links = element.elements.filter { $0.is("link", Namespace.rotation) }
    guard links.count <= TrustLimits.rotations else { return [] }
    let chain = links.compactMap { link -> KeyRotation? in
      func part(_ name: String) -> [UInt8]? { Binary.bytes(link.first(name)?.text, 1...TrustLimits.keyBytes) }
      guard let old = part("old"), let new = part("new"), let signature = part("signature") else { return nil }
      return KeyRotation(old: old, new: new, signature: signature)
    }
    return chain.count == links.count ? chain : []
  }
}
