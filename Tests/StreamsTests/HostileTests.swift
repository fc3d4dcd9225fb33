import NIOCore
import Streams
import TestKit
import Testing
import Trust

/// What no honest peer sends, over sockets. Each costs its own stream at most: another peer's request still succeeds.
@Suite(.timeLimit(.minutes(2))) struct HostileTests {
  private struct Attack: Sendable, CustomTestStringConvertible {
    let name: String
    /// Sent behind the header, or instead of it.
    let bytes: ByteBuffer
    var greets = true
    /// What it is told before the end.
    let answer: String

    var testDescription: String { name }
  }

  private static let attacks = [
    Attack(
      name: "10,000 attributes",
      bytes: ByteBuffer(
        string: "<message " + (0..<10_000).map { "a\($0)='' " }.joined() + "/>"), answer: "policy-violation"),
    Attack(
      name: "100,000 elements inside each other", bytes: ByteBuffer(string: String(repeating: "<a>", count: 100_000)),
      answer: "policy-violation"),
    Attack(
      name: "100,000 small elements",
      bytes: ByteBuffer(string: "<message>" + String(repeating: "<a/>", count: 100_000)), answer: "policy-violation"),
    Attack(
      name: "a stanza of more than 256 KiB",
      bytes: ByteBuffer(string: "<message><body>" + String(repeating: "x", count: 300_000) + "</body></message>"),
      answer: "policy-violation"),
    Attack(
      name: "a stanza that never ends",
      bytes: ByteBuffer(string: "<message><body>" + String(repeating: "never ", count: 1_000_000)),
      answer: "policy-violation"),
    Attack(
      name: "a tag that never ends",
      bytes: ByteBuffer(string: "<message a='" + String(repeating: "x", count: 1_000_000)), answer: "policy-violation"),
    Attack(
      name: "a header of more than 8 KiB",
      bytes: ByteBuffer(string: "<stream:stream a='" + String(repeating: "x", count: 20_000)), greets: false,
      answer: "policy-violation"),
    Attack(
      name: "a billion laughs",
      bytes: ByteBuffer(
        string: "<!DOCTYPE lolz [<!ENTITY lol 'lol'><!ENTITY lol2 '&lol;&lol;&lol;'>]><lolz>&lol2;</lolz>"),
      greets: false, answer: "restricted-xml"),
    Attack(
      name: "25 MB of different names",
      bytes: ByteBuffer(
        string: (0..<20_000).map { "<message><n\($0)\(String(repeating: "x", count: 100))/></message>" }.joined()),
      answer: "policy-violation"),
    Attack(
      name: "an HTTP request",
      bytes: ByteBuffer(string: "GET / HTTP/1.1\r\nHost: pronto:5298\r\n\r\n"), greets: false, answer: "not-well-formed"
    ),
    Attack(
      name: "a TLS ClientHello",
      bytes: ByteBuffer(bytes: [0x16, 3, 1, 0, 0xA5, 1, 0, 0, 0xA1, 3, 3] + [UInt8](repeating: 7, count: 160)),
      greets: false, answer: "not-well-formed"),
    Attack(
      name: "random bytes",
      bytes: ByteBuffer(bytes: (0..<50_000).map { UInt8(truncatingIfNeeded: $0 &* $0 &* 31 >> 3) }),
      greets: false, answer: "not-well-formed"),
    Attack(
      name: "another root", bytes: ByteBuffer(string: "<html>"), greets: false, answer: "invalid-namespace"),
    Attack(
      name: "not UTF-8", bytes: ByteBuffer(bytes: Array("<message><body>".utf8) + [0xC3, 0x28, 0xFF] + "</body>".utf8),
      answer: "not-well-formed"),
  ]

  @Test(arguments: attacks) private func costsItsOwnStreamOnly(_ attack: Attack) async throws {
    // A stranger's floods have a limit of their own, below.
    try await Performance.run(on: .sockets, host: .juliet(as: .known)) { performance in
      let honest = try await performance.connect()
      try await honest.greet(as: "paris")
      for _ in 1...2 {
        let peer = try #require(try await performance.connect() as? ScriptedPeer)
        if attack.greets { try await peer.greet() }
        peer.blurt(attack.bytes)
        let last = try await peer.expectClose()
        #expect(last.contains("<\(attack.answer) "), "\(last.prefix(500))")
        #expect(last.hasSuffix("</stream:stream>"))
      }
      // One that was there before, and a new one.
      try await honest.send("<iq type='get' id='p'><ping xmlns='urn:xmpp:ping'/></iq>")
      try await honest.transcript.expect("type='result' id='p'/>")
      try await Scenario("").play(in: performance)
    }
  }

  @Test func aStormOfRequestsMeetsALimit() async throws {
    let (gate, opened) = AsyncStream.makeStream(of: Void.self)
    let host = StreamHost.juliet { incoming, send in
      if incoming.peer.address == .romeo { for await _ in gate {} }
      try await StreamHost.echo(incoming, send)
    }
    try await Performance.run(on: .sockets, host: host) { performance in
      let romeo = try await performance.connect()
      try await romeo.greet()
      let request = "<req xmlns='urn:xmpp:http' method='GET' resource='/' version='1.1'/>"
      try await romeo.send((1...700).map { "<iq type='set' id='r\($0)'>\(request)</iq>" }.joined())
      try await romeo.transcript.expect("type='error' id='r513'><error type='wait'><resource-constraint")
      try await romeo.transcript.expect("type='error' id='r700'>")
      #expect(await performance.first().load.answering == 512)
      // Another is served meanwhile, and he is again when he has had his answers.
      try await Scenario("").play(in: performance)
      opened.finish()
      for _ in 1...64 { try await romeo.transcript.expect("statusCode='200'") }
      try await eventually("he is still owed answers") { await performance.first().load.answering == 0 }
      try await romeo.send("<iq type='set' id='again'>\(request)</iq>")
      try await romeo.transcript.expect("type='result' id='again'>")
      try await performance.first().idle()
    }
  }

  @Test(arguments: ["header", "garbage", "FIN", "RST"])
  func fourMayNegotiateAndThePlacesComeBack(ending: String) async throws {
    try await Performance.run(on: .sockets) { performance in
      var peers: [ScriptedPeer] = []
      for _ in 1...5 { peers.append(try #require(try await performance.connect() as? ScriptedPeer)) }
      // One is refused: not always the last, for they are accepted on several threads.
      try await eventually("none is refused") { peers.contains(where: \.transcript.isClosed) }
      #expect(peers.count { !$0.transcript.isClosed } == 4)
      for peer in peers where !peer.transcript.isClosed {
        switch ending {
        case "header": try await peer.greet()
        case "garbage":
          try await peer.send("garbage")
          try await peer.expectClose()
          try await peer.hangUp()
        case "FIN": try await peer.hangUp()
        default: try await peer.reset()
        }
      }
      // The places are free as soon as the node has seen it.
      var isAdmitted = false
      for _ in 1...500 where !isAdmitted {
        isAdmitted = await Self.isAdmitted(try await performance.connect())
      }
      #expect(isAdmitted)
      try await Scenario("").play(in: performance)
    }
  }

  /// Asks and never reads the answers: they must not pile up in memory.
  @Test func whoNeverReadsAnswersIsCutOff() async throws {
    try await Performance.run(on: .sockets) { performance in
      let peer = try #require(try await performance.connect() as? ScriptedPeer)
      try await peer.greet()
      try await peer.stopListening()
      // An id comes back in the answer.
      let id = String(repeating: "x", count: 200_000)
      let question = ByteBuffer(string: "<iq type='get' id='\(id)'><q xmlns='u'/></iq>")
      var isCut = false
      for _ in 1...400 where !isCut {
        do { try await peer.send(question) } catch { isCut = true }
      }
      #expect(isCut)
      try await Scenario("").play(in: performance)
    }
  }

  private static func isAdmitted(_ peer: any Speaker) async -> Bool {
    do {
      try await peer.greet()
      try await peer.send("<iq type='get' id='p'><ping xmlns='urn:xmpp:ping'/></iq>")
      try await peer.transcript.expect("type='result' id='p'")
      return true
    } catch {
      return false
    }
  }

  /// Each comes with its own file descriptor, and one host may not take them all.
  @Test func oneAddressHasItsShareOfStreams() async throws {
    try await Performance.run(on: .sockets) { performance in
      var peers: [any Speaker] = []
      for _ in 1...32 {
        let peer = try await performance.connect()
        try await peer.greet()
        peers.append(peer)
      }
      let one = try await performance.connect()
      try await one.greet()
      try await one.transcript.expect("<resource-constraint")
      try await one.transcript.expect("</stream:stream>")
      try await peers[0].hangUp()
      try await eventually("the stream stays open") { await !performance.first().isOpen }
      var isAdmitted = false
      for _ in 1...500 where !isAdmitted {
        isAdmitted = await Self.isAdmitted(try await performance.connect())
      }
      #expect(isAdmitted)
    }
  }

  /// Small questions without end cost the stream, and nobody else's.
  @Test(arguments: [
    "<iq type='get' id='p'><ping xmlns='urn:xmpp:ping'/></iq>",
    "<iq type='get' id='p'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>",
    "<iq type='get' id='p'><query xmlns='jabber:iq:version'/></iq>",
    "<iq type='set' id='p'><unknown xmlns='urn:unknown'/></iq>",
    "<iq type='set' id='p'><req xmlns='urn:xmpp:http' method='GET' resource='/' version='1.1'/></iq>",
  ])
  func aFloodEndsItsStream(_ stanza: String) async throws {
    try await Performance.run(on: .sockets) { performance in
      let romeo = try #require(try await performance.connect() as? ScriptedPeer)
      try await romeo.greet()
      romeo.blurt(ByteBuffer(string: String(repeating: stanza, count: 20_000)))
      // A slow machine answers all that is let pass first.
      let end = try await romeo.expectClose(within: .seconds(60))
      #expect(end.contains("<error type='wait'><policy-violation"))
      #expect(end.contains("<stream:error><policy-violation"), "\(end.suffix(300))")
      try await Scenario("").play(in: performance)
    }
  }

  /// A friend may ask as often as he likes.
  @Test func aFriendIsNotCounted() async throws {
    try await Performance.run(on: .sockets, host: .juliet(as: .known)) { performance in
      let romeo = try await performance.connect()
      try await romeo.greet()
      let ping = "<iq type='get' id='p'><ping xmlns='urn:xmpp:ping'/></iq>"
      for _ in 1...10 {
        try await romeo.send(String(repeating: ping, count: 500))
        try await romeo.pings("last")
      }
    }
  }
}
