import Codecs

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
  /// The token at hand, or the last one, is the XML declaration.
  private(set) var isDeclaration = false
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
      switch state {
      case .text:
        guard let start = bytes.firstIndex(of: UInt8(ascii: "<"), from: index) else { return nil }
        index = start + 1
        state = .markup
        continue
      case .markup: index += try beginMarkup(bytes[index])
      case .tag(let last): index = try tag(bytes, from: index, last, attributeLimit)
      case .value(let quote): index = try value(bytes, from: index, quote)
      case .behindValue: state = .tag(last: try Self.behindValue(bytes[index]))
      case .cdataStart(let count):
        state = try cdataStart(bytes[index], count, level)
        index += 1
      case .cdata(let brackets):
        state = cdata(bytes[index], brackets)
        index += 1
      case .declarationStart(let count):
        state = try declarationStart(bytes[index], count)
        index += 1
      }
      if case .text = state {
        isAtStart = false
        return index
      }
    }
    return nil
  }

  /// Looks at the byte behind `<`, and returns whether it is one that no tag begins with, and is thus taken: 1, else 0.
  private mutating func beginMarkup(_ byte: UInt8) throws(XMLError) -> Int {
    attributes = 0
    isDeclaration = false
    depthChange = 0
    switch byte {
    case UInt8(ascii: "!"):
      state = .cdataStart(2)
      return 1
    case UInt8(ascii: "?"):
      guard isAtStart else { throw Self.noInstructions }
      isDeclaration = true
      state = .declarationStart(2)
      return 1
    case 0 where isAtStart: throw .notUTF8
    default:
      depthChange = byte == UInt8(ascii: "/") ? -1 : 1
      state = .tag(last: UInt8(ascii: "<"))
      return 0
    }
  }

  /// Passes through a tag to its end, or to that of `bytes`, and returns where that is. Most bytes of a stream that are no
  /// body are in tags: one loop, in which whole values are passed over.
  private mutating func tag(
    _ bytes: UnsafeRawBufferPointer, from start: Int, _ last: UInt8, _ attributeLimit: Int
  ) throws(XMLError) -> Int {
    var index = start
    var last = last
    while index < bytes.count {
      let byte = bytes[index]
      index += 1
      switch byte {
      case UInt8(ascii: ">"):
        guard !isDeclaration || last == UInt8(ascii: "?") else {
          throw XMLError(.notWellFormed, "an XML declaration without its end")
        }
        if last == UInt8(ascii: "/"), depthChange == 1 { depthChange = 0 }
        state = .text
        return index
      case UInt8(ascii: "'"), UInt8(ascii: "\""):
        guard last == UInt8(ascii: "=") else { throw XMLError(.notWellFormed, "a quote that begins no value") }
        attributes += 1
        guard attributes <= attributeLimit else { throw .tooLarge(.attributes, attributeLimit) }
        index = try value(bytes, from: index, byte)
        guard index < bytes.count else { return index }
        last = try Self.behindValue(bytes[index])
      case UInt8(ascii: "<"): throw XMLError(.notWellFormed, "'<' inside a tag")
      case let byte: if !byte.isSpace { last = byte }
      }
    }
    state = .tag(last: last)
    return index
  }

  /// Passes over a value and the quote behind it, at the speed of `memchr`.
  private mutating func value(
    _ bytes: UnsafeRawBufferPointer, from start: Int, _ quote: UInt8
  ) throws(XMLError) -> Int {
    let end = bytes.firstIndex(of: quote, from: start)
    let value = UnsafeRawBufferPointer(rebasing: bytes[start..<(end ?? bytes.count)])
    guard value.firstIndex(of: UInt8(ascii: "<"), from: 0) == nil else {
      throw XMLError(.notWellFormed, "a value that holds '<', or lacks its closing quote")
    }
    state = end == nil ? .value(quote: quote) : .behindValue
    return end.map { $0 + 1 } ?? bytes.count
  }

  /// Whether this byte may follow a value; returns what then counts as the last byte of the tag.
  private static func behindValue(_ byte: UInt8) throws(XMLError) -> UInt8 {
    guard byte.isSpace || byte == UInt8(ascii: ">") || byte == UInt8(ascii: "/") || byte == UInt8(ascii: "?") else {
      throw XMLError(.notWellFormed, "no space between attributes")
    }
    return UInt8(ascii: "'")
  }

  private func cdata(_ byte: UInt8, _ brackets: Int) -> State {
    if byte == UInt8(ascii: ">"), brackets == 2 { return .text }
    return .cdata(brackets: byte == UInt8(ascii: "]") ? min(brackets + 1, 2) : 0)
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
