import Codecs
import HTTPTypes
import NIOCore

/// HTTP/1.1 messages as they are sent (RFC 9112). Values go out byte for byte, as HTTPTypes has checked them: no CR, LF or
/// NUL can be in one.
extension ByteBuffer {
  /// Appends a head, whose fields say how its body is framed.
  mutating func write(_ head: HTTPResponse) {
    // Read once: it is kept as text.
    let status = head.status
    writeStaticString("HTTP/1.1 ")
    writeString(String(status.code))
    writeStaticString(" ")
    writeString(status.phrase)
    writeStaticString("\r\n")
    // Each is copied once so, and by an iterator twice.
    for index in head.headerFields.indices { write(head.headerFields[index]) }
    writeStaticString("\r\n")
  }

  /// The same for a request: `authority` becomes `Host`, and comes first (RFC 9110 §7.2). Cookies become one field again
  /// (RFC 6265 §5.4).
  mutating func write(_ head: HTTPRequest) {
    writeString(head.method.rawValue)
    writeStaticString(" ")
    writeString(head.path ?? "/")
    writeStaticString(" HTTP/1.1\r\n")
    if let authority = head.authority {
      writeStaticString("Host: ")
      writeString(authority)
      writeStaticString("\r\n")
    }
    var hasCookies = false
    for index in head.headerFields.indices {
      let field = head.headerFields[index]
      guard field.name == .cookie else {
        write(field)
        continue
      }
      if !hasCookies { writeCookies(of: head.headerFields, as: field.name) }
      hasCookies = true
    }
    writeStaticString("\r\n")
  }

  private mutating func writeCookies(of fields: HTTPFields, as name: HTTPField.Name) {
    writeString(name.rawName)
    var separator: StaticString = ": "
    for field in fields where field.name == .cookie {
      writeStaticString(separator)
      field.withUnsafeBytesOfValue { _ = writeBytes($0) }
      separator = "; "
    }
    writeStaticString("\r\n")
  }

  private mutating func write(_ field: HTTPField) {
    var name = field.name.rawName
    name.withUTF8 { name in
      field.withUnsafeBytesOfValue { value in
        let (separator, end): (StaticString, StaticString) = (": ", "\r\n")
        write(UnsafeRawBufferPointer(name), separator.bytes, UnsafeRawBufferPointer(value), end.bytes)
      }
    }
  }

  /// Appends what is in front of a chunk of so many bytes, which are not 0: that would be the last one (RFC 9112 §7.1).
  mutating func writeChunkStart(_ count: Int) {
    writeString(String(count, radix: 16))
    writeStaticString("\r\n")
  }

  /// Appends what is behind a chunk.
  mutating func writeChunkEnd() {
    writeStaticString("\r\n")
  }

  /// The end of a body in chunks, without trailers.
  static let lastChunk = ByteBuffer(string: "0\r\n\r\n")
}
