/// Puts the parser's tags and text together to events, within the limits on what an element may hold.
struct ElementBuilder {
  /// Counted anew for each stanza; changed between stanzas only.
  var limits: XMLLimits
  /// Those of one token: two when the root is empty, else one at most.
  private(set) var events: [XMLEvent] = []
  private var isRootOpen = false
  /// Elements that are open inside the root, the stanza first, with what is inside of them so far.
  private var open: [ElementParts] = []
  private var text: [UInt8] = []
  private var elements = 0

  init(limits: XMLLimits) {
    self.limits = limits
  }

  var level: Tokenizer.Level {
    !isRootOpen ? .prolog : open.isEmpty ? .betweenStanzas : .inStanza
  }

  /// Elements that are open inside the root.
  var depth: Int { open.count }

  mutating func start(_ element: consuming ElementParts) throws(XMLError) {
    guard isRootOpen else {
      isRootOpen = true
      events.append(.opened(Element(element)))
      return
    }
    elements += 1
    guard elements <= limits.elements else { throw .tooLarge(.elements, limits.elements) }
    guard open.count < limits.depth else { throw .tooLarge(.depth, limits.depth) }
    flushText()
    open.append(element)
  }

  mutating func end() {
    flushText()
    guard let element = open.popLast().map({ Element($0) }) else {
      events.append(.closed)
      return
    }
    if open.isEmpty {
      elements = 0
      events.append(.element(element))
    } else {
      open[open.count - 1].content.append(element)
    }
  }

  /// One run of text may come in many parts, cut anywhere: it becomes a string once, at the next tag.
  mutating func characters(_ bytes: UnsafeRawBufferPointer) {
    text.append(contentsOf: bytes)
  }

  mutating func takeEvents() -> [XMLEvent] {
    defer { events.removeAll(keepingCapacity: true) }
    return events
  }

  private mutating func flushText() {
    guard !text.isEmpty, !open.isEmpty else { return }
    open[open.count - 1].content.append(text: String(decoding: text, as: UTF8.self))
    text.removeAll(keepingCapacity: true)
  }
}
