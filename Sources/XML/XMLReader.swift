import Codecs
package import NIOCore

/// Reads the one XML stream of a connection, in as many parts as it comes.
///
/// The same bytes give the same events however they are split. Memory is bounded by the limits on a stanza and on names,
/// not by the length of the stream. Not thread-safe: it belongs to one event loop. Eleven properties: the three parts that
/// read, how far they are, and why nothing further is read.
package final class XMLReader {
  /// A change takes effect at the next stanza.
  package var limits: XMLLimits
  /// How many bytes of the last `feed` were not looked at, because it was stopped, failed, or the stream had ended.
  package private(set) var unread = 0

  private let parser: Parser
  private var plainReader: PlainStanzaReader
  private var tokenizer = Tokenizer()
  /// The beginning of a token whose end has not come yet.
  private var partial: [UInt8] = []
  /// Bytes of the stanza so far, those of `partial` included.
  private var stanzaBytes = 0
  /// Bytes of the stanza that was told last, as it was written.
  package private(set) var lastStanzaBytes = 0
  private var isStopped = false
  private var hasFailed = false
  private var hasEnded = false

  package convenience init(limits: XMLLimits) {
    self.init(limits: limits, parser: Parser(limits: limits))
  }

  init(limits: XMLLimits, parser: Parser) {
    self.limits = limits
    self.parser = parser
    plainReader = PlainStanzaReader(names: parser.names)
  }

  /// To be called by `receive`: nothing behind the event at hand is read by this call of `feed`.
  package func stop() {
    isStopped = true
  }

  /// Reads `bytes` and tells of each event in turn; calls `receive` before it looks at what follows the event.
  ///
  /// Throws `XMLError` where the stream cannot be read on: then no event is told any more, and `feed` must not be called
  /// again. An error that `receive` throws stops like `stop()`, and comes out as it is.
  package func feed(_ bytes: ByteBuffer, _ receive: (XMLEvent) throws -> Void) throws {
    precondition(!hasFailed, "fed after an error")
    isStopped = false
    try bytes.withUnsafeReadableBytes { bytes in
      unread = bytes.count
      while unread > 0, !isStopped, !hasEnded {
        if let element = try plainStanza(UnsafeRawBufferPointer(rebasing: bytes.suffix(unread))) {
          try receive(.element(element))
          continue
        }
        for event in try nextEvents(UnsafeRawBufferPointer(rebasing: bytes.suffix(unread))) where !isStopped {
          try receive(event)
        }
      }
    }
  }

  /// The next stanza, where it is one that needs no parser; passes over the whitespace before it.
  private func plainStanza(_ bytes: UnsafeRawBufferPointer) throws -> Element? {
    let skipped = try failing { () throws(XMLError) in try skipBetweenStanzas(bytes) }
    unread -= skipped
    guard stanzaBytes == 0, parser.builder.level == .betweenStanzas,
      let (element, count) = plainReader.read(UnsafeRawBufferPointer(rebasing: bytes[skipped...]), limits)
    else { return nil }
    tokenizer.isAtStart = false
    unread -= count
    lastStanzaBytes = count
    return element
  }

  /// Reads up to the end of the next tokens, or all; throws nothing but `XMLError`.
  private func nextEvents(_ bytes: UnsafeRawBufferPointer) throws -> [XMLEvent] {
    let events = try failing { try nextTokens(bytes) }
    for case .opened(let root) in events { plainReader.begin(inside: root.defaultNamespace) }
    return events
  }

  /// What is thrown is the end of reading.
  private func failing<Result>(_ body: () throws -> Result) throws -> Result {
    do {
      return try body()
    } catch {
      hasFailed = true
      throw error
    }
  }

  /// How much whitespace there is before the next stanza or the root; other text there is an error.
  private func skipBetweenStanzas(_ bytes: UnsafeRawBufferPointer) throws(XMLError) -> Int {
    let level = parser.builder.level
    guard level != .inStanza, partial.isEmpty else { return 0 }
    let start = bytes.firstIndex { !$0.isSpace } ?? bytes.count
    if start > 0 { tokenizer.isAtStart = false }
    guard start < bytes.count else { return start }
    guard bytes[start] == UInt8(ascii: "<") else {
      // What a byte order mark of UTF-16 begins with; UTF-8 has neither anywhere.
      if tokenizer.isAtStart, bytes[start] >= 0xFE { throw .notUTF8 }
      throw level == .prolog
        ? XMLError(.notWellFormed, "text before the root element") : XMLError(.invalidText, "text between stanzas")
    }
    if stanzaBytes == 0 { parser.builder.limits = limits }
    return start
  }

  /// Reads up to the end of a stanza, else up to the last whole token, and keeps what follows it. The parser costs by call
  /// more than by byte, so it is given as much as can be known to lead to no more than one event.
  private func nextTokens(_ bytes: UnsafeRawBufferPointer) throws -> [XMLEvent] {
    let limits = parser.builder.limits
    let window = UnsafeRawBufferPointer(rebasing: bytes.prefix(limits.stanzaBytes - stanzaBytes))
    var parsed = 0
    var taken = 0
    let isComplete: Bool
    do {
      isComplete = try scan(window, limits, &parsed, &taken)
    } catch {
      // What is wrong before it comes first.
      _ = try parse(window[parsed..<taken])
      throw error
    }
    // Here as well.
    let events = try parse(window[parsed..<taken])
    guard isComplete || window.count == bytes.count else {
      throw XMLError.tooLarge(.stanzaBytes, limits.stanzaBytes)
    }
    if !isComplete {
      partial.append(contentsOf: window[taken...])
      taken = window.count
    }
    unread -= taken
    stanzaBytes += taken
    guard !events.isEmpty else { return events }
    lastStanzaBytes = stanzaBytes
    stanzaBytes = 0
    return events
  }

  /// Counts the bytes of whole tokens, up to the end of a stanza; false where its end is not among them.
  private func scan(
    _ window: UnsafeRawBufferPointer, _ limits: XMLLimits, _ parsed: inout Int, _ taken: inout Int
  ) throws -> Bool {
    var depth = parser.builder.depth
    while taken < window.count {
      let rest = UnsafeRawBufferPointer(rebasing: window[taken...])
      let level = depth > 0 ? Tokenizer.Level.inStanza : parser.builder.level
      if level == .inStanza, let text = plainText(rest) {
        // The tokens before it lead to no event, for the stanza is still open.
        _ = try parse(window[parsed..<taken])
        parser.builder.characters(text)
        taken += text.count
        parsed = taken
        continue
      }
      guard let end = try tokenizer.scan(rest, at: level, attributeLimit: limits.attributes) else { return false }
      taken += end
      depth += tokenizer.depthChange
      // The root's start tag is an event, and so is what brings the depth back to 0.
      if depth <= 0 || level == .prolog || !partial.isEmpty { return true }
    }
    return false
  }

  /// Text up to the next tag or the end of `bytes`, where it is long and the parser would hand it back as it is.
  ///
  /// Bodies in base64 are most of what a stream carries: the parser would look at them character by character.
  private func plainText(_ bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
    guard partial.isEmpty, bytes.count >= XMLLimits.plainTextBytes, bytes[0] != UInt8(ascii: "<") else { return nil }
    let text = UnsafeRawBufferPointer(
      rebasing: bytes.prefix(bytes.firstIndex(of: UInt8(ascii: "<"), from: 0) ?? bytes.count))
    return text.count >= XMLLimits.plainTextBytes && text.isPlain ? text : nil
  }

  private func parse(_ tokens: Slice<UnsafeRawBufferPointer>) throws -> [XMLEvent] {
    guard !tokens.isEmpty else { return [] }
    let rest = UnsafeRawBufferPointer(rebasing: tokens)
    let events: [XMLEvent]
    if partial.isEmpty {
      events = try parseWhole(rest)
    } else {
      partial.append(contentsOf: rest)
      events = try partial.withUnsafeBytes { try parseWhole($0) }
      partial.removeAll(keepingCapacity: true)
    }
    if events.last == .closed { hasEnded = true }
    return events
  }

  /// The parser takes bytes for UTF-8 whatever the declaration says, so that this has to be looked at here, once that is known
  /// to be well-formed.
  private func parseWhole(_ tokens: UnsafeRawBufferPointer) throws -> [XMLEvent] {
    let events = try parser.parse(tokens)
    if tokenizer.isDeclaration, let encoding = tokens.declaredEncoding, encoding != "utf-8", encoding != "utf8" {
      throw XMLError.notUTF8
    }
    return events
  }
}

extension UnsafeRawBufferPointer {
  /// What a well-formed XML declaration names, in small letters; nil where it names none.
  fileprivate var declaredEncoding: String? {
    let text = String(decoding: self, as: UTF8.self).asciiLowercased
    guard let name = text.firstRange(of: "encoding") else { return nil }
    let value = text[name.upperBound...].drop { $0 != "'" && $0 != "\"" }
    return String(value.dropFirst().prefix { $0 != "'" && $0 != "\"" })
  }

  /// Printable ASCII and line feeds, without `&`, and without `]`, which must not be followed by `]>` (XML 1.0 §2.4): text
  /// that stands for itself, wherever it is cut.
  var isPlain: Bool {
    // No early exit: so the compiler makes vector instructions of it.
    var others: UInt8 = 0
    for byte in self {
      let isOutside: UInt8 = byte &- 0x20 > 0x7E - 0x20 && byte != 0x0A ? 1 : 0
      let isMarkup: UInt8 = byte == UInt8(ascii: "&") || byte == UInt8(ascii: "]") ? 1 : 0
      others |= isOutside | isMarkup
    }
    return others == 0
  }
}
