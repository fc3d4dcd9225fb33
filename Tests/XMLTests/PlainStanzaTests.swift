import Codecs
import NIOCore
import Testing

@testable import XML

/// What passes the parser by is what it would make of it.
@Suite struct PlainStanzaTests {
  /// Content of a stream, whose names are known by the time that each comes again.
  static let plain: [String] = [
    "<iq/>",
    "<iq></iq>",
    "<iq type='set' id=\"1\"><req xmlns='urn:xmpp:http' method='GET' resource='/a?b=1&amp;c=2'/></iq>",
    "<iq a='it&apos;s &lt;&gt;&quot;' b=\"it's > = /\"/>",
    "<message><body>a &lt;b&gt; &amp;amp; ]] ]> \t\n \"'</body><x xmlns='urn:x'><y>z</y> <y/></x></message>",
    "<message>one<body/>two<body>three</body></message>",
    "<a xmlns=''><a xmlns='urn:x'><a/></a></a>",
    "<iq><data xmlns='urn:d'>\(String(repeating: "Zm9v", count: 1000))</data></iq>",
  ]

  /// The parser's, and read by it all the same.
  static let others: [String] = [
    "<iq\n/>", "<iq />", "<iq  a='1'/>", "<iq a ='1'/>", "<iq></iq >", "<iq a='1' b='&#65;'/>", "<iq>&#65;</iq>",
    "<iq>ü</iq>", "<iq a='ü'/>", "<iq a='1\n2'/>", "<iq>a\r\nb</iq>", "<iq><![CDATA[a]]></iq>", "<iq xml:lang='en'/>",
    "<p:iq xmlns:p='urn:p'/>", "<iq xmlns:p='urn:p'/>", "<iq>\u{7F}</iq>",
  ]

  /// Nobody's.
  static let broken: [String] = [
    "<iq><a></iq></a>", "<iq a='1' a='2'/>", "<iq xmlns='urn:x' xmlns='urn:y'/>", "<iq a='<'/>", "<iq>]]></iq>",
    "<iq>&nbsp;</iq>", "<iq>&amp</iq>", "<iq a=1/>", "<iq a='1'b='2'/>", "<iq/ >", "<iq><!-- --></iq>",
    "<iq xmlns='http://www.w3.org/XML/1998/namespace'/>", "<iq xmlns='http://www.w3.org/2000/xmlns/'/>",
    "<iq>\u{1}</iq>", "<urn:x/>", "<jabber:client/>", "<iq urn:x='1'/>", "<iq:iq/>", "<iq><iq:a/></iq>",
  ]

  /// All names of the stanzas above, and those that `broken` ones must not get by.
  private static let known =
    stream(
      "<iq type='' id='' a='' b='' xmlns:p='http://www.w3.org/2000/xmlns' xml:lang=''><req method='' resource=''/></iq>"
        + "<message><body/><x xmlns='urn:x'/><y xmlns='urn:y'/><a xmlns=''/><data xmlns='urn:d'/><b xmlns='urn:xmpp:http'/>"
        + "</message>")

  /// What the reader of plain stanzas says, once the names are known.
  private func read(_ stanza: String, limits: XMLLimits = .established) throws -> (element: Element, count: Int)? {
    let parser = Parser(limits: .established)
    let reader = XMLReader(limits: .established, parser: parser)
    try reader.feed(ByteBuffer(string: Self.known)) { _ in }
    var plainReader = PlainStanzaReader(names: parser.names)
    plainReader.begin(inside: "jabber:client")
    return Array(stanza.utf8).withUnsafeBytes { plainReader.read($0, limits) }
  }

  /// Byte by byte nothing is all there, so that the parser reads it.
  private func parsed(_ document: String) throws -> Reading {
    try Reading(document.utf8.map { ByteBuffer(bytes: [$0]) })
  }

  @Test(arguments: plain) func isReadAsTheParserReadsIt(stanza: String) throws {
    let plain = try #require(try read(stanza + "<next"))
    #expect(plain.count == stanza.utf8.count)
    #expect(try parsed(Self.known + stanza).elements.last == plain.element)
    #expect(try Reading(Self.known + stanza + stanza) == (try parsed(Self.known + stanza + stanza)))
  }

  /// Names are expected where they came last, which is only where they mostly come.
  @Test func stanzasInAnyOrderAreReadAsTheParserReadsThem() throws {
    var generator = SplitMix(state: 333)
    for _ in 0..<20 {
      let text = Self.known + (0..<50).map { _ in Self.plain.randomElement(using: &generator)! }.joined()
      #expect(try Reading(text) == (try parsed(text)))
    }
  }

  @Test(arguments: plain) func itsElementsAnswerAsTheParsersDo(stanza: String) throws {
    let plain = try #require(try read(stanza)).element
    func check(_ plain: Element, _ parsed: Element) {
      #expect(plain.text == parsed.text)
      #expect(plain.base64 == parsed.base64)
      #expect(plain.hashValue == parsed.hashValue)
      for attribute in parsed.attributes {
        #expect(plain[attribute.name] == attribute.value)
        #expect(plain[attribute.name, namespace: ""] == attribute.value)
      }
      #expect(plain["unknown"] == nil)
      #expect(plain["a", namespace: "urn:x"] == nil)
      #expect(plain.elements.count == parsed.elements.count)
      for (one, other) in zip(plain.elements, parsed.elements) { check(one, other) }
    }
    check(plain, try #require(try parsed(Self.known + stanza).elements.last))
  }

  /// Of the stanza that it came in nothing changes.
  @Test func anElementOfItCanBeChanged() throws {
    let element = try #require(try read("<iq id='1'><x xmlns='urn:x' a='2'>y</x></iq>")).element
    var changed = try #require(element.elements.first)
    changed["a"] = "3"
    changed["b"] = "4"
    changed.children.append(.element(Element("z", namespace: "urn:x")))
    #expect(
      changed
        == Element(
          "x", namespace: "urn:x", ["a": "3", "b": "4"],
          children: [
            .text("y"), .element(Element("z", namespace: "urn:x")),
          ]))
    #expect(element.elements.first == Element("x", namespace: "urn:x", ["a": "2"], text: "y"))
  }

  @Test(arguments: others + broken) func leavesAllElseToTheParser(stanza: String) throws {
    #expect(try read(stanza) == nil)
    #expect(try Reading(Self.known + stanza + stanza) == (try parsed(Self.known + stanza + stanza)))
  }

  @Test(arguments: plain) func aStanzaThatIsNotAllThereIsTheParsers(stanza: String) throws {
    for length in stride(from: 0, to: stanza.utf8.count, by: 1 + stanza.utf8.count / 100) {
      #expect(try read(String(decoding: stanza.utf8.prefix(length), as: UTF8.self)) == nil)
    }
  }

  @Test func namesThatTheParserHasNotMetAreTheParsers() throws {
    #expect(try read("<unknown/>") == nil)
    #expect(try read("<iq unknown=''/>") == nil)
    #expect(try read("<iq xmlns='urn:unknown'/>") == nil)
  }

  @Test func itKeepsTheLimits() throws {
    let limits = XMLLimits(stanzaBytes: 40, elements: 3, depth: 2, attributes: 2)
    for (stanza, isRead) in [
      ("<iq><a/><b/></iq>", true), ("<iq><a/><b/><a/></iq>", false), ("<iq><a><b/></a></iq>", false),
      ("<iq a='' b=''/>", true), ("<iq a='' b='' id=''/>", false), ("<iq a='' b='' xmlns='urn:x'/>", false),
      ("<iq>\(String(repeating: "x", count: 31))</iq>", true), ("<iq>\(String(repeating: "x", count: 32))</iq>", false),
    ] {
      #expect((try read(stanza, limits: limits) != nil) == isRead, "\(stanza)")
    }
  }

  /// Sound stanzas with a few bytes changed.
  @Test func hostileStanzasAreReadAsTheParserReadsThem() throws {
    var generator = SplitMix(state: 332)
    let markup = Array("<>'\"&=/!?[]- \n;:#ax\u{0}".utf8) + [0x7F, 0xC3, 0xFF]
    for stanza in (Self.plain + Self.others).filter({ $0.utf8.count < 1000 }) {
      for _ in 0..<200 {
        var bytes = Array(stanza.utf8)
        for _ in 0..<Int.random(in: 1...2, using: &generator) {
          bytes[Int.random(in: 0..<bytes.count, using: &generator)] = markup.randomElement(using: &generator)!
        }
        bytes = Array(Self.known.utf8) + bytes
        #expect(
          try Reading(bytes: bytes) == (try Reading(bytes.map { ByteBuffer(bytes: [$0]) })),
          "\(String(decoding: bytes, as: UTF8.self))")
      }
    }
  }
}

@Suite struct NamedValuesTests {
  /// The same list, as it is read plainly, by the parser, and as it is made.
  private static let lists: [Element] = {
    let text =
      "<l xmlns='urn:l'><v k='a'>1</v> <v>&lt;2&gt;</v><other k='b'>3</other><v k='it&apos;s'/><v k='c'>4<v/>5</v>"
      + "<v xmlns='urn:m' k='d'>6</v></l>"
    let known = stream("<l xmlns='urn:l'><v k=''/><other/></l><v xmlns='urn:m'/>")
    let whole = try! Reading(known + text), parts = try! Reading((known + text).utf8.map { ByteBuffer(bytes: [$0]) })
    return [whole.elements.last!, parts.elements.last!]
  }()

  @Test(arguments: lists) func areToldInOrder(list: Element) {
    var told: [String] = []
    list.forEach("v", "urn:l", keyed: "k") { key, text, _ in
      told.append("\(key.map { String(decoding: $0, as: UTF8.self) } ?? "-")=\(String(decoding: text, as: UTF8.self))")
      return true
    }
    #expect(told == ["a=1", "-=<2>", "it's=", "c=45"])
  }

  @Test(arguments: lists) func theListEndsWhereItIsNotWantedAnyMore(list: Element) {
    var count = 0
    list.forEach("v", "urn:l", keyed: "k") { _, _, _ in
      count += 1
      return count < 2
    }
    #expect(count == 2)
  }

  @Test func elementsWithPrefixesAreTold() throws {
    let text = stream("<l xmlns='urn:l'><v k='a' xmlns:h='urn:h' h:mark='yes'>1</v></l>")
    var marks: [String?] = []
    try #require(try Reading(text).elements.first).forEach("v", "urn:l", keyed: "k") { _, _, element in
      marks.append(element?["mark", namespace: "urn:h"])
      return true
    }
    #expect(marks == ["yes"])
  }
}

@Suite struct NameTableTests {
  private func find(_ text: String, in table: NameTable) -> String? {
    table.find(text).map { table.texts[Int($0)] }
  }

  @Test func findsWhatItHasLearnt() {
    let table = NameTable()
    let names =
      (0..<60).map { "name\($0)" } + (0..<40).map { "urn:example:of:a:long:namespace:\($0):and:its:end" } + ["a"]
    for name in names + names { table.learn(name) }
    for name in names { #expect(find(name, in: table) == name) }
    #expect(find("name60", in: table) == nil)
    // The same at both ends.
    #expect(find("urn:example:of:a:long:namespace:3:AND:its:end", in: table) == nil)
  }

  @Test func itsSizeIsBounded() {
    let table = NameTable()
    table.learn(String(repeating: "x", count: NameTable.longest + 1))
    #expect(find(String(repeating: "x", count: NameTable.longest + 1), in: table) == nil)
    for index in 0..<1000 { table.learn("\(index)") }
    #expect(find("127", in: table) == "127")
    #expect(find("128", in: table) == nil)
  }
}
