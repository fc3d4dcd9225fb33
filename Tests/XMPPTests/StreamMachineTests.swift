import NIOCore
import Testing
import XML
import XMPP

@Suite struct StreamMachineTests {
  @Test func anInitiatorSaysItsHeaderAtOnce() {
    let wire = Wire.initiator()
    #expect(
      wire.written == "<?xml version='1.0'?><stream:stream xmlns='jabber:client' "
        + "xmlns:stream='http://etherx.jabber.org/streams' from='juliet@pronto' to='romeo@forza' version='1.0'>")
    #expect(wire.deadlines == [wire.now + .seconds(10)])
  }

  @Test func aResponderAnswersInOneWrite() {
    let wire = Wire.responder()
    #expect(wire.written.isEmpty)
    wire.feed(Header.salut)
    let header =
      "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' "
      + "from='juliet@pronto' to='romeo@forza' id='id1' version='1.0'>"
    var features = ByteBuffer()
    features.write(offered.element)
    #expect(
      wire.actions == [
        .deadline(wire.now + .seconds(10)), .write(ByteBuffer(string: header + String(buffer: features))),
        .deadline(nil),
        .opened(StreamAttributes(remote: romeo, local: juliet, version: .xmpp1)),
      ])
  }

  static let versions: [(String?, StreamHeader.Version?, Bool)] = [
    (nil, nil, false), ("1.0", .xmpp1, true), ("1", .xmpp1, true), ("2.0", .init(major: 2, minor: 0), true),
    ("1.15", .init(major: 1, minor: 15), true), ("0.9", .init(major: 0, minor: 9), false), ("", nil, false),
    ("one", nil, false), ("1.x", nil, false), ("-1", nil, false), ("1.0.0", nil, false), ("99999999999", nil, false),
  ]

  @Test(arguments: versions)
  func featuresGoToWhoKnowsThem(text: String?, version: StreamHeader.Version?, hasFeatures: Bool) {
    let wire = Wire.responder()
    wire.feed(Header.with(version: text))
    #expect(wire.peers == [StreamAttributes(remote: romeo, local: juliet, version: version)])
    #expect(wire.written.contains("<stream:features>") == hasFeatures)
    // The lower of both, which may be none (RFC 6120 §4.7.5): a client of old would wait for features.
    let answered =
      hasFeatures ? " id='id1' version='1.0'>" : version.map { " id='id1' version='\($0)'>" } ?? " id='id1'>"
    #expect(wire.written.contains(answered), "\(wire.written)")
  }

  /// What is advertised holds for the first stanza too; what belongs to the negotiation is small.
  @Test(arguments: [Int.max, 100]) func theFirstStanzaMayBeAsLargeAsIsAdvertised(piece: Int) {
    let body = String(repeating: "x", count: 200_000)
    let message = "<message from='romeo@forza' to='juliet@pronto'><body>\(body)</body></message>"
    for tls in [TLSPolicy.none, .preferred] {
      let wire = Wire.responder(tls: tls)
      wire.feed(Header.with(version: "1.0") + message, piece: piece)
      #expect(wire.stanzas.map(\.body) == [body], "\(tls)")
    }
    let secured = Wire.responder(tls: .required)
    secured.feed(Header.with(version: "1.0") + message, piece: piece)
    #expect(secured.stanzas.isEmpty)
    let small = Wire.responder(tls: .required)
    small.feed(
      "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='\(String(repeating: "x", count: 9_800))' version='1.0'>",
      piece: piece)
    #expect(small.written.contains("<stream:features>"), "10,000 bytes are the least (RFC 6120 §13.12)")
  }

  static let addresses: [(String, JID)] = [
    ("juliet@pronto", juliet), ("nurse@pronto", nurse), ("NURSE@Pronto", nurse), ("nurse@pronto/balcony", nurse),
    ("", juliet), ("127.0.0.1", juliet), ("tybalt@pronto", juliet), ("a\u{7F}b", juliet),
    (String(repeating: "x", count: 64), juliet),
  ]

  @Test(arguments: addresses) func strangeAddressesMeanTheNode(to: String, local: JID) {
    let wire = Wire.responder()
    wire.feed(Header.with(to: to, version: "1.0"))
    #expect(wire.peers.map(\.local) == [local])
    #expect(wire.written.lowercased().contains(" from='\(local)'"))
    wire.feed("<message to='\(to)'/><message/><message to='nurse@pronto'/>")
    #expect(wire.stanzas.map(\.to) == [local, local, nurse])
  }

  static let claims: [(String, JID?)] = [
    ("romeo@forza", romeo), ("romeo@forza/orchard", romeo), ("Romeo@Forza/a@b/c", romeo), ("", nil), ("a\u{7F}b", nil),
    (String(repeating: "x", count: 64), nil),
  ]

  @Test(arguments: claims) func aPeerOnTheLinkHasNoResource(from: String, remote: JID?) {
    let wire = Wire.responder()
    wire.feed(Header.with(version: "1.0").replacing("romeo@forza", with: from))
    #expect(wire.peers.map(\.remote) == [remote])
    wire.feed("<message from='romeo@forza/balcony'/><message from='nurse@pronto/x'/><message/>")
    #expect(wire.stanzas.map(\.from) == [remote, remote, remote])
    #expect(wire.stanzas.allSatisfy { $0.from?.resource == nil })
  }

  /// Several devices share a stream: one that has gone is not to be mistaken for another.
  @Test func anIQForADeviceThatIsGoneIsNotForAnother() {
    let wire = Wire.responder()
    wire.feed(Header.with(to: "nurse@pronto", version: "1.0"))
    for to in ["tybalt@pronto", "TYBALT@Pronto/balcony", "tybalt@verona", "nurse@pronto"] {
      wire.feed("<iq type='set' id='1' to='\(to)'/>")
    }
    #expect(wire.stanzas.map(\.to) == [JID("tybalt@pronto"), JID("tybalt@pronto"), nurse, nurse])
  }

  @Test func aHearthNodeGetsOurFeaturesInReturn() {
    var theirs = ByteBuffer()
    theirs.write(offered.element)
    let wire = Wire.initiator()
    wire.feed(Header.salutResponse)
    #expect(!wire.written.contains("<stream:features>"))
    wire.feed(String(buffer: theirs))
    #expect(wire.features == [offered])
    #expect(wire.written.hasSuffix(String(buffer: theirs)))
    // Once is enough.
    let before = wire.written
    wire.feed(String(buffer: theirs))
    #expect(wire.features == [offered, offered])
    #expect(wire.written == before)
  }

  @Test func othersDoNot() {
    let wire = Wire.initiator()
    wire.feed(Header.salutResponse)
    wire.feed("<message/><stream:features><starttls xmlns='\(Namespace.tls)'><required/></starttls><x xmlns='y'/>")
    wire.feed("</stream:features><message/>")
    #expect(wire.features == [StreamFeatures(startTLS: .required)])
    #expect(!wire.written.contains("<stream:features>"))
    #expect(wire.stanzas.count == 2, "features may come late")
    #expect(wire.isOpen)
  }

  @Test func twoHearthNodesLearnOfEachOther() {
    let initiator = Wire.initiator()
    let responder = Wire.responder()
    responder.feed(initiator.written)
    initiator.feed(responder.written)
    let answer = initiator.written.firstRange(of: "<stream:features>").map { initiator.written[$0.lowerBound...] }
    responder.feed(String(answer ?? ""))
    #expect(initiator.features == [offered])
    #expect(responder.features == [offered])
    #expect(responder.peers.map(\.remote) == [juliet])
  }

  @Test func whatIsSentIsAddressed() {
    let wire = Wire.responder()
    wire.feed(Header.salut)
    #expect(
      wire.send(Stanza(.message, type: "chat"))
        == .write(ByteBuffer(string: "<message from='juliet@pronto' to='romeo@forza' type='chat'/>")))
    #expect(
      wire.send(Stanza(.iq, from: nurse, to: romeo, type: "result", id: "a&b"))
        == .write(ByteBuffer(string: "<iq from='nurse@pronto' to='romeo@forza' type='result' id='a&amp;b'/>")))
  }

  @Test func aNamelessPeerIsSentNoAddress() {
    let wire = Wire.responder()
    wire.feed(Header.iChat)
    #expect(wire.send(Stanza(.message)) == .write(ByteBuffer(string: "<message from='juliet@pronto'/>")))
  }
}

/// What a peer does wrong, and what it is told.
@Suite struct StreamViolationTests {
  static let early: [(String, StreamError.Condition)] = [
    ("<stream:stream xmlns:stream='urn:other' xmlns='jabber:client'>", .invalidNamespace),
    ("<stream xmlns='jabber:client'>", .invalidNamespace),
    ("<html>", .invalidNamespace),
    ("<stream:features xmlns:stream='http://etherx.jabber.org/streams'>", .badFormat),
    ("GET / HTTP/1.1\r\n\r\n", .notWellFormed),
    ("\u{16}\u{3}\u{1}", .notWellFormed),
    ("<!DOCTYPE a [<!ENTITY b 'c'>]>", .restrictedXML),
    ("<stream:stream to='\(String(repeating: "x", count: 10_000))'>", .policyViolation),
  ]

  @Test(arguments: early, [Int.max, 1])
  func beforeTheStreamIsOpen(violation: (bytes: String, condition: StreamError.Condition), piece: Int) {
    for wire in [Wire.responder(), Wire.initiator()] {
      wire.feed(violation.bytes, piece: piece)
      #expect(wire.peers.isEmpty)
      #expect(wire.written.hasPrefix("<?xml version='1.0'?><stream:stream "), "an error is told inside a stream")
      #expect(wire.written.contains("<stream:error><\(violation.condition.rawValue) xmlns="))
      #expect(wire.written.hasSuffix("</stream:error></stream:stream>"))
      #expect(wire.disconnects == 1)
      #expect(wire.ends.map(\.condition) == [violation.condition])
      wire.expectOver()
    }
  }

  static let late: [(String, StreamError.Condition)] = [
    ("<unknown/>", .unsupportedStanzaType),
    ("<starttls xmlns='\(Namespace.tls)'/>", .unsupportedStanzaType),
    ("<auth xmlns='\(Namespace.sasl)' mechanism='ANONYMOUS'/>", .unsupportedStanzaType),
    ("<message xmlns='jabber:server'/>", .invalidNamespace),
    ("<iq xmlns=''/>", .invalidNamespace),
    ("<message></body>", .notWellFormed),
    ("<message><!-- hi --></message>", .restrictedXML),
    ("<message><?hi?></message>", .restrictedXML),
    ("<message>&hi;</message>", .restrictedXML),
    ("hello", .badFormat),
    ("<message>\(String(repeating: "x", count: 300_000))</message>", .policyViolation),
    ("<message>\(String(repeating: "<a>", count: 40))", .policyViolation),
  ]

  @Test(arguments: late, [Int.max, 17])
  func insideTheStream(violation: (bytes: String, condition: StreamError.Condition), piece: Int) {
    for wire in [Wire.responder(), Wire.initiator()] {
      wire.feed(Header.salut + "<message/>")
      let before = wire.written
      wire.feed(violation.bytes + "<message/>", piece: piece)
      #expect(wire.stanzas.count == 1, "nothing behind the error is told")
      #expect(wire.written.hasPrefix(before + "<stream:error><\(violation.condition.rawValue) xmlns="))
      #expect(wire.written.hasSuffix("</stream:error></stream:stream>"))
      #expect(wire.send(.chat("late")) == .tooLate)
      #expect(wire.ends.map(\.condition) == [violation.condition])
      wire.expectOver()
    }
  }

  @Test func thePeersErrorIsHeard() {
    let wire = Wire.responder()
    wire.feed(Header.salut)
    let before = wire.written
    wire.feed("<stream:error><conflict xmlns='\(Namespace.streamErrors)'/></stream:error></stream:stream>")
    #expect(wire.written == before + "</stream:stream>")
    #expect(wire.ends == [.closedByPeer(StreamError(.conflict))])
    wire.expectOver()
  }

  @Test func aHeaderMayBeLargerThanNegotiationAllowsOnlyAfterIt() {
    let wire = Wire.responder()
    wire.feed(Header.salut + "<message><body>\(String(repeating: "x", count: 100_000))</body></message>")
    #expect(wire.stanzas.first?.body?.count == 100_000)
  }
}

extension StreamEnd {
  var condition: StreamError.Condition? {
    switch self {
    case .violated(let error): error.condition
    case .closed(let error), .closedByPeer(let error): error?.condition
    case .hungUp, .timedOut, .insecure, .unauthorized, .lost: nil
    }
  }
}
