import Codecs
package import NIOCore

extension ByteBuffer {
  /// Appends an element as it goes into a stream, without any space between its parts.
  ///
  /// `namespace` is the default namespace in scope; another is declared where it begins. Elements of the stream namespace
  /// get the literal prefix `stream:`, which some peers compare, and which the stream's header declares; those of the
  /// namespace `xml` have that prefix, since nothing else may be bound to it (Namespaces in XML §3). Characters that XML 1.0
  /// cannot carry become U+FFFD. Names are written as they are.
  package mutating func write(_ element: Element, inside namespace: String = "jabber:client") {
    let prefix = element.namespace == namespace ? nil : XMLWriter.prefix(of: element.namespace)
    writeStaticString("<")
    if let prefix { writeStaticString(prefix) }
    writeString(element.name)
    if prefix == nil, element.namespace != namespace { write(attribute: "xmlns", element.namespace) }
    for (index, attribute) in element.attributes.enumerated() { write(attribute, index) }
    guard element.content != .empty else {
      writeStaticString("/>")
      return
    }
    writeStaticString(">")
    if case .text(let text) = element.content { write(text: text) }
    if case .nodes(let nodes) = element.content {
      for node in nodes { write(node, inside: prefix == nil ? element.namespace : namespace) }
    }
    writeStaticString("</")
    if let prefix { writeStaticString(prefix) }
    writeString(element.name)
    writeStaticString(">")
  }

  private mutating func write(_ node: Element.Node, inside namespace: String) {
    switch node {
    case .element(let element): write(element, inside: namespace)
    case .text(let text): write(text: text)
    }
  }

  /// Appends ` name='value'`.
  package mutating func write(attribute name: StaticString, _ value: String) {
    write(" ", name, "='", escaped: value, in: .attribute, "'")
  }

  /// Appends `start`, then what stands between the quotes of an attribute, then `end`.
  package mutating func write(_ start: StaticString, attributeValue value: String, _ end: StaticString) {
    write(start, escaped: value, in: .attribute, end)
  }

  /// Appends text between tags, and what follows it.
  package mutating func write(text: String, _ end: StaticString = "") { write("", escaped: text, in: .text, end) }

  private mutating func write(_ attribute: Element.Attribute, _ index: Int) {
    switch attribute.namespace {
    case "": write(attribute.name, "", attribute.value)
    case XMLWriter.xml: write(attribute.name, "xml:", attribute.value)
    default:
      write("a\(index)", "xmlns:", attribute.namespace)
      write("a\(index):\(attribute.name)", "", attribute.value)
    }
  }

  /// An attribute whose name is not known beforehand.
  private mutating func write(_ name: String, _ prefix: StaticString, _ value: String) {
    writeStaticString(" ")
    writeStaticString(prefix)
    writeString(name)
    write("='", escaped: value, in: .attribute, "'")
  }

  /// Appends all of it; in one piece where nothing has to be escaped, since what is written so is small, and much.
  private mutating func write(
    _ start: StaticString, _ name: StaticString = "", _ sign: StaticString = "", escaped text: String,
    in place: XMLWriter.Place, _ end: StaticString
  ) {
    var text = text
    text.withUTF8 { bytes in
      guard XMLWriter.isPlain(bytes) else {
        writeStaticString(start)
        writeStaticString(name)
        writeStaticString(sign)
        write(escaped: bytes, in: place)
        writeStaticString(end)
        return
      }
      write(start.bytes, name.bytes, sign.bytes, UnsafeRawBufferPointer(bytes), end.bytes)
    }
  }

  private mutating func write(escaped bytes: UnsafeBufferPointer<UInt8>, in place: XMLWriter.Place) {
    var written = 0
    for index in bytes.indices where XMLWriter.isSpecial(bytes[index]) {
      guard let (length, escape) = XMLWriter.escape(bytes, at: index, in: place) else { continue }
      writeBytes(bytes[written..<index])
      writeStaticString(escape)
      written = index + length
    }
    writeBytes(bytes[written...])
  }
}

package enum XMLWriter {
  enum Place { case text, attribute }

  /// RFC 6120 §4.8.1.
  static let streams = "http://etherx.jabber.org/streams"
  /// What the prefix `xml` is bound to, always.
  static let xml = "http://www.w3.org/XML/1998/namespace"
  /// That of declarations, which nothing may be bound to.
  static let xmlns = "http://www.w3.org/2000/xmlns/"

  /// By which a namespace is written that no default declaration may or should have, with its colon.
  static func prefix(of namespace: String) -> StaticString? {
    switch namespace {
    case streams: "stream:"
    case xml: "xml:"
    default: nil
    }
  }

  /// Whether a text arrives as it was: it has only characters of XML 1.0 §2.2, and no CR.
  ///
  /// (A CR would arrive, for it is written as a reference; parsers of some peers normalise it all the same.)
  package static func canCarry(_ text: String) -> Bool {
    var text = text
    return text.withUTF8 { bytes in
      bytes.indices.allSatisfy { bytes[$0] != 0x0D && !isUnfit(bytes, at: $0) }
    }
  }

  /// Whether these bytes stand for themselves in every place.
  package static func isPlain(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
    // No early exit: so the compiler makes vector instructions of it.
    var others: UInt8 = 0
    for byte in bytes { others |= isSpecial(byte) ? 1 : 0 }
    return others == 0
  }

  /// Bytes that begin what some place does not take as it is.
  static func isSpecial(_ byte: UInt8) -> Bool {
    byte < 0x20 || byte == UInt8(ascii: "&") || byte == UInt8(ascii: "'") || byte == UInt8(ascii: "\"")
      || byte == UInt8(ascii: "<") || byte == UInt8(ascii: ">") || byte == 0xEF
  }

  /// What to write instead of the character that begins at `index`, and how many bytes of it there are; nil: itself.
  static func escape(
    _ bytes: UnsafeBufferPointer<UInt8>, at index: Int, in place: Place
  ) -> (length: Int, StaticString)? {
    let byte = bytes[index]
    switch (byte, place) {
    case (UInt8(ascii: "&"), _): return (1, "&amp;")
    case (UInt8(ascii: "<"), _): return (1, "&lt;")
    case (UInt8(ascii: ">"), _): return (1, "&gt;")
    case (0x0D, _): return (1, "&#xD;")
    case (UInt8(ascii: "'"), .attribute): return (1, "&apos;")
    case (UInt8(ascii: "\""), .attribute): return (1, "&quot;")
    case (0x09, .attribute): return (1, "&#x9;")
    case (0x0A, .attribute): return (1, "&#xA;")
    default: return isUnfit(bytes, at: index) ? (byte == 0xEF ? 3 : 1, "\u{FFFD}") : nil
    }
  }

  /// A control character other than TAB, LF and CR, or U+FFFE or U+FFFF (as UTF-8: EF BF BE, EF BF BF).
  private static func isUnfit(_ bytes: UnsafeBufferPointer<UInt8>, at index: Int) -> Bool {
    let byte = bytes[index]
    if byte < 0x20 { return !byte.isSpace }
    return byte == 0xEF && bytes[index + 1] == 0xBF && bytes[index + 2] >= 0xBE
  }
}
