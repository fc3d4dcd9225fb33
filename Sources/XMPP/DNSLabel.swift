/// What names on the link are held to, which are DNS labels (RFC 6763 §4.1.1).
package enum DNSLabel {
  /// Bytes (RFC 1035 §2.3.4).
  package static let maximumLength = 63
}
