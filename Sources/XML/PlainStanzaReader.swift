import Codecs

/// Reads a stanza that is all there and written plainly, as nearly all are: in ASCII, by names that the parser has met, without
/// prefixes, CDATA, or references but the five of XML 1.0 §4.6, and with no more space in its tags than they need.
///
/// Of any other stanza, be it wrong, rare or not all there, it says nothing: that is the parser's, which costs three times as
/// much. What both read is the same.
struct PlainStanzaReader {
  /// The default namespace inside the root.
  var namespace = ""
  private let names: NameTable

  init(names: NameTable) {
    self.names = names
  }

  /// The stanza that `bytes` begin with, and how many of them it takes.
  func read(_ bytes: UnsafeRawBufferPointer, _ limits: XMLLimits) -> (element: Element, count: Int)? {
    var text = PlainText(UnsafeRawBufferPointer(rebasing: bytes.prefix(limits.stanzaBytes)), names, limits)
    guard let element = text.element(inside: namespace, depth: 1) else { return nil }
    return (element, text.index)
  }
}

/// The bytes of a stanza, and how far they are read. Where something comes back as nil, it is not plain, and `index` says
/// nothing any more.
private struct PlainText {
  private let bytes: UnsafeRawBufferPointer
  private let names: NameTable
  private let limits: XMLLimits
  private(set) var index = 0
  private var elements = 0

  /// Most elements have no more children.
  private static let usualChildren = 4

  init(_ bytes: UnsafeRawBufferPointer, _ names: NameTable, _ limits: XMLLimits) {
    (self.bytes, self.names, self.limits) = (bytes, names, limits)
  }

  private var next: UInt8? { index < bytes.count ? bytes[index] : nil }

  private mutating func take(_ byte: UInt8) -> Bool {
    guard next == byte else { return false }
    index += 1
    return true
  }

  mutating func element(inside outer: String, depth: Int) -> Element? {
    elements += 1
    guard elements <= limits.elements, depth <= limits.depth, take(UInt8(ascii: "<")) else { return nil }
    let start = index
    guard let name = name() else { return nil }
    let end = index
    var namespace = outer
    guard let attributes = attributes(&namespace) else { return nil }
    if take(UInt8(ascii: "/")) {
      return take(UInt8(ascii: ">")) ? Element(names.text(name), namespace: namespace, attributes) : nil
    }
    guard take(UInt8(ascii: ">")), let content = content(inside: namespace, depth: depth),
      closes(UnsafeRawBufferPointer(rebasing: bytes[start..<end]))
    else { return nil }
    return Element(names.text(name), namespace: namespace, attributes, content)
  }

  /// Up to what may be behind one. No name that the parser has met has any of these.
  private mutating func name() -> Int? {
    let start = index
    while index < bytes.count, !bytes[index].endsName { index += 1 }
    return names.find(UnsafeRawBufferPointer(rebasing: bytes[start..<index]))
  }

  /// Up to the `/` or `>` behind them.
  private mutating func attributes(_ namespace: inout String) -> [Element.Attribute]? {
    var attributes: [Element.Attribute] = []
    var count = 0
    var declares = false
    // A bit for each name.
    var seen: (UInt64, UInt64) = (0, 0)
    while take(UInt8(ascii: " ")) {
      count += 1
      guard count <= limits.attributes else { return nil }
      if begins(with: "xmlns=") {
        guard !declares, let value = value() else { return nil }
        declares = true
        if value.isEmpty {
          namespace = ""
        } else {
          guard let number = names.find(value) else { return nil }
          namespace = names.text(number)
        }
        continue
      }
      guard let name = name(), take(UInt8(ascii: "=")), let value = value() else { return nil }
      let bit: UInt64 = 1 << UInt64(name & 63)
      guard (name < 64 ? seen.0 : seen.1) & bit == 0, let text = unescaped(value) else { return nil }
      if name < 64 { seen.0 |= bit } else { seen.1 |= bit }
      if attributes.isEmpty { attributes.reserveCapacity(Self.usualChildren) }
      attributes.append(.init(names.text(name), text))
    }
    return attributes
  }

  /// Takes these bytes, if they are the next ones.
  private mutating func begins(with text: StaticString) -> Bool {
    guard bytes.count - index >= text.utf8CodeUnitCount else { return false }
    for offset in 0..<text.utf8CodeUnitCount where bytes[index + offset] != text.utf8Start[offset] { return false }
    index += text.utf8CodeUnitCount
    return true
  }

  /// What is between two quotes, as it is written.
  private mutating func value() -> UnsafeRawBufferPointer? {
    guard let quote = next, quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\"") else { return nil }
    let start = index + 1
    guard let end = bytes.firstIndex(of: quote, from: start) else { return nil }
    index = end + 1
    let value = UnsafeRawBufferPointer(rebasing: bytes[start..<end])
    var others: UInt8 = 0
    for byte in value { others |= byte &- 0x20 > 0x7E - 0x20 || byte == UInt8(ascii: "<") ? 1 : 0 }
    return others == 0 ? value : nil
  }

  /// Up to the `</` behind it.
  private mutating func content(inside namespace: String, depth: Int) -> Element.Content? {
    var first: String?
    var nodes: [Element.Node] = []
    while let byte = next {
      guard byte == UInt8(ascii: "<") else {
        guard let text = text() else { return nil }
        if nodes.isEmpty { first = text } else { nodes.append(.text(text)) }
        continue
      }
      if index + 1 < bytes.count, bytes[index + 1] == UInt8(ascii: "/") {
        index += 2
        return nodes.isEmpty ? first.map { .text($0) } ?? .empty : .nodes(nodes)
      }
      guard let child = element(inside: namespace, depth: depth + 1) else { return nil }
      if nodes.isEmpty {
        nodes.reserveCapacity(Self.usualChildren)
        if let first { nodes.append(.text(first)) }
      }
      nodes.append(.element(child))
    }
    return nil
  }

  /// Up to the next `<`.
  private mutating func text() -> String? {
    guard let end = bytes.firstIndex(of: UInt8(ascii: "<"), from: index) else { return nil }
    let text = UnsafeRawBufferPointer(rebasing: bytes[index..<end])
    index = end
    if text.isPlain { return String(decoding: text, as: UTF8.self) }
    guard text.allSatisfy({ $0 &- 0x20 <= 0x7E - 0x20 || $0 == 0x0A || $0 == 0x09 }), !text.endsCDATA else {
      return nil
    }
    return unescaped(text)
  }

  /// `</` was taken.
  private mutating func closes(_ name: UnsafeRawBufferPointer) -> Bool {
    guard bytes.count - index > name.count else { return false }
    for offset in 0..<name.count where bytes[index + offset] != name[offset] { return false }
    index += name.count
    return take(UInt8(ascii: ">"))
  }

  /// Printable ASCII with its references resolved; nil where one is none of the five.
  private func unescaped(_ text: UnsafeRawBufferPointer) -> String? {
    guard var reference = text.firstIndex(of: UInt8(ascii: "&"), from: 0) else {
      return String(decoding: text, as: UTF8.self)
    }
    var unescaped: [UInt8] = []
    unescaped.reserveCapacity(text.count)
    var start = 0
    while true {
      unescaped.append(contentsOf: text[start..<reference])
      guard let (byte, length) = Self.reference(UnsafeRawBufferPointer(rebasing: text[reference...])) else {
        return nil
      }
      unescaped.append(byte)
      start = reference + length
      guard let next = text.firstIndex(of: UInt8(ascii: "&"), from: start) else { break }
      reference = next
    }
    unescaped.append(contentsOf: text[start...])
    return String(decoding: unescaped, as: UTF8.self)
  }

  /// The character that a reference stands for, and how long it is.
  private static func reference(_ text: UnsafeRawBufferPointer) -> (UInt8, Int)? {
    for (name, byte) in references where text.starts(with: name.bytes) { return (byte, name.utf8CodeUnitCount) }
    return nil
  }

  private static let references: [(StaticString, UInt8)] = [
    ("&lt;", UInt8(ascii: "<")), ("&gt;", UInt8(ascii: ">")), ("&amp;", UInt8(ascii: "&")),
    ("&quot;", UInt8(ascii: "\"")), ("&apos;", UInt8(ascii: "'")),
  ]
}

extension UInt8 {
  fileprivate var endsName: Bool {
    self == UInt8(ascii: " ") || self == UInt8(ascii: "=") || self == UInt8(ascii: ">") || self == UInt8(ascii: "/")
  }
}

extension UnsafeRawBufferPointer {
  /// Has `]]>`, which no text may (XML 1.0 §2.4).
  fileprivate var endsCDATA: Bool {
    var start = 0
    while let bracket = firstIndex(of: UInt8(ascii: "]"), from: start) {
      if bracket + 2 < count, self[bracket + 1] == UInt8(ascii: "]"), self[bracket + 2] == UInt8(ascii: ">") {
        return true
      }
      start = bracket + 1
    }
    return false
  }
}
