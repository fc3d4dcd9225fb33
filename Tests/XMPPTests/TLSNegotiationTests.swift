import NIOCore
import Testing
import XML
import XMPP

let headerStart =
  "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' "
let ownHeader = headerStart + "from='juliet@pronto' to='romeo@forza' version='1.0'>"
let ownAnswer = headerStart + "from='juliet@pronto' to='romeo@forza' id='id1' version='1.0'>"

func text(_ features: StreamFeatures) -> String {
  var buffer = ByteBuffer()
  buffer.write(features.element)
  return String(buffer: buffer)
}

func write(_ text: String) -> StreamAction { .write(ByteBuffer(string: text)) }

extension StreamFeatures {
  func with(startTLS: StartTLS = .none, mechanisms: [String] = []) -> StreamFeatures {
    var features = self
    features.startTLS = startTLS
    features.mechanisms = mechanisms
    return features
  }
}

extension Wire {
  /// What was asked for since the last time.
  func new(_ body: () -> Void) -> [StreamAction] {
    let before = actions.count
    body()
    return Array(actions[before...])
  }
}

/// The whole way, step by step.
@Suite struct TLSNegotiationTests {
  @Test(arguments: [TLSPolicy.preferred, .required], [Int.max, 1]) func theInitiatorsWay(tls: TLSPolicy, piece: Int) {
    let wire = Wire(.initiator(local: juliet, remote: romeo), tls: tls)
    let overall = wire.now + .seconds(10)
    #expect(wire.new { wire.connect() } == [write(ownHeader), .deadline(overall)])
    wire.wait(.seconds(2))
    #expect(wire.new { wire.feed(Header.salutResponse, piece: piece) } == [.deadline(wire.now + .seconds(1))])
    #expect(wire.send(.chat("hi")) == .tooEarly)
    #expect(wire.new { wire.feed(Say.offersTLS, piece: piece) } == [write(Say.startTLS), .deadline(overall)])
    #expect(wire.new { wire.feed(Say.proceed, piece: piece) } == [.startTLS])
    #expect(wire.new { wire.secure() } == [write(ownHeader)])
    #expect(wire.new { wire.feed(Header.salutResponse, piece: piece) } == [.deadline(wire.now + .seconds(1))])
    // "juliet@pronto" in base64.
    #expect(
      wire.new { wire.feed(Say.offersExternal, piece: piece) }
        == [write(Say.auth("anVsaWV0QHByb250bw==")), .deadline(overall)])
    #expect(wire.new { wire.feed(Say.success, piece: piece) } == [.restart, write(ownHeader)])
    #expect(wire.send(.chat("hi")) == .tooEarly)
    #expect(
      wire.new { wire.feed(Header.salutResponse, piece: piece) }
        == [.deadline(nil), .opened(StreamAttributes(remote: romeo, local: juliet, version: .xmpp1, key: romeosKey))])
    // A Hearth node gets ours in return, at the end of it all.
    #expect(
      wire.new { wire.feed(text(offered), piece: piece) } == [write(text(offered)), .features(offered)])
    #expect(wire.new { wire.feed(Say.message, piece: piece) }.count == 1)
    #expect(wire.stanzas.map(\.from) == [romeo])
  }

  @Test(arguments: [TLSPolicy.preferred, .required], [Int.max, 1]) func theRespondersWay(tls: TLSPolicy, piece: Int) {
    let wire = Wire(.responder, tls: tls)
    #expect(wire.new { wire.connect() } == [.deadline(wire.now + .seconds(10))])
    let first = offered.with(startTLS: tls == .required ? .required : .offered)
    #expect(wire.new { wire.feed(Header.salut, piece: piece) } == [write(ownAnswer + text(first))])
    #expect(wire.send(.chat("hi")) == .tooEarly)
    #expect(wire.new { wire.feed(Say.startTLS, piece: piece) } == [write(Say.proceed), .startTLS])
    #expect(wire.new { wire.secure() } == [])
    let second = offered.with(mechanisms: ["EXTERNAL"])
    #expect(wire.new { wire.feed(Header.salut, piece: piece) } == [write(ownAnswer + text(second))])
    #expect(wire.new { wire.feed(Say.auth("cm9tZW9AZm9yemE="), piece: piece) } == [write(Say.success), .restart])
    #expect(wire.send(.chat("hi")) == .tooEarly)
    #expect(
      wire.new { wire.feed(Header.salut, piece: piece) }
        == [
          write(ownAnswer + text(offered)), .deadline(nil),
          .opened(StreamAttributes(remote: romeo, local: juliet, version: .xmpp1, key: romeosKey)),
        ])
    wire.feed(Say.message, piece: piece)
    #expect(wire.stanzas.map(\.from) == [romeo])
  }

  /// What `openssl s_client -starttls xmpp` looks for, literally.
  @Test func theOfferIsSpelledAsClientsCompareIt() {
    let wire = Wire.responder(tls: .preferred)
    wire.feed(
      "<stream:stream xmlns:stream='http://etherx.jabber.org/streams' xmlns='jabber:client' to='juliet@pronto' "
        + "version='1.0'>")
    #expect(wire.written.contains("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"))
    wire.feed("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
    #expect(wire.written.hasSuffix("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"))
    #expect(wire.isSecuring)
  }

  @Test func theLastHeaderSaysWho() {
    let wire = Wire.responder(tls: .preferred)
    wire.feed(Header.gajim + Say.startTLS)
    wire.secure()
    wire.feed(Header.with(to: "nurse@pronto", version: "1.0").replacing("romeo@forza", with: "tybalt@forza"))
    wire.feed(Say.message)
    #expect(
      wire.peers == [StreamAttributes(remote: JID("tybalt@forza"), local: nurse, version: .xmpp1, key: romeosKey)])
    #expect(wire.stanzas.map(\.from) == [JID("tybalt@forza")])
  }
}

/// What a responder makes of those who leave steps out.
@Suite struct TLSResponderTests {
  @Test(arguments: [Int.max, 1]) func plaintextStaysPossible(piece: Int) {
    let wire = Wire.responder(tls: .preferred)
    wire.feed(Header.salut + Say.message + Say.message, piece: piece)
    #expect(wire.peers == [StreamAttributes(remote: romeo, local: juliet, version: .xmpp1)])
    #expect(wire.stanzas.count == 2)
    #expect(wire.deadlines.last == .some(nil))
    // It had its chance.
    wire.feed(Say.startTLS)
    #expect(wire.ends.map(\.condition) == [.unsupportedStanzaType])
    wire.expectOver()
  }

  @Test func anInitiatorsFeaturesMeanNoTLS() {
    let wire = Wire.responder(tls: .preferred)
    wire.feed(Header.salut + text(offered))
    #expect(wire.peers == [StreamAttributes(remote: romeo, local: juliet, version: .xmpp1)])
    #expect(wire.features == [offered])
  }

  @Test func whoKnowsNoFeaturesIsNotKeptWaiting() {
    let wire = Wire.responder(tls: .preferred)
    wire.feed(Header.pidgin)
    #expect(wire.peers == [StreamAttributes(remote: romeo, local: juliet, version: nil)])
    #expect(wire.written == headerStart + "from='juliet@pronto' to='romeo@forza' id='id1'>")
  }

  @Test func whoSaysNothingMoreIsListenedTo() {
    for isSecure in [false, true] {
      let wire = Wire.responder(tls: .preferred)
      wire.feed(Header.salut)
      if isSecure {
        wire.feed(Say.startTLS)
        wire.secure()
        wire.feed(Header.salut)
      }
      wire.wait(.milliseconds(9999))
      #expect(wire.peers.isEmpty)
      wire.wait(.milliseconds(1))
      #expect(wire.peers.map(\.key) == [isSecure ? romeosKey : nil])
      #expect(wire.isOpen)
    }
  }

  @Test func withoutAKeyTLSIsRefused() {
    let wire = Wire.responder()
    wire.feed(Header.salut)
    #expect(!wire.written.contains("starttls"))
    wire.feed(Say.startTLS)
    #expect(wire.ends.map(\.condition) == [.unsupportedStanzaType])
    wire.expectOver()
  }

  /// TLS shows the key; whoever does not care for SASL need not go through it.
  @Test(arguments: [TLSPolicy.preferred, .required], [Header.salut, Header.pidgin])
  func saslMayBeSkipped(tls: TLSPolicy, header: String) {
    let wire = Wire.responder(tls: tls)
    wire.feed(Header.salut)
    wire.feed(Say.startTLS)
    wire.secure()
    wire.feed(header + Say.message)
    #expect(wire.peers.map(\.key) == [romeosKey])
    #expect(wire.stanzas.count == 1)
    wire.feed(Say.auth("="))
    #expect(wire.ends.map(\.condition) == [.unsupportedStanzaType], "too late for that")
    wire.expectOver()
  }

  /// There is no key that SASL EXTERNAL could speak of.
  @Test(arguments: [Header.salut, Header.pidgin], [Int.max, 1])
  func aClientWithoutCertificateHasNoKey(header: String, piece: Int) {
    let wire = Wire.responder(tls: .preferred)
    wire.feed(Header.salut)
    wire.feed(Say.startTLS)
    wire.secure(nil)
    let answer = wire.new { wire.feed(header, piece: piece) }
    let version: StreamHeader.Version? = header == Header.salut ? .xmpp1 : nil
    #expect(
      answer.suffix(2) == [
        .deadline(nil), .opened(StreamAttributes(remote: romeo, local: juliet, version: version, key: nil)),
      ])
    if version != nil { #expect(answer.first == write(ownAnswer + text(offered))) }
    wire.feed(Say.message, piece: piece)
    #expect(wire.stanzas.map(\.from) == [romeo])
    wire.feed(Say.auth("="))
    #expect(wire.ends.map(\.condition) == [.unsupportedStanzaType])
    #expect(!wire.written.contains("mechanism"))
    wire.expectOver()
  }

  @Test(arguments: [Header.salut + Say.message, Header.with(version: "1.0")])
  func whereTLSIsRequiredAKeyIs(bytes: String) {
    let wire = Wire.responder(tls: .required)
    wire.feed(Header.salut)
    wire.feed(Say.startTLS)
    wire.secure(nil)
    let before = wire.written
    wire.feed(bytes)
    #expect(wire.ends == [.insecure(.noKey)])
    #expect(wire.written.dropFirst(before.count).split(separator: "<stream:stream ").count == 2, "one header")
    #expect(wire.peers.isEmpty && wire.stanzas.isEmpty)
    wire.expectOver()
  }

  static let withoutTLS: [(String, Insecurity)] = [
    (Header.pidgin + Say.message, .oldVersion), (Header.with(version: "0.9"), .oldVersion),
    (Header.salut + Say.message, .declined), (Header.salut + text(offered), .declined),
  ]

  @Test(arguments: withoutTLS, [Int.max, 1])
  func whereTLSIsRequiredNothingPassesWithout(script: (bytes: String, reason: Insecurity), piece: Int) {
    let wire = Wire.responder(tls: .required)
    wire.feed(script.bytes + Say.message, piece: piece)
    #expect(wire.ends == [.insecure(script.reason)])
    #expect(wire.peers.isEmpty && wire.stanzas.isEmpty && wire.features.isEmpty)
    #expect(wire.written.contains("<stream:error><policy-violation xmlns="))
    #expect(wire.written.hasSuffix("</stream:error></stream:stream>"))
    #expect(wire.written.split(separator: "<stream:stream ").count == 2, "one header, whatever follows it")
    wire.expectOver()
  }

  @Test func whereTLSIsRequiredSilenceDoesNotOpen() {
    let wire = Wire.responder(tls: .required)
    wire.feed(Header.salut)
    wire.wait(.seconds(10))
    #expect(wire.ends == [.insecure(.declined)])
    wire.expectOver()
  }

  static let strays: [(String, StreamError.Condition)] = [
    (Say.proceed, .unsupportedStanzaType), (Say.auth("="), .unsupportedStanzaType), ("<hi/>", .unsupportedStanzaType),
    ("<iq xmlns='urn:x'/>", .invalidNamespace), (Say.startTLS + Say.startTLS, .policyViolation),
    (Say.startTLS + " ", .policyViolation), (Say.startTLS + Say.message, .policyViolation),
    (Say.startTLS + "\u{16}\u{3}\u{1}", .policyViolation), ("</a>", .notWellFormed), ("hi", .badFormat),
  ]

  @Test(arguments: strays) func violations(bytes: String, condition: StreamError.Condition) {
    let wire = Wire.responder(tls: .preferred)
    wire.feed(Header.salut)
    let before = wire.written
    wire.feed(bytes)
    #expect(wire.ends.map(\.condition) == [condition])
    #expect(wire.written.hasPrefix(before + "<stream:error><\(condition.rawValue) "), "and no <proceed/>")
    #expect(!wire.actions.contains(.startTLS) && wire.peers.isEmpty)
    wire.expectOver()
  }
}
