import Codecs
package import HTTPTypes
import NIOCore
import XML
import XMPP

/// The fields of a message in `<headers/>` (XEP-0131), in order, with their case and their duplicates.
enum Fields {
  /// `<headers/>` even where it is empty.
  ///
  /// COMPAT(Smack): takes whatever follows `<req>` for it, and what follows that for `<data>`.
  static func write(_ fields: HTTPFields, host: String? = nil, into buffer: inout ByteBuffer) {
    guard !fields.isEmpty || host != nil else {
      buffer.writeStaticString("<headers xmlns='http://jabber.org/protocol/shim'/>")
      return
    }
    buffer.writeStaticString("<headers xmlns='http://jabber.org/protocol/shim'>")
    if let host { write("Host", host, into: &buffer) }
    for index in fields.indices {
      let field = fields[index]
      if buffer.write(plain: field.name.rawName, field.value) { continue }
      if let latin1 = field.latin1 {
        buffer.write(
          "<header name='", attributeValue: field.name.rawName, "' xmlns:h='urn:hearth:http:1' h:bytes='latin-1'>")
        buffer.write(text: latin1, "</header>")
      } else {
        write(field.name.rawName, field.value, into: &buffer)
      }
    }
    buffer.writeStaticString("</headers>")
  }

  /// A name is a token, which needs no escape in an attribute but for the apostrophe (RFC 9110 §5.6.2).
  private static func write(_ name: String, _ value: String, into buffer: inout ByteBuffer) {
    buffer.write("<header name='", attributeValue: name, "'>")
    buffer.write(text: value, "</header>")
  }

  /// Refuses names that are no token and values that no HTTP message can carry: CR, LF and NUL above all, which would
  /// begin a field, or a message, of the sender's own at the next hop (RFC 9110 §5.5).
  static func read(from message: Element) throws(HTTPXError) -> HTTPFields {
    var fields = HTTPFields()
    fields.reserveCapacity(HTTPXLimits.usualFields)
    try read(from: message) { fields.append($0) }
    return fields
  }

  /// The same of a request, without its `Host`, of which there is at most one (RFC 9112 §3.2).
  static func readRequest(from message: Element) throws(HTTPXError) -> (fields: HTTPFields, host: String?) {
    var fields = HTTPFields()
    fields.reserveCapacity(HTTPXLimits.usualFields)
    var hosts: [String] = []
    try read(from: message) { if $0.name == .host { hosts.append($0.value) } else { fields.append($0) } }
    guard hosts.count <= 1 else { throw HTTPXError(.malformed, "more than one Host field") }
    return (fields, hosts.first)
  }

  private static func read(from message: Element, _ receive: (HTTPField) -> Void) throws(HTTPXError) {
    guard let headers = message.first("headers", namespace: Namespace.shim) else { return }
    var count = 0
    var failure: HTTPXError?
    headers.forEach("header", Namespace.shim, keyed: "name") { name, value, header in
      do throws(HTTPXError) {
        count += 1
        guard count <= HTTPXLimits.fields
        else { throw HTTPXError(.limit, "more than \(HTTPXLimits.fields) header fields") }
        receive(try field(name, value.trimmed, header))
      } catch {
        failure = error
      }
      return failure == nil
    }
    if let failure { throw failure }
  }

  /// - Parameters:
  ///   - value: spaces around it are not part of it (RFC 9110 §5.5).
  ///   - header: where it may have a mark.
  private static func field(
    _ name: UnsafeRawBufferPointer?, _ value: UnsafeRawBufferPointer, _ header: Element?
  ) throws(HTTPXError) -> HTTPField {
    guard let name = name.flatMap(Self.name)
    else { throw HTTPXError(.malformed, "a header without a name that is a token (RFC 9110 §5.1)") }
    let value = String(decoding: value, as: UTF8.self)
    if header?["bytes", namespace: Namespace.hearth] == "latin-1", let bytes = value.latin1Bytes,
      HTTPField.isValidValue(bytes)
    {
      return HTTPField(name: name, value: bytes)
    }
    let field = HTTPField(name: name, value: value)
    // Others were replaced by spaces.
    guard field.value == value
    else { throw HTTPXError(.malformed, "the header \(name.rawName) has characters that HTTP does not carry") }
    return field
  }

  private static func name(_ bytes: UnsafeRawBufferPointer) -> HTTPField.Name? {
    KnownFieldNames.name(bytes) ?? HTTPField.Name(String(decoding: bytes, as: UTF8.self))
  }
}

extension ByteBuffer {
  /// Appends a header in one piece, where nothing in it has to be escaped, as mostly; false where something has.
  fileprivate mutating func write(plain name: String, _ value: String) -> Bool {
    var (name, value) = (name, value)
    return name.withUTF8 { name in
      value.withUTF8 { value in
        guard XMLWriter.isPlain(name), XMLWriter.isPlain(value) else { return false }
        let (start, middle, end): (StaticString, StaticString, StaticString) = ("<header name='", "'>", "</header>")
        write(start.bytes, UnsafeRawBufferPointer(name), middle.bytes, UnsafeRawBufferPointer(value), end.bytes)
        return true
      }
    }
  }
}

extension HTTPField.Name {
  /// In lower case, with a hyphen for all but letters and digits, as servers turn all of these into one sign of an
  /// environment variable's name (RFC 3875 §4.1.18).
  package var folded: String {
    let isPlain: (UInt8) -> Bool = { (0x30...0x39).contains($0) || (0x61...0x7A).contains($0) }
    // Mostly it is folded as it is.
    guard canonicalName.utf8.contains(where: { !isPlain($0) && $0 != 0x2D }) else { return canonicalName }
    return String(decoding: canonicalName.utf8.map { isPlain($0) ? $0 : 0x2D }, as: UTF8.self)
  }
}

/// Values whose bytes are not UTF-8 travel as their reading in Latin-1, with a mark: a node makes the same bytes of it again, and
/// other programs see text that can mostly be read.
extension HTTPField {
  /// That reading; nil for a value that is UTF-8.
  var latin1: String? {
    var value = value
    // Where bytes were replaced there is U+FFFD, which begins so.
    guard value.withUTF8({ UnsafeRawBufferPointer($0).firstIndex(of: 0xEF, from: 0) }) != nil else { return nil }
    return withUnsafeBytesOfValue { bytes in
      value.utf8.elementsEqual(bytes) ? nil : String(String.UnicodeScalarView(bytes.map { Unicode.Scalar($0) }))
    }
  }
}

extension String {
  /// A byte for each character; nil where one is beyond Latin-1.
  fileprivate var latin1Bytes: [UInt8]? {
    var bytes: [UInt8] = []
    for scalar in unicodeScalars {
      guard let byte = UInt8(exactly: scalar.value) else { return nil }
      bytes.append(byte)
    }
    return bytes
  }
}
