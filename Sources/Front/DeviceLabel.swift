import Codecs
package import XMPP

/// The DNS label by which browsers name a device: `thermostat--pi` in `http://thermostat--pi.localhost:8332/`.
///
/// One label is one origin and one site. Equal addresses have equal labels, different addresses different ones. An
/// address that cannot be written plainly is escaped: `x--` and its base32 (RFC 4648 §6, small letters, no padding); where
/// that is longer than a label, the end of it is replaced by `-` and the SHA-1 of the address, which cannot be undone.
package enum DeviceLabel {
  private static let separator = "--"
  private static let escape = "x--"
  /// Characters of a SHA-1 in base32. A device that wants another's label has to find a second preimage of all of it.
  private static let hashLength = 32

  package static func label(of jid: JID) -> String {
    plain(jid) ?? escaped(jid)
  }

  /// nil where the label stands for no address, or for one too long to be recovered: compare the labels of known ones.
  package static func jid(ofLabel label: String) -> JID? {
    guard let jid = label.hasPrefix(escape) ? unescaped(label) : split(label), self.label(of: jid) == label
    else { return nil }
    return jid
  }

  private static func plain(_ jid: JID) -> String? {
    guard let localpart = jid.localpart else { return nil }
    let (user, folded) = (localpart.asciiLowercased, jid.domainpart.asciiLowercased)
    let label = user + separator + folded
    guard isPlain(user), isPlain(folded), label.utf8.count <= DNSLabel.maximumLength else { return nil }
    // `x--` begins what is escaped, `xn--` what browsers decode as punycode (RFC 5890 §2.3.2.1).
    return user == "x" || user == "xn" ? nil : label
  }

  /// Letters, digits and single hyphens inside: so the first two hyphens of a label are the separator.
  private static func isPlain(_ part: String) -> Bool {
    guard let first = part.utf8.first, let last = part.utf8.last, first != hyphen, last != hyphen else { return false }
    return !part.contains(separator) && part.utf8.allSatisfy { isLetterOrDigit($0) || $0 == hyphen }
  }

  private static let hyphen = UInt8(ascii: "-")

  private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
  }

  private static func split(_ label: String) -> JID? {
    let bytes = Array(label.utf8)
    guard let at = bytes.indices.dropLast().first(where: { bytes[$0] == hyphen && bytes[$0 + 1] == hyphen })
    else { return nil }
    return JID(
      localpart: String(decoding: bytes[..<at], as: UTF8.self),
      domainpart: String(decoding: bytes[(at + 2)...], as: UTF8.self))
  }

  private static func escaped(_ jid: JID) -> String {
    let bytes = Array(jid.text.asciiLowercased.utf8)
    let whole = escape + Base32.lowercase.encode(bytes)
    guard whole.utf8.count > DNSLabel.maximumLength else { return whole }
    return whole.prefix(DNSLabel.maximumLength - hashLength - 1) + "-" + Base32.lowercase.encode(SHA1.digest(bytes))
  }

  private static func unescaped(_ label: String) -> JID? {
    Base32.lowercase.decode(label.utf8.dropFirst(escape.utf8.count)).flatMap { String(validating: $0, as: UTF8.self) }
      .flatMap {
        JID(bare: $0)
      }
  }
}
