import Testing
import XML
import XMPP

@Suite struct StanzaTests {
  static let ping = Element("ping", namespace: Namespace.ping)

  @Test func stanzasAreOfOneNamespaceAndThreeNames() {
    for name in ["message", "presence", "iq"] {
      #expect(Stanza(Element(name, namespace: Namespace.client))?.kind.rawValue == name)
      #expect(Stanza(Element(name, namespace: "jabber:server")) == nil)
    }
    #expect(Stanza(Element("query", namespace: Namespace.client)) == nil)
  }

  @Test func whatIsReadIsWritten() throws {
    let element = Element(
      "iq", namespace: Namespace.client, ["from": "a@b", "to": "c@d", "type": "get", "id": "1"], [Self.ping])
    let stanza = try #require(Stanza(element))
    #expect(stanza == .get(id: "1", from: JID("a@b"), to: JID("c@d"), Self.ping))
    #expect(stanza.payload == Self.ping)
    #expect(stanza.element == element)
  }

  static let addresses: [(String, String?)] = [
    ("a@b", "a@b"), ("a@b/c", "a@b"), ("a@b/c@d/e", "a@b"), ("a/b", "a/b"), ("a/b@c", "a/b@c"), ("", nil),
    ("@", "@"),
    ("a@b #2", "a@b #2"), (String(repeating: "x", count: 1024), nil), ("a\nb", nil),
    ("a@b/\(String(repeating: "x", count: 64))", "a@b"),
  ]

  @Test(arguments: addresses) func addressesKeepTheirResources(text: String, bare: String?) {
    let stanza = Stanza(Element("message", namespace: Namespace.client, ["from": text, "to": text]))
    for address in [stanza?.from, stanza?.to] {
      #expect(address?.bare.text == bare)
      #expect(address?.text == bare.map { _ in text })
    }
  }

  @Test func answersGoBack() {
    let request = Stanza.set(id: "7", from: romeo, to: juliet, Self.ping)
    #expect(request.wantsAnswer && request.violation == nil)
    #expect(request.result() == Stanza(.iq, from: juliet, to: romeo, type: "result", id: "7"))
    let refusal = request.error(StanzaError(.forbidden, "not you"))
    #expect(refusal.from == juliet && refusal.to == romeo && refusal.id == "7" && refusal.kind == .iq)
    #expect(refusal.error == StanzaError(.forbidden, "not you", kind: .auth))
    #expect(refusal.isAnswer && !refusal.wantsAnswer && request.error == nil)
  }

  static let iqs: [(type: String?, id: String?, children: Int, isSound: Bool)] = [
    ("get", "1", 1, true), ("set", "1", 1, true), ("get", nil, 1, false), (nil, "1", 1, false), ("ask", "1", 1, false),
    ("get", "1", 0, false), ("set", "1", 2, false),
  ]

  @Test(arguments: iqs) func everyRequestCanBeAnswered(type: String?, id: String?, children: Int, isSound: Bool) {
    let stanza = Stanza(.iq, type: type, id: id, Array(repeating: Self.ping, count: children))
    #expect(stanza.wantsAnswer)
    #expect((stanza.violation == nil) == isSound)
    #expect(isSound || stanza.violation?.condition == .badRequest)
  }

  @Test(arguments: [Stanza(.message, type: "get", id: "1"), Stanza(.iq, type: "result"), Stanza(.iq, type: "error")])
  func nothingElseIs(stanza: Stanza) {
    #expect(!stanza.wantsAnswer && stanza.violation == nil)
  }

  @Test func anErrorWithoutAnErrorIsOneToo() {
    #expect(Stanza(.iq, type: "error", id: "1").error == StanzaError(.undefinedCondition))
  }

  @Test func bodiesOfMessages() {
    #expect(Stanza.chat(to: romeo, "hi").body == "hi")
    #expect(Stanza.chat(to: romeo, "hi").type == "chat")
    #expect(Stanza.message([Self.ping]).body == nil)
  }
}

@Suite struct ErrorTests {
  @Test(arguments: StanzaError.Condition.allCases) func stanzaErrorsSurvive(condition: StanzaError.Condition) {
    for error in [StanzaError(condition), StanzaError(condition, "why", kind: .wait)] {
      #expect(StanzaError(error.element) == error)
    }
    #expect(StanzaError.Condition.allCases.count == 22)
  }

  @Test func aStanzaErrorOnTheWire() {
    #expect(
      StanzaError(.badRequest, "no").element
        == Element(
          "error", namespace: Namespace.client, ["type": "modify"],
          [
            Element("bad-request", namespace: Namespace.stanzas),
            Element("text", namespace: Namespace.stanzas, text: "no"),
          ]))
  }

  @Test func whatIsUnknownIsUndefined() {
    let strange = Element(
      "error", namespace: Namespace.client, ["type": "strange"], [Element("odd", namespace: Namespace.stanzas)])
    #expect(StanzaError(strange) == StanzaError(.undefinedCondition))
    #expect(StreamError(Element("error", namespace: Namespace.streams)) == StreamError(.undefinedCondition))
  }

  /// An application's own condition may come first.
  @Test func otherNamespacesAreSkipped() {
    let error = Element(
      "error", namespace: Namespace.client, ["type": "wait"],
      [Element("gone", namespace: "urn:app"), Element("conflict", namespace: Namespace.stanzas)])
    #expect(StanzaError(error) == StanzaError(.conflict, kind: .wait))
  }

  @Test(arguments: StreamError.Condition.allCases) func streamErrorsSurvive(condition: StreamError.Condition) {
    for error in [StreamError(condition), StreamError(condition, "why")] {
      #expect(StreamError(error.element) == error)
    }
    #expect(StreamError.Condition.allCases.count == 25)
  }

  @Test(
    arguments: [
      (.notWellFormed, .notWellFormed), (.restricted, .restrictedXML), (.tooLarge(.depth), .policyViolation),
      (.invalidText, .badFormat), (.unsupportedEncoding, .unsupportedEncoding),
    ] as [(XMLError.Code, StreamError.Condition)])
  func unreadableXMLHasItsCondition(code: XMLError.Code, condition: StreamError.Condition) {
    #expect(StreamError(XMLError(code, "x")) == StreamError(condition, "x"))
  }
}
