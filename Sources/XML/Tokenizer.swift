#if canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// Cuts the bytes of a stream behind each piece of markup, so that the parser is always given text and one whole tag,
/// however the network split them. Hence any split gives the same events.
///
/// It refuses what RFC 6120 §11.1 forbids before the parser sees it, counts attributes before the parser compares them,
/// and gives up where quotes do not pair as XML wants, for else it would wait for an end that never comes. All other
/// grammar is the parser's.
struct Tokenizer {
  /// Where in the stream a token begins.
  enum Level {
    case prolog, betweenStanzas, inStanza
  }

  private enum State {
    case text
    /// Behind `<`.
    case markup
    /// Behind this many bytes of `<![CDATA[`.
    case cdataStart(Int)
    /// Behind this many closing brackets, two at most.
    case cdata(brackets: Int)
    /// Behind this many bytes of `<?xml`.
    case declarationStart(Int)
    /// In a tag outside of quotes, with the last byte that was no space.
    case tag(last: UInt8)
    case value(quote: UInt8)
    case behindValue
  }

  private var state = State.text
  private var attributes = 0
  private var isDeclaration = false
  /// By how much the token that has ended opens or closes elements: 1, 0 or −1. Not to be relied on where its markup is not
  /// well-formed, which the parser finds out.
  private(set) var depthChange = 0
  /// Only the very first byte of a stream may begin an XML declaration.
  var isAtStart = true

  /// Reads on, and returns how many of `bytes` belong to the token where its end is among them, else nil.
  mutating func scan(
    _ bytes: UnsafeRawBufferPointer, at level: Level, attributeLimit: Int
  ) throws(XMLError) -> Int? {
    var index = 0
    while index < bytes.count {
      index = try skip(bytes, from: index)
      guard index < bytes.count else { break }
      let isEnd = try step(bytes[index], level, attributeLimit)
      index += 1
      if isEnd {
        state = .text
        isAtStart = false
        return index
      }
    }
    return nil
  }

  /// Passes over what decides nothing: text and attribute values, the long parts, at the speed of `memchr`.
  private mutating func skip(_ bytes: UnsafeRawBufferPointer, from index: Int) throws(XMLError) -> Int {
    switch state {
    case .text: return bytes.firstIndex(of: UInt8(ascii: "<"), from: index) ?? bytes.count
    case .value(let quote):
      let end = bytes.firstIndex(of: quote, from: index) ?? bytes.count
      guard UnsafeRawBufferPointer(rebasing: bytes[..<end]).firstIndex(of: UInt8(ascii: "<"), from: index) == nil else {
        throw XMLError(.notWellFormed, "a value that holds '<', or lacks its closing quote")
      }
      return end
    case .tag(let last):
      let (end, last) = Self.names(bytes, from: index, last)
      state = .tag(last: last)
      return end
    case .markup, .cdataStart, .cdata, .declarationStart, .behindValue: return index
    }
  }

  /// Where the names and spaces of a tag end, and which of their bytes was the last that is no space.
  private static func names(_ bytes: UnsafeRawBufferPointer, from start: Int, _ last: UInt8) -> (Int, UInt8) {
    var last = last
    for index in start..<bytes.count {
      switch bytes[index] {
      case UInt8(ascii: "'"), UInt8(ascii: "\""), UInt8(ascii: "<"), UInt8(ascii: ">"): return (index, last)
      case let byte: if !byte.isSpace { last = byte }
      }
    }
    return (bytes.count, last)
  }

  /// Takes one byte, and tells whether it ends the token.
  private mutating func step(_ byte: UInt8, _ level: Level, _ attributeLimit: Int) throws(XMLError) -> Bool {
    switch state {
    case .text: state = .markup
    case .markup: return try stepIntoMarkup(byte)
    case .cdataStart(let count): state = try cdataStart(byte, count, level)
    case .cdata(let brackets):
      if byte == UInt8(ascii: ">"), brackets == 2 { return true }
      state = .cdata(brackets: byte == UInt8(ascii: "]") ? min(brackets + 1, 2) : 0)
    case .declarationStart(let count): state = try declarationStart(byte, count)
    case .tag(let last): return try stepInTag(byte, last, attributeLimit)
    case .value: state = .behindValue
    case .behindValue:
      guard byte.isSpace || [UInt8(ascii: ">"), UInt8(ascii: "/"), UInt8(ascii: "?")].contains(byte) else {
        throw XMLError(.notWellFormed, "no space between attributes")
      }
      return try stepInTag(byte, UInt8(ascii: "'"), attributeLimit)
    }
    return false
  }

  private mutating func stepIntoMarkup(_ byte: UInt8) throws(XMLError) -> Bool {
    attributes = 0
    isDeclaration = false
    depthChange = 1
    switch byte {
    case UInt8(ascii: "!"):
      depthChange = 0
      state = .cdataStart(2)
    case UInt8(ascii: "?"):
      guard isAtStart else { throw Self.noInstructions }
      isDeclaration = true
      depthChange = 0
      state = .declarationStart(2)
    case UInt8(ascii: "/"):
      depthChange = -1
      return try stepInTag(byte, UInt8(ascii: "<"), 0)
    default: return try stepInTag(byte, UInt8(ascii: "<"), 0)
    }
    return false
  }

  private mutating func stepInTag(_ byte: UInt8, _ last: UInt8, _ attributeLimit: Int) throws(XMLError) -> Bool {
    switch byte {
    case UInt8(ascii: ">"):
      guard !isDeclaration || last == UInt8(ascii: "?") else {
        throw XMLError(.notWellFormed, "an XML declaration without its end")
      }
      if last == UInt8(ascii: "/"), depthChange == 1 { depthChange = 0 }
      return true
    case UInt8(ascii: "'"), UInt8(ascii: "\""):
      guard last == UInt8(ascii: "=") else { throw XMLError(.notWellFormed, "a quote that begins no value") }
      attributes += 1
      guard attributes <= attributeLimit else { throw .tooLarge(.attributes, attributeLimit) }
      state = .value(quote: byte)
    case UInt8(ascii: "<"): throw XMLError(.notWellFormed, "'<' inside a tag")
    default: state = .tag(last: byte.isSpace ? last : byte)
    }
    return false
  }

  private func cdataStart(_ byte: UInt8, _ count: Int, _ level: Level) throws(XMLError) -> State {
    let start: StaticString = "<![CDATA["
    guard byte == start.utf8Start[count] else {
      throw XMLError(.restricted, "a comment, a DTD or another declaration")
    }
    guard count + 1 == start.utf8CodeUnitCount else { return .cdataStart(count + 1) }
    switch level {
    case .prolog: throw XMLError(.notWellFormed, "CDATA before the root element")
    case .betweenStanzas: throw XMLError(.invalidText, "CDATA between stanzas")
    case .inStanza: return .cdata(brackets: 0)
    }
  }

  private func declarationStart(_ byte: UInt8, _ count: Int) throws(XMLError) -> State {
    let start: StaticString = "<?xml"
    guard count < start.utf8CodeUnitCount else {
      guard byte.isSpace else { throw Self.noInstructions }
      return .tag(last: byte)
    }
    guard byte == start.utf8Start[count] else { throw Self.noInstructions }
    return .declarationStart(count + 1)
  }

  private static let noInstructions = XMLError(.restricted, "a processing instruction, or a late XML declaration")
}

extension UInt8 {
  /// Whitespace as XML 1.0 §2.3 has it.
  var isSpace: Bool { self == 0x20 || self == 0x0A || self == 0x0D || self == 0x09 }
}

extension UnsafeRawBufferPointer {
  fileprivate func firstIndex(of byte: UInt8, from start: Int) -> Int? {
    guard start < count, let found = memchr(baseAddress! + start, Int32(byte), count - start) else { return nil }
    return UnsafeRawPointer(found) - UnsafeRawPointer(baseAddress!)
  }
}
