import Codecs

/// Bytes as the text of an element, in base64 (RFC 4648 §4).
enum Binary {
  static func text(_ bytes: [UInt8]) -> String {
    Base64.encode(bytes)
  }

  /// nil where it is no base64, or not of a length in `lengths`.
  static func bytes(_ text: String?, _ lengths: ClosedRange<Int>) -> [UInt8]? {
    guard let text, text.utf8.count <= Base64.encodedLength(of: lengths.upperBound),
      let bytes = Base64.decodeCanonical(text), lengths.contains(bytes.count)
    else { return nil }
    return bytes
  }
}
