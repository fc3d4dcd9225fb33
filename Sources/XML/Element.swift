/// An XML element as XMPP uses it: a name, its namespace, attributes, and children in document order.
///
/// The namespace is part of the name, and `ByteBuffer.write` declares it again where it changes. Prefixes have no meaning of
/// their own; those that came are kept for documents only, in whose values they may occur.
package struct Element: Sendable, Hashable {
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

  package var name: String
  package var namespace: String
  package var attributes: [Attribute]
  var content: Content
  /// Counts in no comparison.
  var spelling = Spelling()

  /// The children. Most elements have none but a text, which needs no array.
  enum Content: Sendable, Hashable {
    case empty
    case text(String)
    /// Neither empty, nor one text alone.
    case nodes([Node])
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

  /// Attributes whose value is nil are left out, so that optional ones need no `if` at the caller.
  package init(
    _ name: String, namespace: String, _ attributes: KeyValuePairs<String, String?> = [:], children: [Node] = []
  ) {
    self.name = name
    self.namespace = namespace
    self.attributes = attributes.compactMap { name, value in value.map { Attribute(name, $0) } }
    content = Content(children)
  }

  init(_ name: String, namespace: String, _ attributes: [Attribute], _ content: Content = .empty) {
    self.name = name
    self.namespace = namespace
    self.attributes = attributes
    self.content = content
  }

  package init(_ name: String, namespace: String, _ attributes: KeyValuePairs<String, String?> = [:], text: String) {
    self.init(name, namespace: namespace, attributes)
    content = .text(text)
  }

  package init(
    _ name: String, namespace: String, _ attributes: KeyValuePairs<String, String?> = [:], _ elements: [Element]
  ) {
    self.init(name, namespace: namespace, attributes, children: elements.map { .element($0) })
  }
}

extension Element {
  /// The value of the attribute without a namespace that has this name.
  package subscript(name: String) -> String? {
    get { attributes.first { $0.name == name && $0.namespace.isEmpty }?.value }
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

  package func `is`(_ name: String, _ namespace: String) -> Bool {
    self.name == name && self.namespace == namespace
  }

  /// The child elements, without the text between them.
  package var elements: [Element] {
    guard case .nodes(let nodes) = content else { return [] }
    return nodes.compactMap { if case .element(let element) = $0 { element } else { nil } }
  }

  /// The first child element of this name; without a namespace given, in the namespace of this element.
  package func first(_ name: String, namespace: String? = nil) -> Element? {
    guard case .nodes(let nodes) = content else { return nil }
    for case .element(let child) in nodes where child.is(name, namespace ?? self.namespace) { return child }
    return nil
  }

  /// The text directly inside this element, in order, without that of child elements.
  package var text: String {
    switch content {
    case .empty: ""
    case .text(let text): text
    case .nodes(let nodes): nodes.reduce(into: "") { if case .text(let text) = $1 { $0 += text } }
    }
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
