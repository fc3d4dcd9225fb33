import NIOCore
import Testing
import XML

@Suite struct XMLWriterTests {
  static let client = "jabber:client"
  static let streams = "http://etherx.jabber.org/streams"
  static let xml = "http://www.w3.org/XML/1998/namespace"

  static func written(_ element: Element, inside namespace: String = client) -> String {
    var buffer = ByteBuffer()
    buffer.write(element, inside: namespace)
    return String(buffer: buffer)
  }

  static let elements: [(Element, String)] = [
    (Element("iq", namespace: client), "<iq/>"),
    (Element("a", namespace: client, text: "<&>\"'\r\n\t]]>"), "<a>&lt;&amp;&gt;\"'&#xD;\n\t]]&gt;</a>"),
    (
      Element("a", namespace: client, ["b": "<&>\"'\r\n\t", "c": nil]),
      "<a b='&lt;&amp;&gt;&quot;&apos;&#xD;&#xA;&#x9;'/>"
    ),
    (
      Element("a", namespace: client, text: "\u{0}\u{1F}\u{FFFE}\u{FFFF}\u{FFFD}ï¿🧅\u{7F}"),
      "<a>����\u{FFFD}ï¿🧅\u{7F}</a>"
    ),
    (
      Element("iq", namespace: client, [:], [Element("ping", namespace: "urn:xmpp:ping")]),
      "<iq><ping xmlns='urn:xmpp:ping'/></iq>"
    ),
    (
      Element("q", namespace: "urn:q", [:], [Element("r", namespace: "urn:q"), Element("s", namespace: client)]),
      "<q xmlns='urn:q'><r/><s xmlns='jabber:client'/></q>"
    ),
    (Element("a", namespace: ""), "<a xmlns=''/>"),
    (
      Element(
        "features", namespace: streams, [:],
        [Element("starttls", namespace: "urn:tls", [:], [Element("required", namespace: "urn:tls")])]),
      "<stream:features><starttls xmlns='urn:tls'><required/></starttls></stream:features>"
    ),
    (Element("a", namespace: client, [:], children: [.text("")]), "<a></a>"),
    (
      Element("a", namespace: xml, [:], [Element("b", namespace: client), Element("c", namespace: xml)]),
      "<xml:a><b/><xml:c/></xml:a>"
    ),
  ]

  @Test(arguments: elements) func elementsAreWrittenWithoutSpace(element: Element, xml: String) {
    #expect(Self.written(element) == xml)
  }

  @Test func attributesWithNamespacesGetPrefixes() throws {
    var element = Element("a", namespace: Self.client)
    element.attributes = [
      .init("lang", namespace: Self.xml, "en"), .init("b", namespace: "urn:b", "1"),
    ]
    #expect(Self.written(element) == "<a xml:lang='en' xmlns:a1='urn:b' a1:b='1'/>")
    #expect(try Reading(stream(Self.written(element))).elements == [element])
  }

  @Test func withoutADefaultNamespaceADocumentStandsAlone() {
    #expect(Self.written(Element("html", namespace: "urn:html"), inside: "") == "<html xmlns='urn:html'/>")
    #expect(Self.written(Element("note", namespace: ""), inside: "") == "<note/>")
  }

  @Test func whatIsWrittenIsReadBack() throws {
    var generator = SplitMix(state: 332)
    for _ in 0..<300 {
      let element = Element.random(depth: 0, &generator)
      #expect(try Reading(stream(Self.written(element))).elements == [element])
    }
  }

  @Test(arguments: ["", "plain", "a\tb\nc", "<&>", "€🧅\u{FFFD}\u{7F}\u{10FFFF}", "ï¿ ￼"])
  func textThatXMLCarries(text: String) throws {
    #expect(XMLWriter.canCarry(text))
    let element = Element("a", namespace: Self.client, text: text)
    #expect(try Reading(stream(Self.written(element))).elements.first?.text == text)
  }

  @Test(arguments: ["\r", "a\r\nb", "\u{0}", "\u{B}", "\u{1B}[0m", "\u{FFFE}", "x\u{FFFF}"])
  func textThatXMLDoesNotCarry(text: String) {
    #expect(!XMLWriter.canCarry(text))
  }
}

extension Element {
  static func random(depth: Int, _ generator: inout SplitMix) -> Element {
    func pick<T>(_ values: [T]) -> T { values.randomElement(using: &generator)! }
    func text() -> String {
      (0..<Int.random(in: 1...8, using: &generator)).map { _ in
        pick(["a", "&", "<", ">", "'", "\"", "\n", "\t", "\r", " ", "]]>", "ü", "🧅", "&amp;", "&#38;", "\u{FFFD}"])
      }.joined()
    }
    let namespaces = ["jabber:client", "urn:a", "", "http://etherx.jabber.org/streams", "urn:&'<", XMLWriterTests.xml]
    var element = Element(pick(["a", "b-c", "ü", "x.1"]), namespace: pick(namespaces))
    for name in ["p", "q", "r"] where Bool.random(using: &generator) {
      element.attributes.append(
        Attribute(name, namespace: pick(["", "", "urn:a", "urn:b", XMLWriterTests.xml]), text()))
    }
    while depth < 4, Int.random(in: 0..<3, using: &generator) > 0 {
      if case .text = element.children.last {
        element.children.append(.element(random(depth: depth + 1, &generator)))
      } else {
        element.children.append(pick([.text(text()), .element(random(depth: depth + 1, &generator))]))
      }
    }
    return element
  }
}
