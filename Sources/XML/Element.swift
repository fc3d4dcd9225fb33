/// An XML element as XMPP uses it: a name, its namespace, attributes, and children in document order.
///
/// Prefixes do not survive: the namespace is part of the name, and `XMLWriter` declares it again where it changes.
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
  package var children: [Node]

  /// Attributes whose value is nil are left out, so that optional ones need no `if` at the caller.
  package init(
    _ name: String, namespace: String, _ attributes: KeyValuePairs<String, String?> = [:], children: [Node] = []
  ) {
    self.name = name
    self.namespace = namespace
    self.attributes = attributes.compactMap { name, value in value.map { Attribute(name, $0) } }
    self.children = children
  }

  package init(_ name: String, namespace: String, _ attributes: KeyValuePairs<String, String?> = [:], text: String) {
    self.init(name, namespace: namespace, attributes, children: [.text(text)])
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
    children.compactMap { if case .element(let element) = $0 { element } else { nil } }
  }

  /// The first child element of this name; without a namespace given, in the namespace of this element.
  package func first(_ name: String, namespace: String? = nil) -> Element? {
    for case .element(let child) in children where child.is(name, namespace ?? self.namespace) { return child }
    return nil
  }

  /// The text directly inside this element, in order, without that of child elements.
  package var text: String {
    if children.count == 1, case .text(let text) = children[0] { return text }
    return children.reduce(into: "") { if case .text(let text) = $1 { $0 += text } }
  }
}
