import Codecs
import HTTPTypes
import HTTPX
import NIOCore
import Testing
import XML
import XMPP

/// `<xml>` both ways (XEP-0332 §4.2.3).
@Suite struct XMLBodyTests {
  private static let type = "application/xml"

  // MARK: Received

  private func received(_ data: String, fields: String = "") throws -> (body: String?, fields: [String]) {
    let machine = ExchangeMachine(limit: 1)
    let element = try resp("version='1.1' statusCode='200'", headers(fields) + data)
    let received = try machine.response(Stanza(.iq, type: "result", id: "1", [element]), to: .get)
    return (received.data.bytes.map { String(buffer: $0) }, received.head.headerFields.lines)
  }

  @Test func theLengthIsThatOfTheDocumentAsItIsHandedOn() throws {
    let document = "<a xmlns='urn:a'/>"
    let (body, fields) = try received(
      "<data><xml>\n  \(document)\n</xml></data>",
      fields: """
        <header name='Content-Type'>text/xml; charset=iso-8859-1; v=1</header><header name='Content-Length'>99</header>\
        <header name='Content-MD5'>x</header>
        """)
    #expect(body == document)
    #expect(fields == ["Content-Type: text/xml; v=1; charset=utf-8", "Content-Length: 18"].sorted().reversed())
  }

  /// COMPAT(xmpp-httpx): `<data>` in no namespace.
  @Test func dataWithoutANamespace() throws {
    #expect(try received("<data xmlns=''><xml><a/></xml></data>").body == "<a/>")
    #expect(
      try received("<data xmlns=''><xml><p:a xmlns:p='urn:p'><b/></p:a></xml></data>").body
        == "<p:a xmlns:p='urn:p' xmlns=''><b/></p:a>")
  }

  @Test func prefixesOfTheTagsAroundItAreDeclared() throws {
    let data = "<data xmlns:p='urn:p'><xml xmlns:q='urn:q'><p:a>q:b</p:a></xml></data>"
    #expect(try received(data).body == "<p:a xmlns:q='urn:q' xmlns:p='urn:p'>q:b</p:a>")
  }

  @Test(arguments: ["", "text", "<a/><b/>", "<a/>text", "text<a/>"])
  func whatIsNoDocumentIsRefused(_ content: String) {
    #expect(throws: HTTPXError.self) { try received("<data><xml>\(content)</xml></data>") }
  }

  /// Eight thousand elements in a namespace of 100 KB, which is declared once around them.
  @Test func aDocumentThatWouldGrowWithoutBoundIsRefused() throws {
    let outer = String(repeating: "n", count: 100_000)
    func request(_ count: Int) throws -> Element {
      try payload(
        of: "<iq xmlns:p='\(outer)'><req xmlns='urn:xmpp:http' method='PUT' resource='/'><data><xml><a>"
          + String(repeating: "<p:b/>", count: count) + "</a></xml></data></req></iq>")
    }
    let small = try #require(try RequestStanza(request(5)))
    #expect(small.data.bytes.map { $0.readableBytes > 500_000 } == true)
    let error = #expect(throws: StanzaError.self) { try RequestStanza(request(8000)) }
    #expect(error?.condition == .resourceConstraint)
  }

  // MARK: Sent

  private func answer(
    _ body: String, _ type: String? = type, fields: HTTPFields = [:], status: HTTPResponse.Status = .ok,
    dialect: String = "req", attributes: String = "", machine: inout ExchangeMachine
  ) throws -> String {
    let element = try payload(
      of: "<iq><\(dialect) xmlns='urn:xmpp:http' method='GET' resource='/' \(attributes)/></iq>")
    let (answerable, _) = try machine.received(.set(id: "1", element), element)
    defer { machine.answered() }
    var head = HTTPResponse(status: status, headerFields: fields)
    if let type { head.headerFields[.contentType] = type }
    head.headerFields[.contentLength] = String(body.utf8.count)
    let outgoing = try machine.answer(head, ByteBuffer(string: body), prefersXML: true, to: answerable)
    return String(buffer: outgoing.payload)
  }

  private func answer(
    _ body: String, _ type: String? = type, fields: HTTPFields = [:], status: HTTPResponse.Status = .ok,
    dialect: String = "req"
  ) throws -> String {
    var machine = ExchangeMachine(limit: 1)
    machine.received(StreamFeatures(info: nil, limits: StreamLimits(maxBytes: 256 * 1024)))
    return try answer(body, type, fields: fields, status: status, dialect: dialect, machine: &machine)
  }

  @Test(arguments: [
    ("<a/>", "<a xmlns=''/>"),
    ("<?xml version='1.0'?>\n<a b='c'>d</a>\n", "<a xmlns='' b='c'>d</a>"),
    ("<?xml version=\"1.0\" encoding=\"UTF-8\" standalone='yes'?><a xmlns='urn:a'/>", "<a xmlns='urn:a'/>"),
    ("<p:a xmlns:p='urn:p'><b/>p:c</p:a>", "<p:a xmlns:p='urn:p' xmlns=''><b/>p:c</p:a>"),
    ("<a><req xmlns='urn:xmpp:http'/></a>", "<a xmlns=''><req xmlns='urn:xmpp:http'/></a>"),
    ("<a><![CDATA[<]]>\r\n</a>", "<a xmlns=''>&lt;\n</a>"),
  ])
  func documentsThatSurviveGoAsXML(_ body: String, expected: String) throws {
    let sent = try answer(body)
    #expect(sent.contains("<data><xml>\(expected)</xml></data>"), "\(sent)")
    #expect(!sent.contains("Content-Length"))
    // And means the same behind a node of ours.
    let response = try #require(try ResponseStanza(payload(of: "<iq>\(sent)</iq>")))
    let again = try #require(response.data.bytes)
    #expect(try answer(String(buffer: again)) == sent)
  }

  @Test(arguments: ["text/xml", "application/atom+xml; charset=UTF-8", "image/svg+xml", "Application/XML"])
  func typesOfXML(_ type: String) throws {
    #expect(try answer("<a/>", type).contains("<xml>"))
  }

  @Test(arguments: [
    nil, "text/html", "text/plain", "application/xml-dtd", "application/xml; charset=latin1", "text/xmlx",
  ])
  func otherTypesGoAsBefore(_ type: String?) throws {
    #expect(try !answer("<a/>", type).contains("<xml>"))
  }

  @Test(arguments: [
    "", "a", "<a>", "<a/><b/>", "<a/>b", "<a></a></d><d>", "</d><a/>", "<!DOCTYPE a><a/>", "<a><!-- c --></a>",
    "<?pi?><a/>", "<a/><?pi?>", "<a>&nbsp;</a>", "<?xml version='1.1'?><a/>",
    "<?xml version='1.0' encoding='latin1'?><a/>",
    "<?xml version='1.0' encoding='UTF-16'?><a/>", "<?xml version='1.0'", "<?xml?><a/>", " <?xml version='1.0'?><a/>",
    "\u{FEFF}<a/>", "<a>&#xD;</a>", "<a b='&#xD;'/>", "<a>\u{FFFE}</a>", "<a>\u{0}</a>", "<p:a/>", "<a p:b=''/>",
    "<a><b xmlns='jabber:client'/></a>", "<s:a xmlns:s='http://etherx.jabber.org/streams'/>",
    "<a xmlns='urn:xmpp:http'/>",
    String(repeating: "<a>", count: 29) + String(repeating: "</a>", count: 29),
    "<a>" + String(repeating: "<b/>", count: 7672) + "</a>",
    "<a " + (0..<64).map { "b\($0)=''" }.joined(separator: " ") + "/>",
    "<a>" + String(repeating: "b", count: 65536) + "</a>",
  ])
  func whatDoesNotSurviveGoesAsBefore(_ body: String) throws {
    let sent = try answer(body)
    #expect(!sent.contains("<xml>"), "\(sent.prefix(300))")
    #expect(sent.contains("<header name='Content-Length'>\(body.utf8.count)</header>"))
  }

  @Test func aHeadThatSpeaksOfTheBytesKeepsThem() throws {
    for name in ["Content-Encoding", "Content-MD5", "Repr-Digest", "Content-Range"] {
      #expect(try !answer("<a/>", fields: [HTTPField.Name(name)!: "x"]).contains("<xml>"))
    }
    #expect(try !answer("<a/>", status: .partialContent).contains("<xml>"))
    // COMPAT(slixmpp): knows text only.
    #expect(try !answer("<a/>", dialect: "request").contains("<xml>"))
  }

  /// COMPAT(IoTGateway): speaks of SOCKS5 like nodes of ours, and of a document it takes the text alone.
  @Test func whoWouldLoseItsMarkupGetsText() throws {
    for isHearth in [true, false] {
      var machine = ExchangeMachine(limit: 1)
      let info = DiscoInfo(identities: [], features: isHearth ? [Namespace.hearth] : [])
      machine.received(StreamFeatures(info: info, limits: StreamLimits(maxBytes: 256 * 1024)))
      #expect(try answer("<a/>", attributes: "s5='true'", machine: &machine).contains("<xml>") == isHearth)
      #expect(try answer("<a/>", machine: &machine).contains("<xml>"))
    }
  }

  @Test func onlyWhoWantsItGetsIt() throws {
    var machine = ExchangeMachine(limit: 1)
    let element = try req()
    let (answerable, _) = try machine.received(.set(id: "1", element), element)
    let head = HTTPResponse(status: .ok, headerFields: [.contentType: "text/xml"])
    let sent = try machine.answer(head, ByteBuffer(string: "<a/>"), to: answerable)
    #expect(String(buffer: sent.payload).contains("<text>&lt;a/&gt;</text>"))
  }

  /// The reader of a stream keeps each name for as long as it lives, and ends at some amount.
  @Test func newNamesWithoutEndGoAsText() throws {
    var machine = ExchangeMachine(limit: 1)
    machine.received(StreamFeatures(info: nil, limits: StreamLimits(maxBytes: 256 * 1024)))
    var asXML = 0
    for number in 0..<200 {
      let name = "a" + String(repeating: "x", count: 1000) + "\(number)"
      if try answer("<\(name)/>", machine: &machine).contains("<xml>") { asXML += 1 }
      #expect(try answer("<same/>", machine: &machine).contains("<xml>"))
    }
    #expect((60...66).contains(asXML))
  }

  @Test func aDocumentThatDoesNotFitGoesBeside() throws {
    var machine = ExchangeMachine(limit: 1)
    let body = "<a>" + String(repeating: "b", count: 12_000) + "</a>"
    #expect(try answer(body, machine: &machine).contains("<ibb "))
  }
}
