import FoundationEssentials
import XML

/// Bytes as the text of an element, in base64 (RFC 4648 §4).
enum Binary {
  static func text(_ bytes: [UInt8]) -> String {
    Data(bytes).base64EncodedString()
  }

  /// nil where it is no base64, or not of a length in `lengths`.
  static func bytes(_ text: String?, _ lengths: ClosedRange<Int>) -> [UInt8]? {
    guard let text, text.utf8.count <= lengths.upperBound * 2 + 4, let data = Data(base64Encoded: text),
      lengths.contains(data.count)
    else { return nil }
    return [UInt8](data)
  }
}
