import NIOCore
import Testing
import XML

/// Documents inside stanzas, and what is handed on of them.
@Suite struct DocumentTests {
  /// The first element inside of the stanza's first, as it stands alone.
  private func document(_ stanza: String, inside namespace: String = "urn:xmpp:http") throws -> String {
    let outer = try #require(try Reading(stream(stanza)).elements.first)
    let wrapper = try #require(outer.elements.first)
    let root = try #require(wrapper.elements.first)
    var buffer = ByteBuffer()
    buffer.write(document: root.inheriting(from: [wrapper, outer]), inside: namespace)
    return String(buffer: buffer)
  }

  private func document(inside content: String) throws -> String {
    try document("<iq><xml xmlns='urn:xmpp:http'>\(content)</xml></iq>")
  }

  /// As it was, to the byte: whoever wrote it had its reasons.
  @Test(arguments: [
    "<a xmlns='urn:a'><b xmlns='urn:b' xml:lang='de'/><c>1 &lt; 2</c></a>",
    "<s:Envelope xmlns:s='urn:s' xmlns:xsi='urn:xsi' xmlns:x='urn:x'><s:Body xsi:type='x:string'>x:y</s:Body></s:Envelope>",
    "<a xmlns='urn:a' xmlns:p='urn:p' p:q='1' q='2' xml:space='preserve'> <p:b/> mixed <c/>\n\t</a>",
    "<p:a xmlns:p='urn:1'><p:b xmlns:p='urn:2'/><p:c/></p:a>",
    "<a xmlns='urn:a'><b xmlns=''><c/></b></a>",
    "<a xmlns='urn:a' xmlns:unused='urn:u'>unused:name</a>",
    "<a xmlns='urn:a' xmlns:p='urn:p'><p:b><c p:d='&lt;&amp;&gt;&quot;&apos;&#xD;&#xA;&#x9;'>&#xD;]]&gt;</c></p:b></a>",
    "<xml:a/>",
    "<a xmlns='http://etherx.jabber.org/streams'/>",
    "<ä xmlns='urn:ä' ö='€🧅'/>",
    "<table><value n='1'/><x xmlns='urn:x'/></table>",
  ])
  func isHandedOnAsItWasWritten(_ text: String) throws {
    #expect(try document(inside: text) == text)
  }

  @Test(arguments: [
    ("<a xmlns='urn:a'><![CDATA[<&]]>&#x41;&quot;</a>", "<a xmlns='urn:a'>&lt;&amp;A\"</a>"),
    ("<a xmlns=\"urn:a\"  b = 'c\nd' ></a >", "<a xmlns='urn:a' b='c d'/>"),
    ("<stream:a/>", "<stream:a xmlns:stream='http://etherx.jabber.org/streams'/>"),
    ("<stream:a stream:b='1'/>", "<stream:a xmlns:stream='http://etherx.jabber.org/streams' stream:b='1'/>"),
  ])
  func otherSpellingsMeanTheSame(_ text: String, expected: String) throws {
    #expect(try document(inside: text) == expected)
  }

  @Test func whatTagsAroundItDeclareIsDeclaredInside() throws {
    let stanza = """
      <iq xmlns:o='urn:o'><xml xmlns='urn:xmpp:http' xmlns:p='urn:p' xmlns:o='urn:nearer'>\
      <p:a p:b='1'><o:c>o:d</o:c></p:a></xml></iq>
      """
    let text = "<p:a xmlns:p='urn:p' xmlns:o='urn:nearer' p:b='1'><o:c>o:d</o:c></p:a>"
    #expect(try Set(document(stanza).split(separator: " ")) == Set(text.split(separator: " ")))
  }

  @Test func prefixesOfTheStreamAreDeclaredWhereTheyAreUsed() throws {
    let header = "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' xmlns:o='urn:o'>"
    let reading = try Reading("\(header)<iq><a xmlns='urn:a'><o:b/><o:b c='1' o:d='2'/></a></iq>")
    let root = try #require(reading.elements.first?.elements.first)
    var buffer = ByteBuffer()
    buffer.write(document: root, inside: "")
    #expect(
      String(buffer: buffer)
        == "<a xmlns='urn:a'><o:b xmlns:o='urn:o'/><o:b xmlns:o='urn:o' c='1' o:d='2'/></a>")
  }

  @Test func elementsThatWereNeverWrittenGetPrefixesWhereTheyNeedThem() throws {
    var element = Element("a", namespace: "urn:a", [:], [Element("b", namespace: "")])
    element.attributes = [
      .init("c", namespace: "urn:c", "1"), .init("lang", namespace: "http://www.w3.org/XML/1998/namespace", "en"),
    ]
    var buffer = ByteBuffer()
    buffer.write(document: element, inside: "")
    #expect(String(buffer: buffer) == "<a xmlns='urn:a' xmlns:n0='urn:c' n0:c='1' xml:lang='en'><b xmlns=''/></a>")
  }

  @Test func randomDocumentsReadTheSame() throws {
    var generator = SplitMix(state: 137)
    for _ in 0..<300 {
      let element = Element.random(depth: 0, &generator)
      var buffer = ByteBuffer()
      buffer.write(document: element, inside: "jabber:client")
      #expect(try Reading(stream(String(buffer: buffer))).elements == [element])
    }
  }

  @Test func prefixesCountInNoComparison() throws {
    let texts = ["<p:a xmlns:p='urn:a' p:b='1'/>", "<a xmlns='urn:a' xmlns:q='urn:a' q:b='1'/>"]
    let elements = try texts.map { try #require(try Reading(stream($0)).elements.first) }
    #expect(elements[0] == elements[1] && Set(elements).count == 1)
  }
}
