import Codecs

/// An address: `localpart@domainpart/resourcepart` (RFC 7622).
///
/// The bare part is kept as text, since names on the link may lack the `@`, or hold spaces, `#2` or UTF-8 (XEP-0174 §3).
/// Two addresses are equal when the ASCII letters of their bare parts agree without regard to case, as DNS labels compare
/// (RFC 6762 §16), and their resources agree exactly (RFC 7622 §3.4).
package struct JID: Sendable {
  private let bareText: String
  /// nil for a bare address.
  package let resource: String?
  /// The bare part in small letters; the same string as `bareText` where that has no capitals.
  private let folded: String

  /// The most bytes of each part (RFC 7622 §3.1).
  private static let maximumPartLength = 1023

  /// Reads an address: the resource is behind the first `/` that follows an `@`. A `/` in a name without `@` belongs to the
  /// name, and an empty resource counts as none.
  ///
  /// Fails where `bare` is nothing that `init(bare:)` takes, or the resource is too long or has control characters.
  package init?(_ text: String) {
    let bytes = text.utf8
    let slash = bytes.firstIndex(of: UInt8(ascii: "@")).flatMap { bytes[$0...].firstIndex(of: UInt8(ascii: "/")) }
    guard let slash else {
      self.init(bare: text)
      return
    }
    let resource = String(text[bytes.index(after: slash)...])
    guard resource.isEmpty || Self.isPart(resource.utf8) else { return nil }
    self.init(bareText: String(text[..<slash]), resource: resource.isEmpty ? nil : resource)
  }

  /// All of `text` as a bare address. Fails where it is empty, has control characters, or a part is longer than 1023 bytes.
  package init?(bare text: String) {
    self.init(bareText: text, resource: nil)
  }

  /// `localpart@domainpart`
  package init?(localpart: String, domainpart: String) {
    self.init(bare: "\(localpart)@\(domainpart)")
  }

  private init?(bareText: String, resource: String?) {
    let bytes = bareText.utf8
    let at = bytes.lastIndex(of: UInt8(ascii: "@"))
    let isValid = at.map { Self.isPart(bytes[..<$0]) && Self.isPart(bytes[$0...].dropFirst()) } ?? Self.isPart(bytes)
    guard !bytes.isEmpty, isValid else { return nil }
    self.bareText = bareText
    self.resource = resource
    folded = bareText.asciiLowercased
  }

  private init(bareText: String, folded: String) {
    (self.bareText, self.folded, resource) = (bareText, folded, nil)
  }

  private static func isPart(_ bytes: some Collection<UInt8>) -> Bool {
    bytes.count <= maximumPartLength && !bytes.contains { $0 < 0x20 || $0 == 0x7F }
  }

  /// As it was written, with the resource where there is one.
  package var text: String { resource.map { "\(bareText)/\($0)" } ?? bareText }

  /// The same address without the resource.
  package var bare: JID { resource == nil ? self : JID(bareText: bareText, folded: folded) }

  /// Before the last `@` of the bare part; nil where there is none.
  package var localpart: String? {
    bareText.utf8.lastIndex(of: UInt8(ascii: "@")).map { String(bareText[..<$0]) }
  }

  /// Behind the last `@` of the bare part, or all of it where there is none.
  package var domainpart: String {
    guard let at = bareText.utf8.lastIndex(of: UInt8(ascii: "@")) else { return bareText }
    return String(bareText[bareText.utf8.index(after: at)...])
  }
}

extension JID: Hashable, Comparable, CustomStringConvertible {
  package static func == (a: JID, b: JID) -> Bool { a.folded == b.folded && a.resource == b.resource }
  package static func < (a: JID, b: JID) -> Bool {
    (a.folded, a.resource ?? "") < (b.folded, b.resource ?? "")
  }
  package func hash(into hasher: inout Hasher) {
    hasher.combine(folded)
    hasher.combine(resource)
  }
  package var description: String { text }
}
