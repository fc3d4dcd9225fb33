package import NIOCore

/// The root of a document inside a stanza, which means the same where it stands alone.
extension Element {
  /// With the prefixes that the tags around it declare, the nearest first: values of the document may mention them.
  package func inheriting(from ancestors: [Element]) -> Element {
    var root = self
    for ancestor in ancestors {
      root.spelling = root.spelling.adding(ancestor.spelling.declarations.filter { !$0.prefix.isEmpty })
    }
    return root
  }

  /// With the default namespace that it has where it stands alone, whatever is around it.
  package var standingAlone: Element {
    guard !spelling.prefix.isEmpty else { return self }
    var root = self
    root.spelling = root.spelling.adding([Spelling.Declaration(prefix: "", namespace: "")])
    return root
  }

  /// Whether it and all inside of it are so.
  package func isThroughout(_ isSo: (Element) -> Bool) -> Bool {
    isSo(self) && elements.allSatisfy { $0.isThroughout(isSo) }
  }

  /// Names that a parser keeps when it reads the tag: of the element, its attributes, prefixes and namespaces.
  package var names: [String] {
    [name, namespace, spelling.prefix] + attributes.flatMap { [$0.name, $0.namespace] } + spelling.attributePrefixes
      + spelling.declarations.flatMap { [$0.prefix, $0.namespace] }
  }

  /// Its values and the text directly inside of it.
  package var texts: [String] { attributes.map(\.value) + [text] }
}

extension ByteBuffer {
  /// Appends a document as it was written: with its own prefixes, each declared where it was, or at the first element that needs
  /// it where that was outside.
  ///
  /// `namespace` is the default namespace around it. All else is as `write(_:inside:)` has it, but that no prefix is taken for
  /// declared.
  ///
  /// A namespace that was declared outside may be long, and needed by many elements.
  ///
  /// - Parameter limit: bytes; where there are more, the document is left unfinished, and false comes back.
  @discardableResult
  package mutating func write(document root: Element, inside namespace: String, upTo limit: Int = .max) -> Bool {
    var scope = DocumentScope(namespace)
    let end = limit == .max ? limit : writerIndex + limit
    write(root, &scope, end)
    return writerIndex <= end
  }

  private mutating func write(_ element: Element, _ scope: inout DocumentScope, _ end: Int) {
    guard writerIndex <= end else { return }
    let tag = scope.enter(element)
    defer { scope.leave(tag) }
    writeString("<\(tag.name)")
    for declaration in tag.declarations {
      write(declaration.prefix.isEmpty ? "xmlns" : "xmlns:\(declaration.prefix)", declaration.namespace)
    }
    for (name, attribute) in zip(tag.attributes, element.attributes) { write(name, attribute.value) }
    guard element.content != .empty else {
      writeString("/>")
      return
    }
    writeString(">")
    for node in element.children {
      switch node {
      case .element(let child): write(child, &scope, end)
      case .text(let text): write(text: text)
      }
    }
    writeString("</\(tag.name)>")
  }

  /// An attribute whose name is not known beforehand.
  private mutating func write(_ name: String, _ value: String) {
    writeString(" \(name)")
    write("='", attributeValue: value, "'")
  }
}

/// What prefixes stand for at some place of a document.
private struct DocumentScope {
  /// An element's tag, but for the values of its attributes.
  struct Tag {
    let name: String
    let attributes: [String]
    let declarations: [Spelling.Declaration]
    /// What the prefixes that it declares stood for before it.
    let outer: [String?]
  }

  /// By prefix; the empty one is the default namespace.
  private var namespaces: [String: String]

  init(_ namespace: String) {
    namespaces = ["": namespace, "xml": XMLWriter.xml]
  }

  mutating func enter(_ element: Element) -> Tag {
    var declared: [Spelling.Declaration] = []
    var outer: [String?] = []
    func declare(_ declaration: Spelling.Declaration) {
      declared.append(declaration)
      outer.append(namespaces.updateValue(declaration.namespace, forKey: declaration.prefix))
    }
    for declaration in element.spelling.declarations where declaration.prefix != "xml" { declare(declaration) }
    /// The prefix by which a name of this namespace is written in this tag.
    func prefix(_ wanted: String, _ namespace: String, _ index: Int?) -> String {
      if namespace == XMLWriter.xml { return "xml" }
      if namespaces[wanted] == namespace, index == nil || !wanted.isEmpty { return wanted }
      var prefix = wanted
      // An attribute without a prefix has no namespace; a prefix that this very tag gives to another one is taken.
      if index != nil && prefix.isEmpty || declared.contains(where: { $0.prefix == prefix }) || prefix == "xml" {
        prefix = "n\(index.map(String.init) ?? "")"
        while declared.contains(where: { $0.prefix == prefix }) { prefix += "n" }
      }
      declare(Spelling.Declaration(prefix: prefix, namespace: namespace))
      return prefix
    }
    let own = prefix(element.spelling.prefix, element.namespace, nil)
    let prefixes = element.spelling.attributePrefixes
    let attributes = element.attributes.enumerated().map { index, attribute in
      guard !attribute.namespace.isEmpty else { return attribute.name }
      let wanted = index < prefixes.count ? prefixes[index] : ""
      return "\(prefix(wanted, attribute.namespace, index)):\(attribute.name)"
    }
    return Tag(
      name: own.isEmpty ? element.name : "\(own):\(element.name)", attributes: attributes, declarations: declared,
      outer: outer)
  }

  /// Behind the element: a copy for each would cost, with many prefixes and many elements, their product.
  mutating func leave(_ tag: Tag) {
    for (declaration, namespace) in zip(tag.declarations, tag.outer).reversed() {
      namespaces[declaration.prefix] = namespace
    }
  }
}
