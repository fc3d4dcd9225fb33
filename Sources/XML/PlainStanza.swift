import Codecs
import NIOCore

/// A stanza that passed the parser by: its text, and where the parts of its elements are in it.
///
/// Most of a stanza is looked at once or never, so that a string is made when it is asked for. All of the stanza is kept as long
/// as one of its elements is.
final class PlainStanza: ElementSource {
  /// An element is followed by its attributes, and these by what is inside of it. Names are numbers of a name in `names`.
  enum Part: Sendable {
    /// `namespace` is nil where it is in none; `end` is the number of the part behind all of it.
    case element(name: UInt8, namespace: UInt8?, attributes: UInt32, end: UInt32)
    case attribute(name: UInt8, Text)
    case text(Text)
  }

  /// Where a text is, in bytes.
  struct Text: Sendable {
    let start: UInt32
    let end: UInt32
    /// Some of its characters are written as references.
    let isEscaped: Bool
  }

  private let bytes: [UInt8]
  private let parts: [Part]
  private let names: [String]

  /// - Parameters:
  ///   - bytes: ASCII, in which all references are among the five of XML 1.0 §4.6.
  ///   - parts: the first one is the stanza itself.
  init(_ bytes: UnsafeRawBufferPointer, _ parts: [Part], _ names: [String]) {
    (self.bytes, self.parts, self.names) = (Array(bytes), parts, names)
  }

  func name(of element: Int) -> String {
    guard case .element(let name, _, _, _) = parts[element] else { return "" }
    return names[Int(name)]
  }

  func namespace(of element: Int) -> String {
    guard case .element(_, let namespace?, _, _) = parts[element] else { return "" }
    return names[Int(namespace)]
  }

  func attributes(of element: Int) -> [Element.Attribute] {
    guard case .element(_, _, let count, _) = parts[element] else { return [] }
    return parts[(element + 1)..<(element + 1 + Int(count))].compactMap {
      guard case .attribute(let name, let value) = $0 else { return nil }
      return Element.Attribute(names[Int(name)], string(value))
    }
  }

  func value(_ name: String, of element: Int) -> String? {
    value(name, at: element).map { string($0) }
  }

  private func value(_ name: String, at element: Int) -> Text? {
    guard case .element(_, _, let count, _) = parts[element] else { return nil }
    for index in (element + 1)..<(element + 1 + Int(count)) {
      if case .attribute(let other, let value) = parts[index], names[Int(other)] == name { return value }
    }
    return nil
  }

  /// There are no prefixes.
  var spelling: Spelling { Spelling() }

  func content(of element: Int) -> Element.Content {
    var nodes: [Element.Node] = []
    var part = inside(element)
    let end = behind(element)
    while part < end {
      nodes.append(text(at: part).map { .text($0) } ?? .element(Element(self, at: part)))
      part = behind(part)
    }
    return Element.Content(nodes)
  }

  func children(of element: Int) -> Range<Int> { inside(element)..<behind(element) }

  /// The first part behind an element's attributes.
  private func inside(_ element: Int) -> Int {
    guard case .element(_, _, let attributes, _) = parts[element] else { return element + 1 }
    return element + 1 + Int(attributes)
  }

  func behind(_ part: Int) -> Int {
    guard case .element(_, _, _, let end) = parts[part] else { return part + 1 }
    return Int(end)
  }

  func element(from part: Int, to end: Int) -> Int {
    var part = part
    while part < end {
      if case .element = parts[part] { break }
      part += 1
    }
    return part
  }

  func element(at part: Int) -> Element { Element(self, at: part) }

  func text(of element: Int) -> String {
    let (first, end) = (inside(element), behind(element))
    if first + 1 == end { return text(at: first) ?? "" }
    var text = ""
    var part = first
    while part < end {
      if let some = self.text(at: part) { text += some }
      part = behind(part)
    }
    return text
  }

  func forEach(
    inside element: Int, _ name: String, _ namespace: String, keyed key: String,
    _ body: (_ key: UnsafeRawBufferPointer?, _ text: UnsafeRawBufferPointer, Element?) -> Bool
  ) {
    // Names are compared by their numbers, once these are known.
    var known: (name: UInt8, namespace: UInt8?)?
    var part = inside(element)
    let end = behind(element)
    while part < end {
      let child = part
      part = behind(child)
      guard case .element(let number, let space, _, _) = parts[child] else { continue }
      if let known {
        guard number == known.name, space == known.namespace else { continue }
      } else {
        guard names[Int(number)] == name, self.namespace(of: child) == namespace else { continue }
        known = (number, space)
      }
      let isWanted = withResolved(value(key, at: child)) { key in withText(of: child) { body(key, $0, nil) } }
      if !isWanted { return }
    }
  }

  private func withText<Result>(of element: Int, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
    let first = inside(element)
    if first + 1 == behind(element), case .text(let text) = parts[first], !text.isEscaped {
      return withBytes(of: text, body)
    }
    var text = text(of: element)
    return text.withUTF8 { body(UnsafeRawBufferPointer($0)) }
  }

  /// With its references resolved.
  private func withResolved<Result>(_ text: Text?, _ body: (UnsafeRawBufferPointer?) -> Result) -> Result {
    guard let text else { return body(nil) }
    guard text.isEscaped else { return withBytes(of: text) { body($0) } }
    var resolved = string(text)
    return resolved.withUTF8 { body(UnsafeRawBufferPointer($0)) }
  }

  func base64(of element: Int) -> ByteBuffer? { withText(of: element) { Base64.decode($0) } }

  private func text(at part: Int) -> String? {
    if case .text(let text) = parts[part] { string(text) } else { nil }
  }

  private func string(_ text: Text) -> String {
    withBytes(of: text) { text.isEscaped ? PlainText.unescaped($0) : String(decoding: $0, as: UTF8.self) }
  }

  private func withBytes<Result>(of text: Text, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
    bytes.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[Int(text.start)..<Int(text.end)])) }
  }
}
