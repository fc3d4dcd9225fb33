import Codecs
package import NIOCore

/// An XML element as XMPP uses it: a name, its namespace, attributes, and children in document order.
///
/// The namespace is part of the name, and `ByteBuffer.write` declares it again where it changes. Prefixes have no meaning of
/// their own; those that came are kept for documents only, in whose values they may occur.
///
/// One that was received may keep all of its stanza.
package struct Element: Sendable {
  package struct Attribute: Sendable, Hashable {
    package var name: String
    /// Empty for an attribute without a prefix, which by Namespaces in XML §6.2 has no namespace.
    package var namespace: String
    package var value: String

    package init(_ name: String, namespace: String = "", _ value: String) {
      self.name = name
      self.namespace = namespace
      self.value = value
    }
  }

  package enum Node: Sendable, Hashable {
    case element(Element)
    case text(String)
  }

  /// The children. Most elements have none but a text, which needs no array.
  enum Content: Sendable, Hashable {
    case empty
    case text(String)
    /// Neither empty, nor one text alone.
    case nodes([Node])
  }

  /// What it was made of, or the stanza that it came in.
  private var source: any ElementSource
  /// Its number there.
  private let part: Int

  private var parts: ElementParts {
    get {
      ElementParts(
        name: name, namespace: namespace, attributes: attributes, content: content, spelling: spelling)
    }
    set { self = Element(newValue) }
  }

  init(_ parts: ElementParts) { (source, part) = (MadeElement(parts), 0) }

  /// The element that is this part of the stanza.
  init(_ stanza: PlainStanza, at part: Int) {
    (source, self.part) = (stanza, part)
  }

  /// Attributes whose value is nil are left out, so that optional ones need no `if` at the caller.
  package init(
    _ name: String, namespace: String, _ attributes: KeyValuePairs<String, String?> = [:], children: [Node] = []
  ) {
    self.init(name, namespace: namespace, attributes, Content(children))
  }

  package init(_ name: String, namespace: String, _ attributes: KeyValuePairs<String, String?> = [:], text: String) {
    self.init(name, namespace: namespace, attributes, .text(text))
  }

  package init(
    _ name: String, namespace: String, _ attributes: KeyValuePairs<String, String?> = [:], _ elements: [Element]
  ) {
    self.init(name, namespace: namespace, attributes, children: elements.map { .element($0) })
  }

  private init(
    _ name: String, namespace: String, _ attributes: KeyValuePairs<String, String?>, _ content: Content
  ) {
    let attributes = attributes.compactMap { name, value in value.map { Attribute(name, $0) } }
    self.init(ElementParts(name: name, namespace: namespace, attributes: attributes, content: content))
  }
}

extension Element {
  package var name: String {
    get { source.name(of: part) }
    set { parts.name = newValue }
  }

  package var namespace: String {
    get { source.namespace(of: part) }
    set { parts.namespace = newValue }
  }

  package var attributes: [Attribute] {
    get { source.attributes(of: part) }
    set { parts.attributes = newValue }
  }

  package var children: [Node] {
    get {
      switch content {
      case .empty: []
      case .text(let text): [.text(text)]
      case .nodes(let nodes): nodes
      }
    }
    set { content = Content(newValue) }
  }

  var content: Content {
    get { source.content(of: part) }
    set { parts.content = newValue }
  }

  /// Counts in no comparison.
  var spelling: Spelling {
    get { source.spelling }
    set { parts.spelling = newValue }
  }

  /// The value of the attribute without a namespace that has this name.
  package subscript(name: String) -> String? {
    get { source.value(name, of: part) }
    set {
      let index = attributes.firstIndex { $0.name == name && $0.namespace.isEmpty }
      switch (index, newValue) {
      case (let index?, let value?): attributes[index].value = value
      case (let index?, nil): attributes.remove(at: index)
      case (nil, let value?): attributes.append(Attribute(name, value))
      case (nil, nil): break
      }
    }
  }

  /// The value of the attribute that has this name in this namespace.
  package subscript(name: String, namespace namespace: String) -> String? {
    attributes.first { $0.name == name && $0.namespace == namespace }?.value
  }

  package func `is`(_ name: String, _ namespace: String) -> Bool {
    self.name == name && self.namespace == namespace
  }

  /// The first child element of this name; without a namespace given, in the namespace of this element.
  package func first(_ name: String, namespace: String? = nil) -> Element? {
    let namespace = namespace ?? self.namespace
    return elements.first { $0.is(name, namespace) }
  }

  /// Calls `body` for each child element of this name: with the value of its attribute `key`, nil where it has none, with its text,
  /// and with itself where it may have attributes in namespaces. Until that returns false.
  ///
  /// For lists of short values, which need become no strings and no elements.
  package func forEach(
    _ name: String, _ namespace: String, keyed key: String,
    _ body: (_ key: UnsafeRawBufferPointer?, _ text: UnsafeRawBufferPointer, Element?) -> Bool
  ) {
    source.forEach(inside: part, name, namespace, keyed: key, body)
  }

  /// The text directly inside this element, in order, without that of child elements.
  package var text: String { source.text(of: part) }

  /// What the text stands for; nil where it is no base64 (RFC 4648 §4).
  package var base64: ByteBuffer? { source.base64(of: part) }

  /// The child elements, without the text between them.
  package var elements: Elements { Elements(source, inside: part) }

  package struct Elements: Collection, Sendable {
    /// Where an element is; no count of them.
    package struct Index: Comparable, Sendable {
      fileprivate let position: Int

      package static func < (a: Index, b: Index) -> Bool { a.position < b.position }
    }

    private let source: any ElementSource
    private let end: Int
    package let startIndex: Index
    package var endIndex: Index { Index(position: end) }

    fileprivate init(_ source: any ElementSource, inside part: Int) {
      self.source = source
      let children = source.children(of: part)
      end = children.upperBound
      startIndex = Index(position: source.element(from: children.lowerBound, to: end))
    }

    package func index(after index: Index) -> Index {
      Index(position: source.element(from: source.behind(index.position), to: end))
    }

    package subscript(index: Index) -> Element { source.element(at: index.position) }
  }
}

extension Element: Hashable {
  package static func == (a: Element, b: Element) -> Bool {
    a.name == b.name && a.namespace == b.namespace && a.attributes == b.attributes && a.content == b.content
  }

  package func hash(into hasher: inout Hasher) {
    hasher.combine(name)
    hasher.combine(namespace)
    hasher.combine(attributes)
    hasher.combine(content)
  }
}

extension Element.Content {
  init(_ nodes: [Element.Node]) {
    switch nodes.first {
    case nil: self = .empty
    case .text(let text)? where nodes.count == 1: self = .text(text)
    default: self = .nodes(nodes)
    }
  }

  mutating func append(text: String) {
    if case .empty = self { self = .text(text) } else { append(.text(text)) }
  }

  mutating func append(_ element: consuming Element) {
    append(.element(element))
  }

  private mutating func append(_ node: consuming Element.Node) {
    switch consume self {
    case .empty:
      self = .nodes([node])
    case .text(let text):
      self = .nodes([.text(text), node])
    case .nodes(var nodes):
      if nodes.count == 1 { nodes.reserveCapacity(8) }
      nodes.append(node)
      self = .nodes(nodes)
    }
  }
}
