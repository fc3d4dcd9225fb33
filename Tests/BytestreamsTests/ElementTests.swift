import Codecs
import Bytestreams
import NIOCore
import Testing
import XML
import XMPP

@Suite struct IBBElementTests {
  static let example = """
    qANQR1DBwU4DX7jmYZnncmUQB/9KuKBddzQH+tZ1ZywKK0yHKnq57kWq+RFtQdCJ
        WpdWpR0uQsuJe7+vh3NWn59/gTc5MDlX8dS9p0ovStmNcyLhxVgmqS8ZKhsblVeu
        IpQ0JgavABqibJolc3BKrVtVV1igKiX/N7Pi8RtY1K18toaMDhdEfhBRzO/XB0+P
        AQhYlRjNacGcslkhXqNjK5Va4tuOAPy2n1Q8UUrHbUd0g+xJ9Bm0G0LZXyvCWyKH
        kuNEHFQiLuCY6Iv0myq6iX6tjuHehZlFSh80b5BVV9tNLwNR5Eqz1klxMhoghJOA
    """

  @Test func openOfTheXEP() throws {
    let open = try payload(
      of: """
        <iq from='romeo@montague.net/orchard' id='jn3h8g65' to='juliet@capulet.com/balcony' type='set'>
          <open xmlns='http://jabber.org/protocol/ibb' block-size='4096' sid='i781hf64' stanza='iq'/>
        </iq>
        """)
    #expect(try IBBElement(open) == .open(IBBOpen(sid: "i781hf64", blockSize: 4096, carrier: .iq)))
  }

  @Test(arguments: ["iq", "message"]) func dataOfTheXEP(carrier: String) throws {
    let data = try payload(
      of: """
        <\(carrier) from='romeo@montague.net/orchard' id='kr91n475' to='juliet@capulet.com/balcony'>
          <data xmlns='http://jabber.org/protocol/ibb' seq='0' sid='i781hf64'>
            \(Self.example)
          </data>
        </\(carrier)>
        """)
    guard case .data(let block) = try IBBElement(data) else { return #expect(Bool(false), "no block") }
    #expect(block.sid == "i781hf64")
    #expect(block.seq == 0)
    #expect(block.bytes.readableBytes == 240)
    #expect(Base64.encode(block.bytes) == Self.example.filter { !$0.isWhitespace })
  }

  @Test func closeOfTheXEP() throws {
    let close = try payload(
      of: """
        <iq from='romeo@montague.net/orchard' id='us71g45j' to='juliet@capulet.com/balcony' type='set'>
          <close xmlns='http://jabber.org/protocol/ibb' sid='i781hf64'/>
        </iq>
        """)
    #expect(try IBBElement(close) == .close(sid: "i781hf64"))
  }

  @Test func carrierIsIQUnlessSaidOtherwise() throws {
    let open = Element("open", namespace: Namespace.ibb, ["sid": "s", "block-size": "1"])
    #expect(try IBBElement(open) == .open(IBBOpen(sid: "s", blockSize: 1, carrier: .iq)))
  }

  @Test func everythingSentIsReadBack() throws {
    let sent: [IBBElement] = [
      .open(IBBOpen(sid: "a", blockSize: 65535, carrier: .message)),
      .data(IBBBlock(sid: "a<'\"&", seq: 65535, bytes: bytes("Juliet"))), .close(sid: "ä b"),
    ]
    for element in sent { #expect(try IBBElement(element.element) == element) }
  }

  @Test func aBlockWrittenStraightIsTheSameElement() throws {
    let block = IBBBlock(sid: "a<'\"&", seq: 7, bytes: bytes("Juliet"))
    var written = bytes("<iq>")
    block.write(into: &written)
    written.writeString("</iq>")
    #expect(try payload(of: String(buffer: written)) == IBBElement.data(block).element)
  }

  /// COMPAT(IoTGateway).
  @Test func aNumberThatNeverWrapsIsWrapped() throws {
    let data = Element("data", namespace: Namespace.ibb, ["sid": "s", "seq": "65537"], text: "")
    #expect(try IBBElement(data) == .data(IBBBlock(sid: "s", seq: 1, bytes: ByteBuffer())))
  }

  @Test func otherNamespacesAreNotItsBusiness() throws {
    #expect(try IBBElement(Element("open", namespace: "urn:other")) == nil)
  }

  static let unreadable: [(Element, transfer: String?)] = [
    (Element("open", namespace: Namespace.ibb, ["block-size": "4096"]), nil),
    (Element("open", namespace: Namespace.ibb, ["sid": "", "block-size": "4096"]), nil),
    (Element("open", namespace: Namespace.ibb, ["sid": String(repeating: "s", count: 257), "block-size": "1"]), nil),
    (Element("open", namespace: Namespace.ibb, ["sid": "s"]), "s"),
    (Element("open", namespace: Namespace.ibb, ["sid": "s", "block-size": "0"]), "s"),
    (Element("open", namespace: Namespace.ibb, ["sid": "s", "block-size": "65536"]), "s"),
    (Element("open", namespace: Namespace.ibb, ["sid": "s", "block-size": "-1"]), "s"),
    (Element("open", namespace: Namespace.ibb, ["sid": "s", "block-size": "NaN"]), "s"),
    (Element("open", namespace: Namespace.ibb, ["sid": "s", "block-size": "1", "stanza": "presence"]), "s"),
    (Element("data", namespace: Namespace.ibb, ["sid": "s"], text: "AAAA"), "s"),
    (Element("data", namespace: Namespace.ibb, ["sid": "s", "seq": "-1"], text: "AAAA"), "s"),
    (Element("data", namespace: Namespace.ibb, ["sid": "s", "seq": "0"], text: "BBBB=CCC"), "s"),
    (Element("data", namespace: Namespace.ibb, ["seq": "0"], text: "AAAA"), nil),
    (Element("close", namespace: Namespace.ibb), nil),
    (Element("reopen", namespace: Namespace.ibb, ["sid": "s"]), nil),
  ]

  @Test(arguments: unreadable.indices) func whatCannotBeReadNamesItsTransfer(index: Int) {
    let (element, transfer) = Self.unreadable[index]
    let error = #expect(throws: UnreadableElement.self) { try IBBElement(element) }
    #expect(error?.transfer == transfer)
    #expect(error?.error.condition == .badRequest)
    #expect(error?.error.kind == .cancel)
  }
}

@Suite struct ChunkElementTests {
  @Test func chunksOfTheXEP() throws {
    // The XEP cuts the data short anywhere; here at a group of four.
    let messages = """
      <message from='httpserver@example.org' to='httpclient@example.org/browser'>
        <chunk xmlns='urn:xmpp:http' streamId='Stream0001' nr='0'>iVBORw0KGgoAAAANSUhEUgAAASwAAAGQCAYA</chunk>
      </message>
      <message from='httpserver@example.org' to='httpclient@example.org/browser'>
        <chunk xmlns='urn:xmpp:http' streamId='Stream0001' nr='5' last='true'>uPzi9u+tVWJd+e+y1AAAAABJRU5ErkJggg==</chunk>
      </message>
      """
    let chunks = try elements(of: messages).flatMap(\.elements).map { try ChunkElement($0) }
    guard case .chunk(let first) = chunks[0], case .chunk(let last) = chunks[1]
    else { return #expect(Bool(false), "no chunks") }
    #expect(first.streamId == "Stream0001")
    #expect(first.nr == 0)
    #expect(!first.isLast)
    #expect(last.nr == 5)
    #expect(last.isLast)
    #expect(Base64.encode(last.bytes) == "uPzi9u+tVWJd+e+y1AAAAABJRU5ErkJggg==")
  }

  @Test func everythingSentIsReadBack() throws {
    let sent: [ChunkElement] = [
      .chunk(Chunk(streamId: "a", nr: 0, bytes: bytes("x"))),
      .chunk(Chunk(streamId: "a<'\"", nr: UInt64.max, isLast: true, bytes: ByteBuffer())),
      .chunk(Chunk(streamId: "a", nr: nil, bytes: bytes("x"))), .close(streamId: "a"),
    ]
    for element in sent { #expect(try ChunkElement(element.elements[0]) == element) }
  }

  /// COMPAT(IoTGateway).
  @Test func closeIsSaidInBothSpellingsAndReadInBoth() throws {
    #expect(ChunkElement.close(streamId: "a").elements.map(\.name) == ["close", "cancel"])
    #expect(
      try ChunkElement.close(streamId: "a").elements.map { try ChunkElement($0) } == [
        .close(streamId: "a"), .close(streamId: "a"),
      ])
  }

  @Test func aChunkWrittenStraightIsTheSameElement() throws {
    for chunk in [
      Chunk(streamId: "a<'\"&", nr: 7, isLast: true, bytes: bytes("Juliet")),
      Chunk(streamId: "a", nr: nil, bytes: bytes("")),
    ] {
      var written = bytes("<message>")
      chunk.write(into: &written)
      written.writeString("</message>")
      let element = try payload(of: String(buffer: written))
      #expect(try ChunkElement(element) == .chunk(chunk))
    }
  }

  /// COMPAT(Smack): reads `1` as false, so `true` is written; both are read.
  @Test(arguments: [("1", true), ("true", true), ("0", false), ("false", false)])
  func lastIsABooleanOfXMLSchema(text: String, isLast: Bool) throws {
    let chunk = Element("chunk", namespace: Namespace.http, ["streamId": "s", "nr": "0", "last": text])
    #expect(try ChunkElement(chunk) == .chunk(Chunk(streamId: "s", nr: 0, isLast: isLast, bytes: ByteBuffer())))
  }

  static let unreadable: [(Element, transfer: String?)] = [
    (Element("chunk", namespace: Namespace.http, ["nr": "0"], text: "AAAA"), nil),
    (Element("chunk", namespace: Namespace.http, ["streamId": "s", "nr": "-1"], text: "AAAA"), "s"),
    (Element("chunk", namespace: Namespace.http, ["streamId": "s", "nr": "x"], text: "AAAA"), "s"),
    (Element("chunk", namespace: Namespace.http, ["streamId": "s", "nr": "18446744073709551616"], text: ""), "s"),
    (Element("chunk", namespace: Namespace.http, ["streamId": "s", "nr": "0", "last": "yes"], text: "AAAA"), "s"),
    (Element("chunk", namespace: Namespace.http, ["streamId": "s", "nr": "0"], text: "A ... A"), "s"),
    (Element("close", namespace: Namespace.http), nil),
    (Element("cancel", namespace: Namespace.http, ["streamId": ""]), nil),
  ]

  @Test(arguments: unreadable.indices) func whatCannotBeReadNamesItsTransfer(index: Int) {
    let (element, transfer) = Self.unreadable[index]
    let error = #expect(throws: UnreadableElement.self) { try ChunkElement(element) }
    #expect(error?.transfer == transfer)
    #expect(error?.error.condition == .badRequest)
  }

  @Test func otherElementsAreNotItsBusiness() throws {
    #expect(try ChunkElement(Element("req", namespace: Namespace.http)) == nil)
    #expect(try ChunkElement(Element("chunk", namespace: "urn:other")) == nil)
  }
}
