/// Percent-encoding (RFC 3986 §2.1).
package enum PercentEncoding {
  /// `text` with all but the bytes of `plain` encoded.
  package static func encode(_ text: some StringProtocol, except plain: ASCIISet) -> String {
    let text = String(text)
    return text.utf8.allSatisfy(plain.contains) ? text : encode(text.utf8, except: plain)
  }

  /// The same for bytes that need not be UTF-8.
  package static func encode(_ bytes: some Collection<UInt8>, except plain: ASCIISet) -> String {
    var encoded: [UInt8] = []
    encoded.reserveCapacity(bytes.count + 16)
    for byte in bytes {
      if plain.contains(byte) {
        encoded.append(byte)
      } else {
        encoded += [UInt8(ascii: "%"), Hexadecimal.digit(byte >> 4), Hexadecimal.digit(byte)]
      }
    }
    return String(decoding: encoded, as: UTF8.self)
  }

  /// nil where a `%` begins no encoded byte.
  package static func decode(_ text: some Sequence<UInt8>) -> [UInt8]? {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.underestimatedCount)
    var rest = text.makeIterator()
    while let byte = rest.next() {
      guard byte == UInt8(ascii: "%") else {
        bytes.append(byte)
        continue
      }
      guard let high = rest.next().flatMap(Hexadecimal.value), let low = rest.next().flatMap(Hexadecimal.value)
      else { return nil }
      bytes.append(high << 4 | low)
    }
    return bytes
  }

  /// nil where a `%` begins no encoded byte, or the bytes are no UTF-8.
  package static func decodeText(_ text: some StringProtocol) -> String? {
    decode(text.utf8).flatMap { String(validating: $0, as: UTF8.self) }
  }
}

extension ASCIISet {
  /// What needs no encoding anywhere in a URI (RFC 3986 §2.3).
  package static let unreserved = letters.union(digits).union(ASCIISet("-._~"))

  /// What may stand in an authority or a segment of a path as it is: unreserved, sub-delims and `@`, not `:`, behind
  /// which a port would be read (RFC 3986 §3.2, §3.3).
  package static let authority = unreserved.union(ASCIISet("!$&'()*+,;=@"))

  /// What may stand in an address as one item of a header field: no space, comma or quote (RFC 9110 §5.6).
  package static let fieldItem = unreserved.union(ASCIISet("@"))

  /// What shells, chat programs and people pass on unharmed, without quotes.
  package static let unquoted = letters.union(digits).union(ASCIISet("@-._"))

  /// What a request line carries safely: no space, no control character (RFC 9112 §3).
  package static let visible = ASCIISet(0x21...0x7E)
}
