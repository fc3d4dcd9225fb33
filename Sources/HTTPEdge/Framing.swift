import Codecs
import HTTPTypes

extension BodyReader.Framing {
  /// How the body behind these fields is framed, for a message that may have one (RFC 9112 §6.3); nil where they do not say.
  ///
  /// `fields` keep one `Content-Length` where there were several that agree.
  static func told(by fields: inout HTTPFields) throws(HTTPMessageError) -> Self? {
    let length = fields.normalizeContentLength()
    if length == .invalid { throw .malformed("its Content-Length is not one number") }
    guard !fields.has(.transferEncoding) else {
      guard length == .absent else { throw .malformed("it has both Content-Length and Transfer-Encoding") }
      // Whatever else was done to the body would have to be undone here.
      guard fields[.transferEncoding]?.asciiLowercased == "chunked" else {
        throw .malformed("its Transfer-Encoding is not chunked alone")
      }
      return .chunked
    }
    return length.value.map { .counted($0) }
  }
}

extension HTTPFields {
  /// One of the options of `Connection` (RFC 9110 §7.6.1), in small letters.
  func hasConnectionOption(_ option: StaticString) -> Bool {
    contains { field in
      field.name == .connection
        && field.withUnsafeBytesOfValue { Self.list(UnsafeRawBufferPointer($0), contains: option) }
    }
  }

  private static func list(_ value: UnsafeRawBufferPointer, contains item: StaticString) -> Bool {
    var start = 0
    while start <= value.count {
      let end = value.firstIndex(of: UInt8(ascii: ","), from: start) ?? value.count
      if UnsafeRawBufferPointer(rebasing: value[start..<end]).trimmed.equals(lowercased: item) { return true }
      start = end + 1
    }
    return false
  }
}
