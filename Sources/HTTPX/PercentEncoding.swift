/// Percent-encoding (RFC 3986 §2.1).
package enum PercentEncoding {
  private static let digits = Array("0123456789ABCDEF".utf8)

  /// What may stand in an authority as it is: unreserved, sub-delims and `@`. Not `:`, behind which a port would be read.
  private static let plain = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,;=@".utf8)

  /// An address as an authority, or any name as one segment of a path.
  package static func encoded(_ text: String) -> String {
    encode(text.utf8) { plain.contains($0) }
  }

  /// A path, query or fragment as it was written, save spaces and bytes beyond ASCII, which no request line carries safely.
  static func encodingUnsafe(_ text: Substring.UTF8View) -> String {
    encode(text) { $0 > 0x20 && $0 < 0x7F }
  }

  private static func encode(_ text: some Collection<UInt8>, _ isPlain: (UInt8) -> Bool) -> String {
    let bytes = text.flatMap { byte in
      isPlain(byte) ? [byte] : [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// nil where a `%` begins no encoded byte, or the bytes are no UTF-8.
  package static func decoded(_ text: some StringProtocol) -> String? {
    var bytes: [UInt8] = []
    var rest = text.utf8[...]
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "%") else {
        bytes.append(byte)
        continue
      }
      guard let high = rest.popFirst().flatMap(value), let low = rest.popFirst().flatMap(value) else { return nil }
      bytes.append(high << 4 | low)
    }
    return String(validating: bytes, as: UTF8.self)
  }

  private static func value(_ digit: UInt8) -> UInt8? {
    switch digit {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
    case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
    case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
    default: nil
    }
  }
}
