import Codecs

/// Text in ASCII whose only references are the five that need no declaration (XML 1.0 §4.6).
enum PlainText {
  /// Whether each `&` begins such a reference.
  static func isSound(_ text: UnsafeRawBufferPointer) -> Bool {
    var start = 0
    while let ampersand = text.firstIndex(of: UInt8(ascii: "&"), from: start) {
      guard let (_, length) = reference(text, at: ampersand) else { return false }
      start = ampersand + length
    }
    return true
  }

  /// With its references resolved, which are sound.
  static func unescaped(_ text: UnsafeRawBufferPointer) -> String {
    var unescaped: [UInt8] = []
    unescaped.reserveCapacity(text.count)
    var start = 0
    while let ampersand = text.firstIndex(of: UInt8(ascii: "&"), from: start),
      let (byte, length) = reference(text, at: ampersand)
    {
      unescaped.append(contentsOf: text[start..<ampersand])
      unescaped.append(byte)
      start = ampersand + length
    }
    unescaped.append(contentsOf: text[start...])
    return String(decoding: unescaped, as: UTF8.self)
  }

  /// The character that a reference stands for, and how long it is.
  private static func reference(_ text: UnsafeRawBufferPointer, at start: Int) -> (UInt8, Int)? {
    for (name, byte) in references where text[start...].starts(with: name.bytes) {
      return (byte, name.utf8CodeUnitCount)
    }
    return nil
  }

  private static let references: [(StaticString, UInt8)] = [
    ("&lt;", UInt8(ascii: "<")), ("&gt;", UInt8(ascii: ">")), ("&amp;", UInt8(ascii: "&")),
    ("&quot;", UInt8(ascii: "\"")), ("&apos;", UInt8(ascii: "'")),
  ]
}
