import Codecs

/// Reads a stanza that is all there and written plainly, as nearly all are: in ASCII, by names that the parser has met, without
/// prefixes, CDATA, or references but the five of XML 1.0 §4.6, and with no more space in its tags than they need.
///
/// Of any other stanza, be it wrong, rare or not all there, it says nothing: that is the parser's, which costs many times as
/// much. What both read is the same.
struct PlainStanzaReader {
  private let names: NameTable
  /// The default namespace inside the root, nil inside where that is none; nil outside where it is no name that is known.
  private var namespace: UInt8??

  init(names: NameTable) {
    self.names = names
  }

  /// Stanzas are inside a root with this default namespace.
  mutating func begin(inside namespace: String) {
    self.namespace = namespace.isEmpty ? .some(nil) : names.find(namespace).map { .some($0) }
  }

  /// The stanza that `bytes` begin with, and how many of them it takes.
  func read(_ bytes: UnsafeRawBufferPointer, _ limits: XMLLimits) -> (element: Element, count: Int)? {
    guard let namespace else { return nil }
    var scanner = PlainStanzaScanner(UnsafeRawBufferPointer(rebasing: bytes.prefix(limits.stanzaBytes)), names, limits)
    guard scanner.element(inside: namespace, depth: 1) else { return nil }
    return (Element(scanner.stanza, at: 0), scanner.index)
  }
}

/// The bytes of a stanza, and how far they are read. Where something comes back as false or nil, it is not plain, and `index`
/// says nothing any more.
private struct PlainStanzaScanner {
  private let bytes: UnsafeRawBufferPointer
  private let names: NameTable
  private let limits: XMLLimits
  private(set) var index = 0
  private var elements = 0
  private var lastName = NameTable.start
  private var parts: [PlainStanza.Part] = []

  /// Most stanzas have no more.
  private static let usualParts = 48
  /// In bytes: longer ones are looked through by vector instructions.
  private static let shortText = 96

  init(_ bytes: UnsafeRawBufferPointer, _ names: NameTable, _ limits: XMLLimits) {
    (self.bytes, self.names, self.limits) = (bytes, names, limits)
    parts.reserveCapacity(Self.usualParts)
  }

  /// That was read.
  var stanza: PlainStanza {
    PlainStanza(UnsafeRawBufferPointer(rebasing: bytes.prefix(index)), parts, names.texts)
  }

  mutating func element(inside outer: UInt8?, depth: Int) -> Bool {
    elements += 1
    guard elements <= limits.elements, depth <= limits.depth, take(UInt8(ascii: "<")) else { return false }
    let start = index
    guard let name = name() else { return false }
    let tag = UnsafeRawBufferPointer(rebasing: bytes[start..<index])
    let number = parts.count
    parts.append(.element(name: name, namespace: outer, attributes: 0, end: 0))
    var namespace = outer
    guard attributes(&namespace) else { return false }
    let attributes = parts.count - number - 1
    if take(UInt8(ascii: "/")) {
      guard take(UInt8(ascii: ">")) else { return false }
    } else {
      guard take(UInt8(ascii: ">")), content(inside: namespace, depth: depth), closes(tag) else { return false }
    }
    parts[number] = .element(
      name: name, namespace: namespace, attributes: UInt32(attributes), end: UInt32(parts.count))
    return true
  }

  private var next: UInt8? { index < bytes.count ? bytes[index] : nil }

  private mutating func take(_ byte: UInt8) -> Bool {
    guard next == byte else { return false }
    index += 1
    return true
  }

  /// Up to what may be behind one. No name that the parser has met has any of these.
  private mutating func name() -> UInt8? {
    guard let (number, end) = names.name(bytes, from: index, behind: lastName) else { return nil }
    (index, lastName) = (end, number)
    return number
  }

  /// Up to the `/` or `>` behind them.
  private mutating func attributes(_ namespace: inout UInt8?) -> Bool {
    var count = 0
    var declares = false
    // A bit for each name.
    var seen: (UInt64, UInt64) = (0, 0)
    while take(UInt8(ascii: " ")) {
      count += 1
      guard count <= limits.attributes else { return false }
      if begins(with: "xmlns=") {
        guard !declares, let value = value(), !value.isEscaped else { return false }
        declares = true
        namespace = nil
        guard value.start < value.end else { continue }
        guard let number = names.find(UnsafeRawBufferPointer(rebasing: bytes[Int(value.start)..<Int(value.end)]))
        else { return false }
        namespace = number
        continue
      }
      guard let name = name(), take(UInt8(ascii: "=")), let value = value() else { return false }
      let bit: UInt64 = 1 << UInt64(name & 63)
      guard (name < 64 ? seen.0 : seen.1) & bit == 0 else { return false }
      if name < 64 { seen.0 |= bit } else { seen.1 |= bit }
      parts.append(.attribute(name: name, value))
    }
    return true
  }

  /// Takes these bytes, if they are the next ones.
  private mutating func begins(with text: StaticString) -> Bool {
    guard bytes.count - index >= text.utf8CodeUnitCount else { return false }
    for offset in 0..<text.utf8CodeUnitCount where bytes[index + offset] != text.utf8Start[offset] { return false }
    index += text.utf8CodeUnitCount
    return true
  }

  /// What is between two quotes.
  private mutating func value() -> PlainStanza.Text? {
    guard let quote = next, quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\"") else { return nil }
    let start = index + 1
    var end = bytes.plainEnd(from: start, before: quote)
    var isEscaped = false
    while end < bytes.count, bytes[end] != quote {
      guard bytes[end] == UInt8(ascii: "&") else { return nil }
      isEscaped = true
      end = bytes.plainEnd(from: end + 1, before: quote)
    }
    guard end < bytes.count else { return nil }
    index = end + 1
    return text(start, end, isEscaped: isEscaped)
  }

  /// Up to the `</` behind it, and that too.
  private mutating func content(inside namespace: UInt8?, depth: Int) -> Bool {
    while let byte = next {
      guard byte == UInt8(ascii: "<") else {
        guard let text = text() else { return false }
        parts.append(.text(text))
        continue
      }
      if index + 1 < bytes.count, bytes[index + 1] == UInt8(ascii: "/") {
        index += 2
        return true
      }
      guard element(inside: namespace, depth: depth + 1) else { return false }
    }
    return false
  }

  /// Up to the next `<`.
  private mutating func text() -> PlainStanza.Text? {
    let start = index
    // Most are short, and have nothing in them that has to be looked at twice.
    let plainEnd = UnsafeRawBufferPointer(rebasing: bytes.prefix(start + Self.shortText))
      .plainEnd(from: start, before: UInt8(ascii: "]"))
    if plainEnd < bytes.count, bytes[plainEnd] == UInt8(ascii: "<") {
      index = plainEnd
      return self.text(start, plainEnd, isEscaped: false)
    }
    guard let end = bytes.firstIndex(of: UInt8(ascii: "<"), from: plainEnd) else { return nil }
    let text = UnsafeRawBufferPointer(rebasing: bytes[start..<end])
    index = end
    if text.isPlain { return self.text(start, end, isEscaped: false) }
    guard text.allSatisfy({ $0 &- 0x20 <= 0x7E - 0x20 || $0 == 0x0A || $0 == 0x09 }), !text.endsCDATA else {
      return nil
    }
    return self.text(start, end, isEscaped: text.firstIndex(of: UInt8(ascii: "&"), from: 0) != nil)
  }

  /// nil where a reference in it is none of the five.
  private func text(_ start: Int, _ end: Int, isEscaped: Bool) -> PlainStanza.Text? {
    if isEscaped, !PlainText.isSound(UnsafeRawBufferPointer(rebasing: bytes[start..<end])) { return nil }
    return PlainStanza.Text(start: UInt32(start), end: UInt32(end), isEscaped: isEscaped)
  }

  /// `</` was taken.
  private mutating func closes(_ name: UnsafeRawBufferPointer) -> Bool {
    guard bytes.count - index > name.count else { return false }
    for offset in 0..<name.count where bytes[index + offset] != name[offset] { return false }
    index += name.count
    return take(UInt8(ascii: ">"))
  }
}

extension UnsafeRawBufferPointer {
  /// Where the first byte is, from `start` on, that is no printable ASCII, or is `<`, `&` or `other`; where they end if none is.
  ///
  /// Eight at a time: a byte of the difference borrows from its highest bit where it was 0.
  fileprivate func plainEnd(from start: Int, before other: UInt8) -> Int {
    let (ones, highs): (UInt64, UInt64) = (0x0101_0101_0101_0101, 0x8080_8080_8080_8080)
    let other = ones &* UInt64(other)
    var index = start
    while index &+ 8 <= count {
      let word = UInt64(littleEndian: loadUnaligned(fromByteOffset: index, as: UInt64.self))
      let opening = word ^ (ones &* 0x3C)
      let ampersand = word ^ (ones &* 0x26)
      let delete = word ^ (ones &* 0x7F)
      let wanted = word ^ other
      let found =
        (opening &- ones) & ~opening | (ampersand &- ones) & ~ampersand | (delete &- ones) & ~delete
        | (wanted &- ones) & ~wanted | (word &- ones &* 0x20) & ~word | word
      // The lowest bit is of the first such byte: what borrows is behind one.
      let bits = found & highs
      if bits != 0 { return index &+ bits.trailingZeroBitCount / 8 }
      index &+= 8
    }
    let last = UInt8(truncatingIfNeeded: other)
    while index < count, self[index] &- 0x20 < 0x5F, self[index] != 0x3C, self[index] != 0x26, self[index] != last {
      index &+= 1
    }
    return index
  }

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
