import NIOCore
import Testing
import XML

@Suite struct XMLErrorTests {
  static let broken: [(String, XMLError.Code)] = [
    // Not XML at all.
    ("GET / HTTP/1.1\r\n", .notWellFormed),
    ("\u{16}\u{3}\u{1}", .notWellFormed),
    ("\u{FEFF}<s/>", .notWellFormed),
    ("<>", .notWellFormed),
    ("</s>", .notWellFormed),
    ("<s><a></b>", .notWellFormed),
    ("<s><1/>", .notWellFormed),
    ("<s><a b=c/>", .notWellFormed),
    ("<s><a b/>", .notWellFormed),
    ("<s><a b='<'/>", .notWellFormed),
    ("<s><a <b/>", .notWellFormed),
    ("<s><a b='1' b='2'/>", .notWellFormed),
    ("<s><a/></t>", .notWellFormed),
    ("<s><a>]]></a>", .notWellFormed),
    ("<s><a>&</a>", .notWellFormed),
    ("<s><a>&amp</a>", .notWellFormed),
    ("<s><a>&#0;</a>", .notWellFormed),
    ("<s><a>&#xFFFE;</a>", .notWellFormed),
    ("<s><a>\u{0}</a>", .notWellFormed),
    ("<s><a>\u{1}</a>", .notWellFormed),
    ("<s><a b='\u{0}'/>", .notWellFormed),
    ("<s><a>\u{FFFF}</a>", .notWellFormed),
    ("<![CDATA[x]]>", .notWellFormed),
    // Namespaces.
    ("<p:s>", .notWellFormed),
    ("<s><a p:b='1'/>", .notWellFormed),
    ("<s><a xmlns:p=''/>", .notWellFormed),
    // Quotes that pair with nothing: told at once, not when the stanza has grown too large.
    ("<s from='o'neil@host' to='x'>", .notWellFormed),
    ("<s from='o'>neil", .invalidText),
    ("<s><a b='x><c d", .notWellFormed),
    ("<s><a b'c'/>", .notWellFormed),
    // What JI writes.
    (
      "<stream:streamxmlns='jabber:client'xmlns:stream='http://etherx.jabber.org/streams'from='a'to='b'version='1.0'>\n",
      .notWellFormed
    ),
    ("<?xml version='1.0'><s>", .notWellFormed),
    // RFC 6120 §11.1.
    ("<!DOCTYPE s>", .restricted),
    ("<?xml version='1.0'?><!DOCTYPE s [<!ENTITY a 'b'>]><s>&a;</s>", .restricted),
    ("<!-- comment --><s>", .restricted),
    ("<s><!-- comment -->", .restricted),
    ("<s><a><!-- comment --></a>", .restricted),
    ("<?php ?><s>", .restricted),
    ("<?xml-stylesheet href='a'?><s>", .restricted),
    ("\n<?xml version='1.0'?><s>", .restricted),
    ("<s><?xml version='1.0'?>", .restricted),
    ("<s><a><?pi?></a>", .restricted),
    ("<s><a>&nbsp;</a>", .restricted),
    ("<s><a b='&nbsp;'/>", .restricted),
    ("<s><!ELEMENT a>", .restricted),
    // Between stanzas.
    ("<s>text", .invalidText),
    ("<s> &#32;<a/>", .invalidText),
    ("<s><a/>\u{0}", .invalidText),
    ("<s><![CDATA[ ]]>", .invalidText),
  ]

  @Test(arguments: broken) func aStreamThatIsNotXMPPEnds(document: String, code: XMLError.Code) throws {
    let bytes = Array(document.utf8)
    let whole = try Reading(bytes: bytes)
    #expect(whole.error == code)
    for parts in splits(bytes) {
      #expect(try Reading(parts) == whole, "\(parts.map(\.readableBytes))")
    }
  }

  @Test(arguments: [[0xFF], [0xC3], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xFC, 0x62]] as [[UInt8]])
  func textIsUTF8(bad: [UInt8]) throws {
    let text = Array("<s><a>ok".utf8) + bad + Array("ok</a>".utf8)
    let value = Array("<s><a b='ok".utf8) + bad + Array("ok'/>".utf8)
    let name = Array("<s><a".utf8) + bad + Array("/>".utf8)
    for bytes in [text, value, name] {
      for parts in splits(bytes) { #expect(try Reading(parts).error == .notWellFormed) }
    }
  }

  /// RFC 6120 §11.6: another encoding has an error of its own, however it is told.
  @Test(arguments: [
    ("<?xml version='1.0' encoding='ISO-8859-1'?>", true), ("<?xml version=\"1.0\" encoding=\"utf-16\"?>", true),
    ("<?xml version='1.0'\n encoding = 'US-ASCII' standalone='yes' ?>", true),
    ("<?xml version='1.0' encoding='UTF-8'?>", false),
    ("<?xml version='1.0' encoding=\"utf-8\" standalone='no'?>", false),
    ("<?xml version='1.0' encoding='Utf8'?>\n", false), ("<?xml version='1.0'?>", false), ("", false),
  ]) func anotherEncodingIsNotSupported(declaration: String, isError: Bool) throws {
    let bytes = Array((declaration + "<s><a>ü</a>").utf8)
    let whole = try Reading(bytes: bytes)
    #expect(whole.error == (isError ? .unsupportedEncoding : nil))
    #expect(whole.elements.map(\.text) == (isError ? [] : ["ü"]))
    for parts in splits(bytes) { #expect(try Reading(parts) == whole, "\(parts.map(\.readableBytes))") }
  }

  @Test(
    arguments: [
      [0x3C, 0, 0x73, 0, 0x3E, 0], [0xFF, 0xFE, 0x3C, 0], [0xFE, 0xFF, 0, 0x3C],
      [0xFF, 0xFE, 0, 0, 0x3C, 0, 0, 0],
    ] as [[UInt8]]) func widerCharactersAreNotSupported(bytes: [UInt8]) throws
  {
    for parts in splits(bytes) { #expect(try Reading(parts).error == .unsupportedEncoding) }
  }

  @Test func nothingIsToldAfterAnError() throws {
    let reading = try Reading("<s><a/><b></c><d/></s>")
    #expect(reading.elements == [Element("a", namespace: "")])
    #expect(reading.error == .notWellFormed)
  }

  /// These are worth a warning or an error to libxml2, and nothing to us.
  @Test(arguments: ["relative", "a b", "%", "<"]) func namespacesNeedBeNoURIs(namespace: String) throws {
    let escaped = namespace.replacing("<", with: "&lt;")
    #expect(try Reading("<s><a xmlns='\(escaped)'/>").elements == [Element("a", namespace: namespace)])
  }

  @Test func messagesNameTheLimit() {
    let reader = XMLReader(limits: XMLLimits(stanzaBytes: 10, elements: 1, depth: 1, attributes: 1))
    #expect(throws: XMLError(.tooLarge(.stanzaBytes), "more than 10 bytes in a stanza")) {
      try reader.feed(ByteBuffer(string: "<stream:stream>")) { _ in }
    }
  }
}
