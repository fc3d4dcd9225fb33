package import XML

/// A message, presence or IQ (RFC 6120 §8).
package struct Stanza: Sendable, Hashable {
  package enum Kind: String, Sendable, Hashable { case message, presence, iq }

  package var kind: Kind
  /// nil where it is missing or no address.
  package var from: JID?
  /// nil where it is missing or no address.
  package var to: JID?
  package var type: String?
  package var id: String?
  package var children: [Element]

  package init(
    _ kind: Kind, from: JID? = nil, to: JID? = nil, type: String? = nil, id: String? = nil, _ children: [Element] = []
  ) {
    self.kind = kind
    self.from = from
    self.to = to
    self.type = type
    self.id = id
    self.children = children
  }

  /// Fails where the element is no stanza of `jabber:client`. Text beside the children is dropped.
  package init?(_ element: Element) {
    self.init(element, from: element["from"].flatMap { JID($0) }, to: element["to"].flatMap { JID($0) })
  }

  /// The same with other addresses than it says.
  init?(_ element: Element, from: JID?, to: JID?) {
    guard element.namespace == Namespace.client, let kind = Kind(rawValue: element.name) else { return nil }
    (self.kind, self.from, self.to) = (kind, from, to)
    (type, id) = (element["type"], element["id"])
    children = Array(element.elements)
  }

  package var element: Element {
    Element(
      kind.rawValue, namespace: Namespace.client, ["from": from?.text, "to": to?.text, "type": type, "id": id],
      children)
  }

  /// The first child: what an IQ or message is about.
  package var payload: Element? { children.first }

  package func first(_ name: String, _ namespace: String) -> Element? {
    children.first { $0.is(name, namespace) }
  }
}

/// IQs (RFC 6120 §8.2.3).
extension Stanza {
  package static func get(id: String, from: JID? = nil, to: JID? = nil, _ payload: Element) -> Stanza {
    Stanza(.iq, from: from, to: to, type: "get", id: id, [payload])
  }

  package static func set(id: String, from: JID? = nil, to: JID? = nil, _ payload: Element) -> Stanza {
    Stanza(.iq, from: from, to: to, type: "set", id: id, [payload])
  }

  /// Whether the sender waits for a result or an error: any IQ that is neither, unknown types included.
  package var wantsAnswer: Bool { kind == .iq && !isAnswer }

  /// An IQ result or error.
  package var isAnswer: Bool { kind == .iq && (type == "result" || type == "error") }

  /// What is wrong with an IQ that wants an answer, by the rules for all IQs: it has an id, its type is `get` or `set`, and
  /// it holds one element. nil where it keeps them.
  package var violation: StanzaError? {
    guard wantsAnswer else { return nil }
    if id == nil { return StanzaError(.badRequest, "an IQ needs an id") }
    guard type == "get" || type == "set" else { return StanzaError(.badRequest, "an IQ's type is get or set") }
    return children.count == 1 ? nil : StanzaError(.badRequest, "an IQ holds exactly one element")
  }

  /// The answer to this request.
  package func result(_ payload: Element? = nil) -> Stanza {
    Stanza(.iq, from: to, to: from, type: "result", id: id, payload.map { [$0] } ?? [])
  }

  /// The refusal of this stanza; sender and addressee change places.
  package func error(_ error: StanzaError) -> Stanza {
    Stanza(kind, from: to, to: from, type: "error", id: id, [error.element])
  }

  /// The error that this stanza reports; a stanza of type `error` without one is an undefined condition.
  package var error: StanzaError? {
    guard type == "error" else { return nil }
    return first("error", Namespace.client).map(StanzaError.init) ?? StanzaError(.undefinedCondition)
  }
}

/// Messages (RFC 6121 §5).
extension Stanza {
  package static func message(
    to: JID? = nil, type: String? = nil, id: String? = nil, _ children: [Element]
  ) -> Stanza {
    Stanza(.message, to: to, type: type, id: id, children)
  }

  /// A line of chat; some clients show messages of type `chat` only.
  package static func chat(to: JID? = nil, _ body: String) -> Stanza {
    message(to: to, type: "chat", [Element("body", namespace: Namespace.client, text: body)])
  }

  package var body: String? { first("body", Namespace.client)?.text }
}
