import Codecs
import NIOCore
import TLS
import Testing
import XML
import XMPP

@testable import Account

/// The machine as the server sees it: text in, text out.
private final class Play {
  var machine: ClientMachine
  var reader = XMLReader(limits: AccountLimits.negotiating)
  /// Said since it was last looked at.
  var said = ""
  var closed = false
  var problem: AccountProblem?
  var isSecuring = false
  var mechanism: Mechanism?
  var opening: ClientOpening?
  var stanzaBytes = 0
  var elements: [Element] = []
  var derivation: SCRAM.KeyDerivation?

  var isOpen: Bool { machine.isOpen }

  static let user = JID("juliet@im.example.com")!

  init(
    security: AccountConfiguration.Security = .startTLS, password: String = "pencil", plain: Bool = false,
    resumption: StreamManagement.Resumption? = nil, before: Bool = false, isTrial: Bool = false
  ) {
    let configuration = AccountConfiguration(
      address: Self.user, password: password, allowsPlain: plain, resource: "hearth.abcd")
    machine = ClientMachine(
      .init(
        configuration: configuration, security: security, resumption: resumption, hasOfferedBinding: before,
        nonce: "rOprNGfwEbeRWgbNEkqO", isTrial: isTrial))
    perform(machine.connected())
  }

  func perform(_ actions: [ClientAction]) {
    for action in actions {
      switch action {
      case .write(let bytes): said += String(buffer: bytes)
      case .restart: reader = XMLReader(limits: AccountLimits.negotiating)
      case .startTLS: isSecuring = true
      case .chose(let mechanism, _): self.mechanism = mechanism
      case .derive(let derivation): self.derivation = derivation
      case .opened(let opening, let bytes): (self.opening, stanzaBytes) = (opening, bytes)
      case .element(let element): elements.append(element)
      case .closing: break
      case .closed(let problem):
        #expect(!closed, "closed twice")
        (closed, self.problem) = (true, problem)
      }
    }
  }

  /// What it says to that.
  @discardableResult
  func hears(_ text: String) throws -> String {
    said = ""
    var events: [(XMLEvent, Int)] = []
    let reader = reader
    try reader.feed(ByteBuffer(string: text)) { events.append(($0, reader.unread)) }
    for (event, unread) in events { perform(machine.received(event, unread: unread)) }
    if let derivation = derivation.take() { perform(machine.derived(derivation.key(of: "pencil"))) }
    return said
  }

  func secure(_ bindings: [ChannelBinding: [UInt8]] = [:]) -> String {
    said = ""
    perform(machine.secured(bindings: bindings, version: .v13))
    return said
  }

  static func header(_ features: String) -> String {
    "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' "
      + "from='im.example.com' id='x' version='1.0'><stream:features>\(features)</stream:features>"
  }

  static func mechanisms(_ names: String...) -> String {
    "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>"
      + names.map { "<mechanism>\($0)</mechanism>" }.joined() + "</mechanisms>"
  }

  static let sm = "<sm xmlns='urn:xmpp:sm:3'/>"
  static let bind = "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>"

  /// Up to the header behind the login.
  func logIn(_ features: String = mechanisms("SCRAM-SHA-256")) throws {
    try hears(Self.header("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls>"))
    try hears("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
    _ = secure()
    try hears(Self.header(features))
    let nonce = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
    // Of RFC 7677, but for the user, so that the signature is another one.
    let first = "r=\(nonce),s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
    try hears("<challenge xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>\(Base64.encode(Array(first.utf8)))</challenge>")
    try hears("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>\(Self.signature(first, nonce))</success>")
  }

  static func signature(_ first: String, _ nonce: String) -> String {
    let hash = HashFunction.sha256
    let salted = hash.derivedKey(
      Array("pencil".utf8), salt: Base64.decodeCanonical("W22ZaJ0SNY7soEsUEjb6gQ==")!, iterations: 4096)
    let message = "n=juliet,r=rOprNGfwEbeRWgbNEkqO,\(first),c=biws,r=\(nonce)"
    let signature = hash.hmac(key: hash.hmac(key: salted, Array("Server Key".utf8)), Array(message.utf8))
    return Base64.encode(Array("v=\(Base64.encode(signature))".utf8))
  }
}

private let failure = "xmlns='urn:ietf:params:xml:ns:xmpp-sasl'"

@Suite struct ClientMachineTests {
  @Test func fromTheFirstByteToASession() throws {
    var play = Play()
    #expect(play.said.contains(" to='im.example.com' version='1.0'>"))
    #expect(!play.said.contains("juliet"))
    #expect(
      try play.hears(Play.header("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"))
        == "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
    try play.hears("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
    #expect(play.isSecuring)
    #expect(play.secure().contains(" from='juliet@im.example.com' to='im.example.com'"))

    play = Play()
    try play.logIn()
    #expect(play.said.contains("<stream:stream"))
    #expect(
      try play.hears(
        Play.header(
          Play.bind + Play.sm + "<limits xmlns='urn:xmpp:stream-limits:0'><max-bytes>65536</max-bytes></limits>"))
        == "<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>hearth.abcd</resource></bind></iq>"
    )
    let bound =
      "<iq type='result' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>juliet@im.example.com/hearth.abcd</jid>"
      + "</bind></iq>"
    #expect(try play.hears(bound) == "<enable xmlns='urn:xmpp:sm:3' resume='true'/>")
    try play.hears("<enabled xmlns='urn:xmpp:sm:3' id='some-long-sm-id' resume='true'/>")
    guard case .new(let jid, let management)? = play.opening else { return #expect(Bool(false), "not open") }
    #expect(jid.text == "juliet@im.example.com/hearth.abcd")
    #expect(management?.resumption == StreamManagement.Resumption(id: "some-long-sm-id", handled: 0))
    #expect(play.stanzaBytes == 65536)
    try play.hears("<message/><r xmlns='urn:xmpp:sm:3'/>")
    #expect(play.elements.map(\.name) == ["message", "r"])
  }

  @Test func directTLSBeginsWithTLS() throws {
    let play = Play(security: .direct)
    #expect(play.said.isEmpty)
    #expect(play.secure().contains("<stream:stream"))
  }

  @Test func withoutTLSNothingIsTold() throws {
    let play = Play()
    let said = try play.hears(Play.header(Play.mechanisms("PLAIN", "SCRAM-SHA-256")))
    #expect(said == "</stream:stream>")
    #expect(play.problem?.code == .tls)
  }

  @Test func plaintextBehindTheStartOfTLSIsAnAttack() throws {
    let play = Play()
    try play.hears(Play.header("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"))
    try play.hears("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/> <x/>")
    #expect(play.problem?.code == .violation && !play.isSecuring)
  }

  @Test func aLoginIsBoundToTheConnection() throws {
    let play = Play(security: .direct)
    _ = play.secure([.exporter: [1, 2, 3], .serverEndPoint: [4]])
    let said = try play.hears(
      Play.header(
        Play.mechanisms("SCRAM-SHA-256-PLUS", "SCRAM-SHA-256")
          + "<sasl-channel-binding xmlns='urn:xmpp:sasl-cb:0'><channel-binding type='tls-exporter'/></sasl-channel-binding>"
      ))
    #expect(play.mechanism?.name == "SCRAM-SHA-256-PLUS" && play.mechanism?.binding == .exporter)
    let first = Base64.encode(Array("p=tls-exporter,,n=juliet,r=rOprNGfwEbeRWgbNEkqO".utf8))
    #expect(said == "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='SCRAM-SHA-256-PLUS'>\(first)</auth>")
  }

  @Test func whatWasOfferedOnceIsNotTakenAway() throws {
    let play = Play(security: .direct, before: true)
    _ = play.secure([.exporter: [1]])
    #expect(try play.hears(Play.header(Play.mechanisms("SCRAM-SHA-256"))) == "</stream:stream>")
    #expect(play.problem?.code == .forged && play.problem?.isFinal == false)
  }

  @Test(arguments: [
    ("not-authorized", AccountProblem.Code.password), ("account-disabled", .password),
    ("credentials-expired", .password),
    ("temporary-auth-failure", .refused), ("mechanism-too-weak", .mechanism), ("something-new", .password),
  ])
  func aRefusedLoginSaysWhy(_ condition: String, _ code: AccountProblem.Code) throws {
    let play = Play(security: .direct)
    _ = play.secure()
    try play.hears(Play.header(Play.mechanisms("SCRAM-SHA-1")))
    try play.hears("<failure \(failure)><\(condition)/><text>Nope</text></failure>")
    #expect(play.problem?.code == code)
    #expect(play.problem?.isFinal == (code == .password))
    #expect(play.problem?.message.contains("Nope") == true)
  }

  /// The password may be right.
  @Test func aBindingThatTheServerDoesNotKnowIsNoWrongPassword() throws {
    let play = Play(security: .direct)
    _ = play.secure([.exporter: [1]])
    try play.hears(Play.header(Play.mechanisms("SCRAM-SHA-1-PLUS")))
    try play.hears("<failure \(failure)><not-authorized/><text>Invalid channel binding</text></failure>")
    #expect(play.problem?.code == .mechanism)
  }

  @Test(arguments: ["", "=", "dj1BQUFB", "djw9"])
  func aServerThatOnlySaysSuccessIsNotBelieved(_ data: String) throws {
    let play = Play(security: .direct)
    _ = play.secure()
    try play.hears(Play.header(Play.mechanisms("SCRAM-SHA-256")))
    try play.hears("<success \(failure)>\(data)</success>")
    #expect(play.closed && play.opening == nil)
    #expect(play.problem?.code == .forged || play.problem?.code == .violation)
  }

  @Test func aWrongSignatureEndsIt() throws {
    let play = Play(security: .direct)
    _ = play.secure()
    try play.hears(Play.header(Play.mechanisms("SCRAM-SHA-256")))
    let first = "r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
    #expect(
      try play.hears("<challenge \(failure)>\(Base64.encode(Array(first.utf8)))</challenge>").hasPrefix("<response"))
    let wrong = Base64.encode(Array("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=".utf8))
    try play.hears("<success \(failure)>\(wrong)</success>")
    #expect(play.problem?.code == .forged)
  }

  @Test func thePasswordIsToldWhereTheOwnerSaysSo() throws {
    let play = Play(security: .direct, plain: true)
    _ = play.secure([.exporter: [1]])
    let said = try play.hears(Play.header(Play.mechanisms("PLAIN")))
    #expect(said.contains(">\(Base64.encode([0] + Array("juliet".utf8) + [0] + Array("pencil".utf8)))</auth>"))
    try play.hears("<success \(failure)/>")
    #expect(play.said.contains("<stream:stream"))
  }

  @Test func aTrialEndsWithTheLogin() throws {
    let play = Play(isTrial: true)
    try play.logIn()
    #expect(play.closed && play.problem == nil && play.said == "</stream:stream>")
  }

  @Test func aSessionIsResumed() throws {
    let play = Play(resumption: .init(id: "some-long-sm-id", handled: 7))
    try play.logIn()
    #expect(
      try play.hears(Play.header(Play.bind + Play.sm))
        == "<resume xmlns='urn:xmpp:sm:3' h='7' previd='some-long-sm-id'/>")
    try play.hears("<resumed xmlns='urn:xmpp:sm:3' h='4294967295' previd='some-long-sm-id'/>")
    guard case .resumed(.max)? = play.opening else { return #expect(Bool(false), "not resumed") }
    #expect(play.stanzaBytes == 10_000)
  }

  @Test func aSessionThatIsForgottenIsBoundAnew() throws {
    let play = Play(resumption: .init(id: "x", handled: 0))
    try play.logIn()
    try play.hears(Play.header(Play.bind + Play.sm))
    #expect(
      try play.hears(
        "<failed xmlns='urn:xmpp:sm:3'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>"
      ).contains("<bind"))
  }

  @Test(arguments: [
    "romeo@im.example.com/x", "juliet@im.example.com", "juliet@evil.example/x", "", "im.example.com",
  ])
  func anothersAddressIsNotBound(_ jid: String) throws {
    let play = Play()
    try play.logIn()
    try play.hears(Play.header(Play.bind))
    try play.hears(
      "<iq type='result' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>\(jid)</jid></bind></iq>")
    #expect(play.problem?.code == .violation)
  }

  @Test func aResourceThatIsTakenIsLeftToTheServer() throws {
    let play = Play()
    try play.logIn()
    try play.hears(Play.header(Play.bind))
    let conflict =
      "<iq type='error' id='bind'><error type='modify'><conflict xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
    #expect(
      try play.hears(conflict)
        == "<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>")
    try play.hears(conflict)
    #expect(play.problem?.code == .refused)
  }

  @Test(arguments: [
    ("conflict", AccountProblem.Code.conflict), ("system-shutdown", .refused), ("host-unknown", .refused),
    ("see-other-host", .refused),
  ])
  func aStreamErrorEndsIt(_ condition: String, _ code: AccountProblem.Code) throws {
    for isOpen in [false, true] {
      let play = Play()
      if isOpen {
        try play.logIn()
        try play.hears(Play.header(Play.bind))
        try play.hears(
          "<iq type='result' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>juliet@im.example.com/x</jid></bind></iq>"
        )
        #expect(play.isOpen)
      } else {
        try play.hears(Play.header("").replacing("<stream:features></stream:features>", with: ""))
      }
      let error =
        "<stream:error><\(condition) xmlns='urn:ietf:params:xml:ns:xmpp-streams'>other</\(condition)></stream:error>"
      #expect(try play.hears(error).hasSuffix("</stream:stream>"))
      #expect(play.problem?.code == code)
      #expect(play.problem?.isFinal == (code == .conflict))
    }
  }

  /// From every state an end comes, once, whatever it is.
  @Test(arguments: 0..<5)
  func itEndsOnceFromEveryState(_ way: Int) throws {
    let steps = [
      Play.header("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"),
      "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
    ]
    for count in 0...steps.count {
      let play = Play()
      for step in steps.prefix(count) { try play.hears(step) }
      switch way {
      case 0: play.perform(play.machine.disconnected())
      case 1: play.perform(play.machine.timedOut())
      case 2: play.perform(play.machine.close())
      case 3: play.perform(play.machine.tlsFailed(TLSError(.truncated, "x")))
      default: play.perform(play.machine.failed(XMLError(.notWellFormed, "x")))
      }
      #expect(play.closed)
      play.perform(play.machine.disconnected())
      play.perform(play.machine.close())
      play.perform(play.machine.timedOut())
    }
  }

  /// What has no place breaks no state open.
  @Test(arguments: [
    "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>", "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
    "<enabled xmlns='urn:xmpp:sm:3'/>", "<resumed xmlns='urn:xmpp:sm:3' h='0'/>", "<message/>",
    "<iq type='result' id='bind'/>", "<challenge xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>",
  ])
  func strayElementsEndIt(_ element: String) throws {
    let play = Play()
    try play.hears(Play.header("").replacing("<stream:features></stream:features>", with: element))
    #expect(play.closed && play.opening == nil && play.problem?.code == .violation)
  }
}
