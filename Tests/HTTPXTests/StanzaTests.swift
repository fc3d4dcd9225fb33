import Codecs
import HTTPTypes
import HTTPX
import NIOCore
import Testing
import XML
import XMPP

@Suite struct ExampleTests {
  static let requests: [(name: String, line: String, body: String)] = [
    ("OPTIONS", "OPTIONS * example.org", "none"), ("GET", "GET /rdf/xep example.org", "none"),
    ("HEAD", "HEAD /video/video1.m4 example.org", "none"),
    ("POST", "POST /sparql/?default-graph-uri=http%3A%2F%2Fexample.org%2Frdf/xep example.org", "text"),
    ("PUT", "PUT /index.html example.org", "text"), ("DELETE", "DELETE /index.html example.org", "none"),
    ("TRACE", "TRACE /rdf/ex1.turtle example.org", "none"), ("ibb", "GET /webcam1.jpg example.org", "none"),
    ("SOAP method call", "POST /Math www.example.com", "xml Envelope"),
    ("REST", "GET /api/multiplicationtable?m=5 example.org", "none"),
    ("SPARQL", "POST /sparql/?default-graph-uri=http%3A%2F%2Fanother.example%2Fcalendar.rdf example.org", "text"),
  ]

  @Test(arguments: requests.indices) func requestIsRead(index: Int) throws {
    let (name, line, body) = Self.requests[index]
    let example = try #require(XEPExamples.requests.first { $0.name == name })
    let request = try #require(try RequestStanza(payload(of: example.xml)))
    #expect("\(request.head.method) \(request.head.path ?? "-") \(request.head.authority ?? "-")" == line)
    #expect(request.head.scheme == "httpx")
    #expect(!request.head.headerFields.contains { $0.name.canonicalName == "host" })
    #expect(request.data.kind == body)
    #expect(request.maxChunkSize == nil)
    #expect(request.allows == RequestStanza.Allowance())
    #expect(request.dialect == .xep)
  }

  /// The body of this one is a placeholder beside any mechanism.
  @Test func requestOfPATCHIsRefused() throws {
    let example = try #require(XEPExamples.requests.first { $0.name == "PATCH" })
    let error = #expect(throws: StanzaError.self) { try RequestStanza(payload(of: example.xml)) }
    #expect(error?.condition == .badRequest)
  }

  @Test func everyRequestIsInTheTable() {
    #expect(XEPExamples.requests.map(\.name).filter { $0 != "PATCH" } == Self.requests.map(\.name))
  }

  static let responses: [(name: String, status: String, fields: Int, body: String)] = [
    ("OPTIONS", "200 OK", 3, "none"), ("GET", "200 OK", 5, "text"), ("HEAD", "200 OK", 4, "none"),
    ("POST", "200 OK", 4, "xml sparql"), ("PUT", "204 No Content", 2, "none"), ("DELETE", "403 Forbidden", 3, "text"),
    ("TRACE", "200 OK", 4, "text"), ("PATCH", "204 No Content", 2, "none"), ("text", "200 OK", 5, "text"),
    ("xml", "200 OK", 4, "xml sparql"), ("base64", "200 OK", 4, "base64"),
    ("chunkedBase64", "200 OK", 4, "chunks Stream0001"), ("sipub", "200 OK", 4, "sipub file-0001"),
    ("ibb", "200 OK", 3, "ibb Stream0002"), ("jingle", "200 OK", 4, "unsupported jingle"),
    ("SOAP method call", "200 OK", 2, "xml Envelope"), ("REST", "200 OK", 4, "xml table"),
    ("Turtle", "200 OK", 5, "text"), ("RDF", "200 OK", 4, "xml RDF"), ("SPARQL", "200 OK", 4, "xml sparql"),
  ]

  @Test(arguments: responses.indices) func responseIsRead(index: Int) throws {
    let (name, status, fields, body) = Self.responses[index]
    let example = try #require(XEPExamples.responses.first { $0.name == name })
    let response = try #require(try ResponseStanza(payload(of: example.xml)))
    #expect("\(response.head.status.code) \(response.head.status.reasonPhrase)" == status)
    #expect(response.head.headerFields.count == fields)
    #expect(response.data.kind == body)
  }

  @Test func everyResponseIsInTheTable() {
    #expect(XEPExamples.responses.map(\.name) == Self.responses.map(\.name))
  }

  /// What was read is written so that it reads the same.
  @Test(arguments: XEPExamples.responses) func responseSurvives(example: XEPExamples.Example) throws {
    let response = try #require(try ResponseStanza(payload(of: example.xml)))
    guard !written(response.data).isEmpty || response.data == .none else { return }
    let again = try ResponseStanza(payload(of: "<iq>\(written(response))</iq>"))
    #expect(again == response)
  }

  @Test(arguments: XEPExamples.requests.filter { $0.name != "PATCH" })
  func requestSurvives(example: XEPExamples.Example) throws {
    var request = try #require(try RequestStanza(payload(of: example.xml)))
    let again = try RequestStanza(payload(of: "<iq>\(written(request))</iq>"))
    request.allows = RequestStanza.Allowance(sipub: false, ibb: false, jingle: false)
    #expect(again == request)
  }

  @Test func textIsWhatItStandsFor() throws {
    let example = try #require(XEPExamples.responses.first { $0.name == "TRACE" })
    let response = try #require(try ResponseStanza(payload(of: example.xml)))
    #expect(response.data.bytes == ByteBuffer(string: "GET /rdf/ex1.turtle HTTP/1.1\nHost: example.org"))
  }

  /// As embedded: the root is in no namespace of its own, though XML has it inherit that of the tags around it.
  @Test func aDocumentOfXMLIsWrittenAsItWasEmbedded() throws {
    let data = "<data><xml><table><value n='1'/></table></xml></data>"
    let response = try #require(try ResponseStanza(resp("version='1.1' statusCode='200'", data)))
    #expect(response.data.bytes == ByteBuffer(string: "<table><value n='1'/></table>"))
  }

  @Test func namespacesOfADocumentSurvive() throws {
    let document = "<a xmlns='urn:a'><b xmlns='urn:b' xml:lang='de'/><c>1 &lt; 2</c></a>"
    let data = "<data><xml>\(document)</xml></data>"
    let response = try #require(try ResponseStanza(resp("version='1.1' statusCode='200'", data)))
    #expect(response.data.bytes.map { String(buffer: $0) } == document.replacing("2<", with: "2<"))
  }
}

@Suite struct RequestStanzaTests {
  @Test func theWholeRequestIsCompact() throws {
    var head = HTTPRequest(method: .get, scheme: "httpx", authority: "thermostat@pi", path: "/a?b=c")
    head.headerFields.append(HTTPField(name: .accept, value: "text/html"))
    #expect(
      written(RequestStanza(head, data: .text("a<b")))
        == """
        <req xmlns='urn:xmpp:http' method='GET' resource='/a?b=c' version='1.1' maxChunkSize='65535' sipub='false' \
        ibb='true' jingle='false' s5='false'><headers xmlns='http://jabber.org/protocol/shim'>\
        <header name='Host'>thermostat@pi</header><header name='accept'>text/html</header></headers>\
        <data><text>a&lt;b</text></data></req>
        """.replacing("'accept'", with: "'\(HTTPField.Name.accept.rawName)'"))
  }

  @Test func orderCaseAndDuplicatesOfFieldsSurvive() throws {
    let content = headers(
      """
      <header name='x-B'>1</header><header name='HOST'>h</header><header name='X-a'>2</header>\
      <header name='X-B'>3</header><header name='Cookie'>a=1; b=2</header><header name='Empty'/>
      """)
    let request = try #require(try RequestStanza(req("method='GET' resource='/' version='1.1'", content)))
    let lines = ["x-B: 1", "X-a: 2", "X-B: 3", "Cookie: a=1; b=2", "Empty: "]
    #expect(request.head.headerFields.lines == lines)
    #expect(request.head.authority == "h")
    let again = try #require(try RequestStanza(payload(of: "<iq>\(written(request))</iq>")))
    #expect(again.head.headerFields.lines == lines)
    #expect(again.head.authority == "h")
  }

  @Test func spaceAroundAValueIsNoPartOfIt() throws {
    let content = headers("<header name='a'> \t b c\t </header><header name='d'> \t</header>")
    let request = try #require(try RequestStanza(req("method='GET' resource='/' version='1.1'", content)))
    #expect(request.head.headerFields.lines == ["a: b c", "d: "])
  }

  /// As a file's name in Latin-1 or Shift-JIS.
  @Test(
    arguments: [
      [0x53, 0x74, 0x72, 0x61, 0xDF, 0x65], [0x83, 0x65, 0x83, 0x58, 0x26], [0x80, 0x9F, 0xFF, 0x3C, 0x27],
      [0xEF, 0xBF, 0xBD],
      [0xEF, 0xBF, 0xBD, 0xFF], [0xC3, 0xA4],
    ] as [[UInt8]])
  func bytesOfValuesSurvive(_ bytes: [UInt8]) throws {
    var head = HTTPResponse(status: .ok)
    head.headerFields.append(HTTPField(name: HTTPField.Name("X-A")!, value: bytes))
    let stanza = try #require(
      try ResponseStanza(payload(of: "<iq>\(written(ResponseStanza(head, dialect: .xep)))</iq>")))
    let value = try #require(stanza.head.headerFields.first).withUnsafeBytesOfValue { Array($0) }
    #expect(value == bytes)
  }

  static let badFields = [
    "<header>x</header>", "<header name=''>x</header>", "<header name='a b'>x</header>",
    "<header name='a:'>x</header>", "<header name=':path'>x</header>", "<header name='a&#xA;b'>x</header>",
    "<header name='ä'>x</header>", "<header name='a'>x&#xD;&#xA;b: c</header>", "<header name='a'>x\ny</header>",
    "<header name='a'>\nx\n</header>", "<header name='a'>x&#xD;</header>", "<header name='a'>x&#x7F;y</header>",
    "<header name='Host'>a</header><header name='host'>b</header>",
  ]

  @Test(arguments: badFields) func fieldsThatCouldBeginAMessageAreRefused(field: String) {
    let error = #expect(throws: StanzaError.self) {
      try RequestStanza(req("method='GET' resource='/' version='1.1'", headers(field)))
    }
    #expect(error?.condition == .badRequest)
    #expect(error?.text != nil)
    if !field.contains("Host") {
      #expect(throws: HTTPXError.self) {
        try ResponseStanza(resp("version='1.1' statusCode='200'", headers(field)))
      }
    }
  }

  @Test func tooManyFieldsAreALimit() throws {
    let field = Element("header", namespace: Namespace.shim, ["name": "a"], text: "b")
    let fields = Element("headers", namespace: Namespace.shim, [:], Array(repeating: field, count: 513))
    let element = Element("req", namespace: Namespace.http, ["method": "GET", "resource": "/"], [fields])
    let error = #expect(throws: StanzaError.self) { try RequestStanza(element) }
    #expect(error?.condition == .resourceConstraint)
  }

  @Test(arguments: [
    ("GET", "/"), ("GET", "//169.254.169.254/"), ("GET", "/a?b#c".replacing("#", with: "%23")), ("OPTIONS", "*"),
    ("GET", "/%ZZ"), ("GET", "/ä"), ("PROPFIND", "/a/../b"), ("GET", "/?"), ("get", "/"),
  ])
  func resourceIsAPath(method: String, resource: String) throws {
    let request = try RequestStanza(req("method='\(method)' resource='\(resource)' version='1.1'"))
    #expect(request?.head.path == resource)
    #expect(request?.head.method.rawValue == method)
  }

  @Test(arguments: [
    ("GET", "*"), ("GET", ""), ("GET", "x"), ("GET", "http://h/"), ("GET", "https://h/x"), ("CONNECT", "h:443"),
    ("OPTIONS", "**"), ("GET", "/a b"), ("GET", "/a&#xD;&#xA;b"), ("GET", "/a#b"), ("GET", "/a&#x9;b"),
    ("GET", "/&#x7F;"), ("GET", "?a"), ("", "/"), ("G T", "/"), ("GÄT", "/"),
  ])
  func everythingElseIsRefused(method: String, resource: String) {
    let error = #expect(throws: StanzaError.self) {
      try RequestStanza(req("method='\(method)' resource='\(resource)' version='1.1'"))
    }
    #expect(error?.condition == .badRequest)
  }

  @Test(arguments: ["resource='/' version='1.1'", "method='GET' version='1.1'"])
  func methodAndResourceAreNeeded(attributes: String) {
    #expect(throws: StanzaError.self) { try RequestStanza(req(attributes)) }
  }

  @Test(arguments: ["", "version='1.0'", "version='2'", "version='1.1' post='https://x' other='y'"])
  func whatDoesNotMatterIsIgnored(attributes: String) throws {
    #expect(try RequestStanza(req("method='GET' resource='/' \(attributes)")) != nil)
  }

  @Test(arguments: ["", "x", "1.", "1.x", "1.1.1", "-1", "999.1"]) func aVersionIsANumber(version: String) {
    #expect(throws: StanzaError.self) { try RequestStanza(req("method='GET' resource='/' version='\(version)'")) }
  }

  @Test(arguments: [
    ("256", 256), ("65536", 65536), ("255", 256), ("65537", 65536), ("0", 256), ("-1", 256),
    ("9223372036854775807", 65536), ("50000", 50000),
  ])
  func maxChunkSizeIsBroughtIntoItsRange(text: String, size: Int) throws {
    let request = try RequestStanza(req("method='GET' resource='/' maxChunkSize='\(text)'"))
    #expect(request?.maxChunkSize == size)
  }

  @Test(arguments: ["", "x", "1e3", "0x10", "4096.0", "99999999999999999999"])
  func maxChunkSizeIsANumber(text: String) {
    #expect(throws: StanzaError.self) { try RequestStanza(req("method='GET' resource='/' maxChunkSize='\(text)'")) }
  }

  @Test(arguments: [("true", true), ("1", true), ("false", false), ("0", false)])
  func optionsAreBooleans(text: String, value: Bool) throws {
    let request = try RequestStanza(
      req("method='GET' resource='/' sipub='\(text)' ibb='\(text)' jingle='\(text)' s5='maybe'"))
    #expect(request?.allows == RequestStanza.Allowance(sipub: value, ibb: value, jingle: value))
  }

  @Test(arguments: ["sipub", "ibb", "jingle"]) func otherOptionsAreRefused(name: String) {
    for text in ["", "yes", "TRUE", "2"] {
      #expect(throws: StanzaError.self) { try RequestStanza(req("method='GET' resource='/' \(name)='\(text)'")) }
    }
  }

  @Test func unknownChildrenAreIgnored() throws {
    let content = "<x xmlns='urn:x'/>" + headers("<y xmlns='urn:x'/><header name='a'>b</header>") + "<z xmlns='urn:x'/>"
    let request = try RequestStanza(req("method='GET' resource='/'", content))
    #expect(request?.head.headerFields.lines == ["a: b"])
    #expect(request?.data == BodyData.none)
  }

  @Test func anythingElseIsNoRequest() throws {
    #expect(try RequestStanza(payload(of: "<iq><req xmlns='urn:other'/></iq>")) == nil)
    #expect(try RequestStanza(payload(of: "<iq><resp xmlns='urn:xmpp:http'/></iq>")) == nil)
    #expect(try ResponseStanza(payload(of: "<iq><req xmlns='urn:xmpp:http'/></iq>")) == nil)
  }

  /// COMPAT(slixmpp).
  @Test func theOtherSpellingIsReadAndWritten() throws {
    let request = try #require(
      try RequestStanza(
        payload(of: "<iq><request xmlns='urn:xmpp:http' method='GET' resource='/' version='1.1'/></iq>")))
    #expect(request.dialect == .slixmpp)
    let empty = "<headers xmlns='http://jabber.org/protocol/shim'/>"
    #expect(
      written(request)
        == "<request xmlns='urn:xmpp:http' method='GET' resource='/' version='1.1'>\(empty)</request>")
    let response = ResponseStanza(HTTPResponse(status: .ok), data: .text("x"), dialect: request.dialect)
    let text = written(response)
    #expect(
      text == """
        <response xmlns='urn:xmpp:http' version='1.1' statusCode='200'>\(empty)\
        <data><text>x</text></data></response>
        """)
    #expect(try ResponseStanza(payload(of: "<iq>\(text)</iq>")) == response)
  }
}

@Suite struct ResponseStanzaTests {
  @Test func theWholeResponseIsCompact() {
    var head = HTTPResponse(status: 299)
    head.headerFields.append(HTTPField(name: HTTPField.Name("X-A")!, value: "1"))
    #expect(
      written(ResponseStanza(head, data: .base64(ByteBuffer(string: "foob")))) == """
        <resp xmlns='urn:xmpp:http' version='1.1' statusCode='299'><headers xmlns='http://jabber.org/protocol/shim'>\
        <header name='X-A'>1</header></headers><data><base64>Zm9vYg==</base64></data></resp>
        """)
  }

  @Test(arguments: ["200", "204", "304", "404", "599", "999"]) func finalStatusesAreRead(code: String) throws {
    let response = try ResponseStanza(resp("version='1.1' statusCode='\(code)'"))
    #expect(response?.head.status.code == Int(code))
    #expect(response?.head.status.reasonPhrase == ReasonPhrase.standard(Int(code) ?? 0))
  }

  /// COMPAT(Rainbow): 0 and -1. COMPAT(IoTGateway): 100.
  @Test(arguments: ["", "0", "-1", "99", "100", "101", "199", "1000", "2x0", "20.0", "99999999999999999999"])
  func otherStatusesAreErrors(code: String) {
    let error = #expect(throws: HTTPXError.self) { try ResponseStanza(resp("version='1.1' statusCode='\(code)'")) }
    #expect(error?.code == .malformed)
  }

  @Test func aMissingStatusIsAnError() {
    #expect(throws: HTTPXError.self) { try ResponseStanza(resp("version='1.1'")) }
  }

  @Test(arguments: [
    ("", "OK"), (" statusMessage=''", "OK"), (" statusMessage='OK'", "OK"), (" statusMessage='Fine'", "Fine"),
    (" statusMessage='Grün'", "Grün"), (" statusMessage='O&#xD;&#xA;K'", "OK"), (" statusMessage='&#x7F;'", "OK"),
  ]) func thePhraseThatHTTPCarriesIsRead(attribute: String, phrase: String) throws {
    let response = try ResponseStanza(resp("statusCode='200'\(attribute)"))
    #expect(response?.head.status.reasonPhrase == phrase)
  }

  @Test(arguments: [
    (HTTPResponse.Status.ok, nil), (.notFound, nil), (.init(code: 404), nil), (.init(code: 599), nil),
    (.init(code: 404, reasonPhrase: "No Such Lamp"), "No Such Lamp"), (.init(code: 299, reasonPhrase: "Odd"), "Odd"),
  ]) func aPhraseIsWrittenWhereItSaysMoreThanTheCode(status: HTTPResponse.Status, phrase: String?) {
    let attribute = phrase.map { " statusMessage='\($0)'" } ?? ""
    #expect(
      written(ResponseStanza(HTTPResponse(status: status))).hasPrefix(
        "<resp xmlns='urn:xmpp:http' version='1.1' statusCode='\(status.code)'\(attribute)>"))
  }
}

@Suite struct BodyDataTests {
  private func data(_ content: String) throws -> BodyData? {
    try ResponseStanza(resp("version='1.1' statusCode='200'", content))?.data
  }

  @Test(arguments: [
    ("", "none"), ("<data/>", "none"), ("<data> \n </data>", "none"), ("<data><text/></data>", "text"),
    ("<data>\n  <text>x</text>\n</data>", "text"), ("<data><xml><a/></xml></data>", "xml a"),
    ("<data><xml> <a xmlns='urn:a'/> </xml></data>", "xml a"), ("<data><base64/></data>", "base64"),
    ("<data><base64> Zm9v\n</base64></data>", "base64"), ("<data><chunkedBase64 streamId='s'/></data>", "chunks s"),
    ("<data><ibb sid='s'/></data>", "ibb s"), ("<data><s5 sid='s'/></data>", "unsupported s5"),
    ("<data><sipub xmlns='http://jabber.org/protocol/sipub' id='p'/></data>", "sipub p"),
    ("<data><text xmlns='urn:other'/></data>", "unsupported text"),
    // COMPAT(xmpp-httpx).
    ("<data xmlns=''><text>x</text></data>", "text"), ("<data xmlns=''><text xmlns='urn:xmpp:http'/></data>", "text"),
  ])
  func mechanisms(content: String, kind: String) throws {
    #expect(try data(content)?.kind == kind)
  }

  @Test(arguments: [
    "<data>text</data>", "<data><text/><text/></data>", "<data><text/><x xmlns='urn:x'/></data>",
    "<data><xml/></data>", "<data><xml>text</xml></data>", "<data><xml><a/><b/></xml></data>",
    "<data><base64>Zm9v!</base64></data>", "<data><base64>BBBB=CCC</base64></data>",
    "<data><chunkedBase64/></data>", "<data><chunkedBase64 streamId=''/></data>", "<data><ibb/></data>",
  ])
  func whatCannotBeReadIsRefused(content: String) {
    #expect(throws: HTTPXError.self) { try data(content) }
    #expect(throws: StanzaError.self) { try RequestStanza(req("method='POST' resource='/'", content)) }
  }

  @Test(arguments: [
    ("a &amp; b &lt;c&gt;", "a & b <c>"), ("<![CDATA[<a>&]]>", "<a>&"), ("]]&gt;", "]]>"), (" x \n\t", " x \n\t"),
    ("ä€𝄞", "ä€𝄞"), ("&#xD;", "\r"),
  ])
  func textIsVerbatim(xml: String, text: String) throws {
    #expect(try data("<data><text>\(xml)</text></data>") == .text(text))
    #expect(try data("<data><text>\(xml)</text></data>")?.bytes == ByteBuffer(string: text))
  }

  @Test func streamsHaveNoBytesYet() {
    #expect(BodyData.none.bytes == ByteBuffer())
    #expect(BodyData.ibb(sid: "s").bytes == nil)
    #expect(BodyData.chunks(streamId: "s").bytes == nil)
    #expect(written(BodyData.unsupported("jingle")).isEmpty)
  }
}
