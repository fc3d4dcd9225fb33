internal import CXML2

/// The owner of one libxml2 push parser. It is given whole tokens, and gives elements to its builder.
///
/// No raw type of libxml2 leaves this file. The parser keeps the names it met for life, which is what
/// `XMLLimits.names` bounds; all else it keeps is bounded by the size of a token.
final class Parser {
  var builder: ElementBuilder
  private let context: xmlParserCtxtPtr
  private var failure: XMLError?
  /// Names and namespaces become strings once.
  private var strings = InternedStrings()
  /// What others may know of them.
  let names = NameTable()

  /// Once in a process, and not from two threads at a time.
  private static let initialised: Void = xmlInitParser()

  init(limits: XMLLimits) {
    builder = ElementBuilder(limits: limits)
    Self.initialised
    var handler = Self.handler
    // Fails only when memory is out, which Swift's own allocations do not survive either.
    context = xmlCreatePushParserCtxt(&handler, nil, nil, 0, nil)!
    // Bytes are UTF-8 whatever the declaration says (RFC 6120 §11.6); no look at the first four, no conversion.
    xmlCtxtUseOptions(context, Int32(XML_PARSE_NONET.rawValue | XML_PARSE_IGNORE_ENC.rawValue))
    context.pointee.charset = Int32(XML_CHAR_ENCODING_UTF8.rawValue)
    // The options set a limit too: this one has to come behind them.
    xmlDictSetLimit(context.pointee.dict, XMLLimits.names)
    context.pointee.userData = Unmanaged.passUnretained(self).toOpaque()
  }

  deinit {
    xmlFreeParserCtxt(context)
  }

  /// Parses text and tags, each of them whole, and returns the events that this led to.
  func parse(_ token: UnsafeRawBufferPointer) throws(XMLError) -> [XMLEvent] {
    xmlParseChunk(context, token.baseAddress?.assumingMemoryBound(to: CChar.self), Int32(token.count), 0)
    if let failure { throw failure }
    // A tag is whole here, so a parser that waits for more saw something else in it than the tokenizer did.
    guard context.pointee.input.pointee.cur == context.pointee.input.pointee.end else {
      throw XMLError(.notWellFormed, "markup without its end")
    }
    return builder.events.isEmpty ? [] : builder.takeEvents()
  }

  private func fail(_ error: XMLError) {
    if failure == nil { failure = error }
    xmlStopParser(context)
  }
}

extension Parser {
  /// Static pointers of C functions; copied into each parser.
  private static var handler: xmlSAXHandler {
    var handler = xmlSAXHandler()
    // Without the mark libxml2 ignores the namespace-aware functions.
    handler.initialized = XML_SAX2_MAGIC
    handler.startElementNs = { user, name, prefix, uri, declared, declarations, count, _, attributes in
      let parser = Parser.from(user)
      guard let name else { return }
      parser.start(
        name, uri, UnsafeBufferPointer(start: attributes, count: Int(count) * 5),
        prefix, UnsafeBufferPointer(start: declarations, count: Int(declared) * 2))
    }
    handler.endElementNs = { user, _, _, _ in Parser.from(user).builder.end() }
    handler.characters = { user, text, count in
      Parser.from(user).builder.characters(UnsafeRawBufferPointer(start: text, count: Int(count)))
    }
    handler.serror = { user, error in
      guard let error = error?.pointee else { return }
      Parser.from(user).report(error)
    }
    return handler
  }

  private static func from(_ user: UnsafeMutableRawPointer?) -> Parser {
    Unmanaged<Parser>.fromOpaque(user!).takeUnretainedValue()
  }

  private func start(
    _ name: UnsafePointer<xmlChar>, _ uri: UnsafePointer<xmlChar>?,
    _ attributes: UnsafeBufferPointer<UnsafePointer<xmlChar>?>, _ prefix: UnsafePointer<xmlChar>?,
    _ declarations: UnsafeBufferPointer<UnsafePointer<xmlChar>?>
  ) {
    guard failure == nil else { return }
    var hasPrefixes = prefix != nil
    var values: [Element.Attribute] = []
    values.reserveCapacity(attributes.count / 5)
    // Five pointers an attribute: local name, prefix, namespace, begin and end of the value.
    for index in stride(from: 0, to: attributes.count, by: 5) {
      guard let name = attributes[index], let begin = attributes[index + 3], let end = attributes[index + 4] else {
        continue
      }
      if attributes[index + 1] != nil { hasPrefixes = true }
      let value = Self.value(UnsafeBufferPointer(start: begin, count: end - begin))
      values.append(.init(text(of: name), namespace: namespace(attributes[index + 2]), value))
    }
    var element = ElementParts(name: text(of: name), namespace: namespace(uri), attributes: values)
    // Two pointers a declaration: prefix, namespace.
    if !hasPrefixes {
      hasPrefixes = stride(from: 0, to: declarations.count, by: 2).contains { declarations[$0] != nil }
    }
    if hasPrefixes { element.spelling = spelling(attributes, prefix, declarations) }
    do throws(XMLError) { try builder.start(element) } catch { fail(error) }
  }

  /// Of an element in which some prefix occurs.
  private func spelling(
    _ attributes: UnsafeBufferPointer<UnsafePointer<xmlChar>?>, _ prefix: UnsafePointer<xmlChar>?,
    _ declarations: UnsafeBufferPointer<UnsafePointer<xmlChar>?>
  ) -> Spelling {
    func text(_ prefix: UnsafePointer<xmlChar>?) -> String { prefix.map { self.text(of: $0) } ?? "" }
    return Spelling(
      prefix: text(prefix),
      attributePrefixes: stride(from: 0, to: attributes.count, by: 5).map { text(attributes[$0 + 1]) },
      declarations: stride(from: 0, to: declarations.count, by: 2).map {
        Spelling.Declaration(prefix: text(declarations[$0]), namespace: namespace(declarations[$0 + 1]))
      })
  }

  /// The value without the one escape that libxml2 leaves in it: `&` comes as `&#38;`, and nothing else with a `&`.
  private static func value(_ bytes: UnsafeBufferPointer<UInt8>) -> String {
    guard bytes.contains(UInt8(ascii: "&")) else { return String(decoding: bytes, as: UTF8.self) }
    var unescaped: [UInt8] = []
    var index = 0
    while index < bytes.count {
      unescaped.append(bytes[index])
      index += bytes[index] == UInt8(ascii: "&") ? "&#38;".utf8.count : 1
    }
    return String(decoding: unescaped, as: UTF8.self)
  }

  private func namespace(_ uri: UnsafePointer<xmlChar>?) -> String {
    uri.map { text(of: $0) { Self.value(UnsafeBufferPointer(start: $0, count: Int(xmlStrlen($0)))) } } ?? ""
  }

  /// Of what the parser has interned.
  private func text(
    of name: UnsafePointer<xmlChar>, _ make: (UnsafePointer<xmlChar>) -> String = { String(cString: $0) }
  ) -> String {
    strings.text(of: name) { name in
      let text = make(name)
      names.learn(text)
      return text
    }
  }

  /// Warnings come here too. That a namespace is relative, or no URI, is none of our business: names are compared as text.
  private func report(_ error: xmlError) {
    guard error.level.rawValue >= XML_ERR_ERROR.rawValue, error.code != XML_WAR_NS_URI.rawValue else { return }
    let text = error.message.map { String(cString: $0) } ?? ""
    let message = text.split(separator: "\n").first.map(String.init) ?? "not well-formed"
    switch xmlParserErrors(rawValue: xmlParserErrors.RawValue(error.code)) {
    case XML_ERR_UNDECLARED_ENTITY, XML_WAR_UNDECLARED_ENTITY: fail(XMLError(.restricted, message))
    case XML_ERR_NO_MEMORY: fail(.tooLarge(.names, XMLLimits.names))
    default: fail(XMLError(.notWellFormed, message))
    }
  }
}

/// Strings of names that the parser has interned, by their address, which is theirs for its life. A stream uses some thirty
/// names over and over: two that share a slot take turns, and cost what they would without.
private struct InternedStrings {
  private var slots = [(address: UnsafePointer<xmlChar>?, text: String)](repeating: (nil, ""), count: 128)

  mutating func text(of name: UnsafePointer<xmlChar>, _ make: (UnsafePointer<xmlChar>) -> String) -> String {
    // Addresses are spread over the memory of the dictionary, at any byte.
    let slot = (Int(bitPattern: name) ^ Int(bitPattern: name) >> 7) % slots.count
    if slots[slot].address == name { return slots[slot].text }
    let text = make(name)
    slots[slot] = (name, text)
    return text
  }
}
