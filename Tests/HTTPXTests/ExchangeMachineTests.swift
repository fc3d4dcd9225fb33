import Bytestreams
import Codecs
import HTTPTypes
import HTTPX
import NIOCore
import Testing
import XML
import XMPP

@Suite struct ExchangeMachineTests {
  private static let get = HTTPRequest(method: .get, scheme: nil, authority: nil, path: "/")
  private static let http = DiscoInfo(identities: [], features: [Namespace.http, Namespace.hearth])

  private func machine(limit: Int = 2) -> ExchangeMachine {
    var machine = ExchangeMachine(limit: limit)
    machine.received(StreamFeatures(info: Self.http, limits: StreamLimits(maxBytes: 256 * 1024)))
    return machine
  }

  private func request(_ content: String = "", _ attributes: String = "") throws -> (Stanza, Element) {
    let element = try payload(
      of: "<iq><req xmlns='urn:xmpp:http' method='PUT' resource='/' \(attributes)>\(content)</req></iq>")
    return (.set(id: "1", element), element)
  }

  // MARK: What the other side can do

  @Test func whoSaysNothingIsAskedAndWhoAnswersNothingIsNoHTTPDevice() {
    var machine = ExchangeMachine(limit: 1)
    #expect(machine.info == nil)
    machine.learned(nil)
    #expect(machine.info != nil)
    #expect(throws: HTTPXError(.notHTTP, "it answers no queries, as chat programs do.")) { try machine.checkSupport() }
    machine.learned(DiscoInfo(identities: [], features: []))
    #expect(throws: HTTPXError(.notHTTP, "it does not offer HTTP over XMPP.")) { try machine.checkSupport() }
  }

  @Test func whoHadNoHTTPIsAskedAgainBeforeARequestFails() {
    var machine = ExchangeMachine(limit: 1)
    let start = NIODeadline.uptimeNanoseconds(1_000_000_000_000)
    #expect(machine.knowsSupport(now: start) == false)
    machine.received(StreamFeatures(info: DiscoInfo(identities: [], features: [])))
    #expect(machine.knowsSupport(now: start) == false)
    machine.asks(now: start)
    // Who comes while it is asked waits for the answer.
    #expect(machine.knowsSupport(now: start + .milliseconds(1)) == false)
    machine.learned(DiscoInfo(identities: [], features: []))
    #expect(machine.knowsSupport(now: start + .milliseconds(999)) == true)
    #expect(machine.knowsSupport(now: start + .seconds(1)) == false)
    machine.asks(now: start + .seconds(1))
    machine.learned(Self.http)
    #expect(machine.knowsSupport(now: start + .hours(1)) == true)
    // A question without an answer takes nothing back.
    machine.learned(nil)
    #expect(machine.knowsSupport(now: start + .hours(1)) == true)
  }

  @Test func whoAnswersNothingIsAskedLessOften() {
    var machine = ExchangeMachine(limit: 1)
    let start = NIODeadline.uptimeNanoseconds(1_000_000_000_000)
    machine.asks(now: start)
    machine.learned(nil)
    #expect(machine.knowsSupport(now: start + .seconds(29)) == true)
    #expect(machine.knowsSupport(now: start + .seconds(30)) == false)
  }

  @Test func featuresSayMoreThanAnswers() throws {
    var machine = ExchangeMachine(limit: 1)
    machine.learned(DiscoInfo(identities: [], features: [Namespace.http]))
    #expect(machine.isHearth == false)
    machine.received(StreamFeatures(info: Self.http))
    #expect(machine.isHearth == true)
    try machine.checkSupport()
  }

  // MARK: WebSockets

  private static let upgrade = HTTPRequest(
    method: .get, scheme: nil, authority: nil, path: "/", headerFields: [.upgrade: "websocket"])

  private func upgrading() -> ExchangeMachine {
    var machine = machine()
    let info = DiscoInfo(identities: [], features: [Namespace.http, Namespace.hearth, Namespace.upgrade])
    machine.received(StreamFeatures(info: info, limits: StreamLimits(maxBytes: 256 * 1024)))
    return machine
  }

  @Test func aWebSocketIsAskedForWhereItCanBeCarried() throws {
    var machine = upgrading()
    let outgoing = try machine.request(Self.upgrade, nil)
    #expect(outgoing.route.transfer == nil)
    #expect(String(buffer: outgoing.payload).contains("<header name='Upgrade'>websocket</header>"))
    var other = self.machine()
    #expect(throws: HTTPXError(.noUpgrade, "it carries no WebSockets.")) { try other.request(Self.upgrade, nil) }
    #expect(other.requesting == 0)
  }

  @Test(arguments: [
    ("101", "<data><ibb sid='s'/></data>", true), ("101", "<data><ibb sid='s'/></data>", false), ("101", "", true),
    ("101", "<data><chunkedBase64 streamId='s'/></data>", true), ("200", "", true),
  ])
  func theProtocolChangesOnlyAsAsked(_ status: String, _ data: String, _ upgrading: Bool) throws {
    let machine = machine()
    let response = try payload(
      of: "<iq><resp xmlns='urn:xmpp:http' version='1.1' statusCode='\(status)'>\(data)</resp></iq>")
    let iq = Stanza(.iq, type: "result", id: "1", [response])
    guard status == "200" || data.contains("ibb") && upgrading else {
      #expect(throws: HTTPXError.self) { try machine.response(iq, to: .get, upgrading: upgrading) }
      return
    }
    let received = try machine.response(iq, to: .get, upgrading: upgrading)
    #expect(received.data == (status == "101" ? .ibb(sid: "s") : .none))
  }

  @Test func oneThatIsAgreedToTakesNobodysTurn() throws {
    var machine = machine(limit: 1)
    let element = try payload(
      of: """
        <iq><req xmlns='urn:xmpp:http' method='GET' resource='/'><headers xmlns='http://jabber.org/protocol/shim'>\
        <header name='Upgrade'>WebSocket</header></headers></req></iq>
        """)
    let (answerable, _) = try machine.received(.set(id: "1", element), element)
    #expect(answerable.asksForWebSocket)
    let outgoing = try machine.answer(HTTPResponse(status: .switchingProtocols), nil, to: answerable)
    let session = try #require(outgoing.route.transfer)
    #expect(String(buffer: outgoing.payload).contains("<ibb sid='\(session.name)'/>"))
    machine.upgrade()
    #expect(machine.answering == 0 && machine.upgraded == 1)
    _ = try machine.received(.set(id: "2", element), element)
    machine.closed()
    #expect(machine.upgraded == 0)
  }

  @Test func nobodyElseGets101() throws {
    var machine = machine()
    let (iq, element) = try request()
    let (answerable, _) = try machine.received(iq, element)
    #expect(throws: StanzaError.self) {
      try machine.answer(HTTPResponse(status: .switchingProtocols), nil, to: answerable)
    }
  }

  // MARK: Requests of ours

  @Test func aSmallBodyGoesInsideAndALargeOneBeside() throws {
    var machine = machine()
    let small = try machine.request(Self.get, ByteBuffer(string: "abc"))
    #expect(String(buffer: small.payload).contains("<base64>YWJj</base64>") && small.route.transfer == nil)
    let large = try machine.request(Self.get, nil)
    let transfer = try #require(large.route.transfer)
    #expect(transfer.mechanism == .ibb && String(buffer: large.payload).contains("sid='\(transfer.name)'"))
    #expect(machine.requesting == 2)
    machine.ended()
    machine.ended()
    #expect(machine.requesting == 0)
  }

  @Test func aResponseIsReadForTheMethodThatItAnswers() throws {
    let machine = machine()
    let fields = "<headers xmlns='http://jabber.org/protocol/shim'><header name='Content-Length'>3</header></headers>"
    let answer = Stanza(.iq, type: "result", id: "1", [try resp("statusCode='200'", fields)])
    #expect(try machine.response(answer, to: .head).length == nil)
    // Three bytes are announced, and none are there.
    #expect(throws: HTTPXError.self) { try machine.response(answer, to: .get) }
    #expect(throws: HTTPXError(.notHTTP, "its answer has no HTTP in it.")) {
      try machine.response(Stanza(.iq, type: "result", id: "1"), to: .get)
    }
  }

  // MARK: Published bodies

  private func published(_ size: String, length: Int? = nil) throws -> ExchangeMachine.Received<HTTPResponse> {
    let field = length.map { headers("<header name='Content-Length'>\($0)</header>") } ?? ""
    let data = """
      <data><sipub xmlns='http://jabber.org/protocol/sipub' id='p'>\
      <file xmlns='http://jabber.org/protocol/si/profile/file-transfer' name='n' size='\(size)'/></sipub></data>
      """
    return try machine().response(
      Stanza(.iq, type: "result", id: "1", [try resp("statusCode='200'", field + data)]), to: .get)
  }

  @Test func thePublicationOrTheHeadSaysHowLongABodyIs() throws {
    #expect(try published("3").length == 3)
    #expect(try published("0").length == nil)
    #expect(try published("0", length: 4).length == 4)
    #expect(try published("4", length: 4).length == 4)
    #expect(throws: HTTPXError.self) { try published("3", length: 4) }
    #expect(throws: HTTPXError.self) { try published("x") }
  }

  // MARK: Requests of the other side

  @Test func requestsAreCountedAndBounded() throws {
    var machine = machine(limit: 1)
    let (iq, element) = try request("<data><text>abc</text></data>")
    let (answerable, received) = try machine.received(iq, element)
    #expect(received.data == .text("abc") && machine.answering == 1)
    let error = #expect(throws: StanzaError.self) { _ = try machine.received(iq, element) }
    #expect(error?.condition == .resourceConstraint && machine.answering == 1)
    let answer = try machine.answer(HTTPResponse(status: .ok), ByteBuffer(), to: answerable)
    #expect(String(buffer: answer.payload).hasPrefix("<resp ") && answer.route.transfer == nil)
    machine.answered()
    #expect(machine.answering == 0)
  }

  @Test func whatCannotBeHadIsNotCounted() throws {
    var machine = machine()
    let (iq, element) = try request("<data><jingle xmlns='urn:xmpp:jingle:1'/></data>")
    let error = #expect(throws: StanzaError.self) { _ = try machine.received(iq, element) }
    #expect(error?.condition == .featureNotImplemented && machine.answering == 0)
  }

  @Test func onlyAFinalStatusIsAnAnswer() throws {
    var machine = machine()
    let (iq, element) = try request()
    let (answerable, _) = try machine.received(iq, element)
    let error = #expect(throws: StanzaError.self) {
      try machine.answer(HTTPResponse(status: .continue), nil, to: answerable)
    }
    #expect(error?.condition == .internalServerError)
  }
}
