import NIOCore
import Testing
import XML

@Suite struct XMLReaderTests {
  static let client = "jabber:client"

  @Test func aStreamGivesItsRootItsChildrenAndItsEnd() throws {
    let reading = try Reading(
      """
      <?xml version='1.0' encoding='UTF-8'?>
      <stream:stream to='juliet@pronto' xmlns:stream='http://etherx.jabber.org/streams' xmlns="jabber:client"
        version='1.0'>
       <message type='chat'><body>hi</body></message>\t
       <iq/>
      </stream:stream> and whatever follows <
      """)
    #expect(reading.error == nil)
    #expect(
      reading.events == [
        .opened(
          Element("stream", namespace: "http://etherx.jabber.org/streams", ["to": "juliet@pronto", "version": "1.0"])),
        .element(
          Element(
            "message", namespace: Self.client, ["type": "chat"], [Element("body", namespace: Self.client, text: "hi")])),
        .element(Element("iq", namespace: Self.client)),
        .closed,
      ])
  }

  @Test func anEmptyRootOpensAndCloses() throws {
    #expect(try Reading("<a/>").events == [.opened(Element("a", namespace: "")), .closed])
  }

  /// Content of an element `<a>` and what it is as children.
  static let texts: [(String, String)] = [
    ("plain", "plain"),
    ("&lt;&gt;&amp;&quot;&apos;", "<>&\"'"),
    ("&#65;&#x20AC;&#38;#38;", "A€&#38;"),
    ("a<![CDATA[<b>&amp;]]]]><![CDATA[>]]>c", "a<b>&amp;]]>c"),
    ("<![CDATA[]]>", ""),
    ("a > b \" ' =", "a > b \" ' ="),
    ("one\r\ntwo\rthree&#xD;four", "one\ntwo\nthree\rfour"),
    ("Ψ €🧅 ü", "Ψ €🧅 ü"),
    (String(repeating: "ü€", count: 1000), String(repeating: "ü€", count: 1000)),
    (" \n ", " \n "),
  ]

  @Test(arguments: texts) func oneRunOfTextIsOneNode(xml: String, text: String) throws {
    let elements = try Reading(stream("<a>\(xml)</a>")).elements
    #expect(elements == [Element("a", namespace: Self.client, children: text.isEmpty ? [] : [.text(text)])])
  }

  static let values: [(String, String)] = [
    ("'a>b'", "a>b"), ("\"it's\"", "it's"), ("'&amp;&lt;&gt;&apos;&quot;'", "&<>'\""), ("'&amp;amp;'", "&amp;"),
    ("'&amp;#38;'", "&#38;"), ("'&#38;&#x26;#38;'", "&&#38;"), ("'a\tb\nc'", "a b c"), ("'&#9;&#xA;&#xD;'", "\t\n\r"),
    ("''", ""), ("'Ψ🧅'", "Ψ🧅"),
  ]

  @Test(arguments: values) func attributesComeUnescaped(xml: String, value: String) throws {
    #expect(try Reading(stream("<a b = \(xml) />")).elements.first?["b"] == value)
  }

  @Test func namespacesAreResolved() throws {
    let elements = try Reading(
      stream("<p:a xmlns:p='urn:p' p:b='1' b='2' xml:lang='el'><c/><d xmlns='urn:d'><p:e xmlns:p='urn:q'/></d></p:a>")
    ).elements
    var expected = Element(
      "a", namespace: "urn:p", [:],
      [
        Element("c", namespace: Self.client),
        Element("d", namespace: "urn:d", [:], [Element("e", namespace: "urn:q")]),
      ])
    expected.attributes = [
      .init("b", namespace: "urn:p", "1"), .init("b", "2"),
      .init("lang", namespace: "http://www.w3.org/XML/1998/namespace", "el"),
    ]
    #expect(elements == [expected])
  }

  @Test func mixedContentKeepsItsOrder() throws {
    #expect(
      try Reading(stream("<a>x<b>y</b>z</a>")).elements == [
        Element(
          "a", namespace: Self.client,
          children: [.text("x"), .element(Element("b", namespace: Self.client, text: "y")), .text("z")])
      ])
  }

  /// Every one of these is cut everywhere, whether it is sound or not.
  static let documents: [String] = [
    "<?xml version='1.0'?>\n<s xmlns='a' xmlns:p='b'> <p:x y='1>2' z=\"'\">t&amp;<![CDATA[<]>]]]]>ü€🧅</p:x>\n<e/></s>",
    "<s><a>\(String(repeating: "ü", count: 200))</a><b c='\(String(repeating: "€", count: 100))'/></s>",
    "<s> <a>x\r\ny\r</a>\r\n<a/> text <b/></s>",
    "<s><a>]]></a></s>",
    "<s><a/><!-- no --></s>",
    "<s><a>&x;</a></s>",
    "<s><a><b></a></s>",
    "<s><a b='1' b='2'/></s>",
    "<s><a b='1'c='2'/></s>",
    "<s><a/></s><s>",
    // Text long enough to pass the parser by, if it arrives in few pieces.
    "<s><a>\(long)<b/>\(long)&amp;\(long)]]<c/> \(long)\r\n</a><a>\(long)</a></s>",
    "<s><a><![CDATA[\(long)]]>\(long)</a><b>\(long)]]></b></s>",
    "<s><a>\(long)</b></s>",
    "<s><a></b>\(long)</a></s>",
    "<s>\(long)</s>",
  ]
  static let long = String(repeating: "Zm9v\n~> ", count: 80)

  @Test(arguments: documents) func anySplitGivesTheSame(document: String) throws {
    let bytes = Array(document.utf8)
    let whole = try Reading(bytes: bytes)
    #expect(!whole.events.isEmpty)
    for parts in splits(bytes) {
      #expect(try Reading(parts) == whole, "\(parts.map(\.readableBytes))")
    }
  }

  /// Sound documents with a few bytes changed: most break somewhere, and always at the same place.
  @Test func anySplitOfHostileInputGivesTheSame() throws {
    var generator = SplitMix(state: 6120)
    let markup = Array("<>'\"&=/!?[]- \n;:#ax\u{0}".utf8) + [0xC3, 0xFF]
    for document in Self.documents {
      for _ in 0..<100 {
        var bytes = Array(document.utf8)
        for _ in 0..<Int.random(in: 1...3, using: &generator) {
          bytes[Int.random(in: 0..<bytes.count, using: &generator)] = markup.randomElement(using: &generator)!
        }
        let whole = try Reading(bytes: bytes)
        #expect(
          try Reading(bytes.map { ByteBuffer(bytes: [$0]) }) == whole, "\(String(decoding: bytes, as: UTF8.self))")
      }
    }
  }

  @Test func aLargeTextArrivesWhole() throws {
    let text = String(repeating: "QmFzZTY0", count: 8192)
    let bytes = Array(stream("<data>\(text)</data>").utf8)
    for size in [1, 1000, 16384, bytes.count] {
      let parts = stride(from: 0, to: bytes.count, by: size).map { start in
        ByteBuffer(bytes: bytes[start..<min(start + size, bytes.count)])
      }
      #expect(try Reading(parts).elements.first?.text == text)
    }
  }
}
