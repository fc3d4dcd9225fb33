/// The address of a device on the link: its DNS-SD instance name, `user@machine` (XEP-0174 §3).
///
/// The whole instance label is the address: foreign names may lack the `@`, or hold spaces, `#2` or UTF-8.
/// There is no resource part. Two addresses are equal when their ASCII letters agree without regard to case,
/// as DNS labels compare (RFC 6762 §16).
package struct JID: Sendable {
  /// As announced, at most `maximumLength` bytes.
  package let text: String
  private let folded: String

  /// The longest DNS label, in bytes (RFC 1035 §2.3.4).
  package static let maximumLength = 63

  /// Fails where the text could be no DNS-SD instance name: empty, longer than 63 bytes, or with control characters.
  package init?(_ text: String) {
    let bytes = text.utf8
    guard !bytes.isEmpty, bytes.count <= Self.maximumLength, !bytes.contains(where: { $0 < 0x20 || $0 == 0x7F })
    else { return nil }
    self.text = text
    self.folded = String(decoding: bytes.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }, as: UTF8.self)
  }

  /// `user@machine`; nil where that would be no instance name.
  package init?(user: String, machine: String) {
    self.init("\(user)@\(machine)")
  }

  /// Before the last `@`, or all of it where there is none.
  package var user: String {
    text.lastIndex(of: "@").map { String(text[..<$0]) } ?? text
  }

  /// Behind the last `@`, nil where there is none.
  package var machine: String? {
    text.lastIndex(of: "@").map { String(text[text.index(after: $0)...]) }
  }
}

extension JID: Hashable, Comparable, CustomStringConvertible {
  package static func == (a: JID, b: JID) -> Bool { a.folded == b.folded }
  package static func < (a: JID, b: JID) -> Bool { a.folded < b.folded }
  package func hash(into hasher: inout Hasher) { hasher.combine(folded) }
  package var description: String { text }
}
