import Bytestreams
import Codecs
import HTTPTypes
import HTTPX
import NIOCore
import Synchronization
import TLS
import TestKit
import Testing
import XMPP

@testable import Streams

private let ibb = "http://jabber.org/protocol/ibb"
private let socks5 = "http://jabber.org/protocol/bytestreams"
private let fileTransfer = "http://jabber.org/protocol/si/profile/file-transfer"

/// As many bytes, all of them text, in no pattern of 64 KiB.
private func text(_ count: Int) -> String {
  String(decoding: (0..<count).map { UInt8(ascii: "a") + UInt8(($0 / 7 + $0 % 11) % 26) }, as: UTF8.self)
}

extension StreamHost {
  /// Juliet with a key, which Romeo never asks for.
  fileprivate static func keyed(
    preference: [BodyMechanism] = BodyMechanism.standard, answer: @escaping Answer = echo
  ) throws -> StreamHost {
    let host = juliet(security: try StreamSecurity(.generate(name: "juliet")), preference: preference, answer: answer)
    // As a node does; a listener of hers says where.
    host.dataConnections.listens(on: standardPort)
    return host
  }
}

/// Bodies that a peer without TLS publishes, and has nothing but SOCKS5 for (XEP-0065).
@Suite(.timeLimit(.minutes(1))) struct FetchedInTheClearTests {
  private static func offer(size: Int, _ methods: [String] = [socks5]) -> String {
    let options = methods.map { "<option><value>\($0)</value></option>" }.joined()
    return "<iq type='set' id='si'><si xmlns='http://jabber.org/protocol/si' id='s' mime-type='image/png' "
      + "profile='\(fileTransfer)'><file xmlns='\(fileTransfer)' name='Kermit.png' size='\(size)'/>"
      + "<feature xmlns='http://jabber.org/protocol/feature-neg'><x xmlns='jabber:x:data' type='form'>"
      + "<field var='stream-method' type='list-single'>\(options)</field></x></feature></si></iq>"
  }

  /// Up to the offer.
  private func offers(_ romeo: Romeo, size: Int) async throws {
    let (id, _) = try await romeo.takesRequest()
    try await romeo.answers(
      id,
      "<sipub xmlns='http://jabber.org/protocol/sipub' id='f' profile='\(fileTransfer)'>"
        + "<file xmlns='\(fileTransfer)' name='Kermit.png' size='\(size)'/></sipub>")
    let (start, _) = try await romeo.takesIQ(with: "<start ")
    try await romeo.peer.send(
      "<iq type='result' id='\(start)'><starting xmlns='http://jabber.org/protocol/sipub' sid='s'/></iq>"
        + Self.offer(size: size))
  }

  /// Up to where it can be had.
  private func tells(_ romeo: Romeo, _ hosts: [(String, Int)], size: Int) async throws {
    try await offers(romeo, size: size)
    try await romeo.peer.expect("type='result' id='si'><si xmlns='http://jabber.org/protocol/si'>")
    try await romeo.peer.expect("<value>\(socks5)</value>")
    let streamhosts = hosts.map { "<streamhost jid='\($0.0)' host='\($0.0)' port='\($0.1)'/>" }.joined()
    try await romeo.peer.send("<iq type='set' id='q'><query xmlns='\(socks5)' sid='s'>\(streamhosts)</query></iq>")
  }

  /// Romeo takes Juliet's connection, and says at its end that he has what she asks for; `then` comes in the same packet.
  private func lets(_ listener: ScriptedListener, then: String) async throws -> ScriptedPeer {
    let peer = try await listener.accept()
    try await eventually("no greeting") { peer.heard >= 3 }
    try await peer.send(ByteBuffer(bytes: [5, 0]))
    let wanted = S5BTransport.destination(sid: "s", offerer: "romeo@forza", other: "juliet@pronto")
    try await peer.expect(wanted)
    try await eventually("no request") { peer.heard >= 3 + 47 }
    var answer = SOCKS5ServerMachine.accepted(wanted)
    answer.writeString(then)
    try await peer.send(answer)
    return peer
  }

  @Test(arguments: [1, 255, 65_537, 1 << 20]) func arrivesAsItWas(size: Int) async throws {
    let listener = try await ScriptedListener()
    let port = listener.port
    let host = try StreamHost.keyed()
    let body = text(size)
    try await Romeo.dialled(host: host) { romeo in
      async let answer = romeo.request()
      // What is not Romeo's own is nobody's business.
      try await tells(romeo, [("10.255.255.1", port), ("127.0.0.1", 80), ("127.0.0.1", port)], size: size)
      let beside = try await lets(listener, then: body)
      try await romeo.peer.expect("type='result' id='q'><query xmlns='\(socks5)' sid='s'>")
      try await romeo.peer.expect("<streamhost-used jid='127.0.0.1'/>")
      #expect(try await answer.body == ByteBuffer(string: body))
      try await beside.expectClose()
      try await romeo.stillServes()
      #expect(host.dataConnections.carried == .init(direct: 1))
      try await eventually("left behind") { host.dataConnections.held == (0, 0) }
    }
    try await listener.close()
  }

  @Test func aShortOneIsAnError() async throws {
    let listener = try await ScriptedListener()
    let port = listener.port
    try await Romeo.dialled(host: .keyed()) { romeo in
      async let outcome = romeo.outcome()
      try await tells(romeo, [("127.0.0.1", port)], size: 100_000)
      let beside = try await lets(listener, then: text(99_999))
      try await romeo.peer.expect("<streamhost-used ")
      try await beside.hangUp()
      let result = await outcome
      #expect(throws: StreamFailure.self) { try result.get() }
      try await romeo.stillServes()
    }
    try await listener.close()
  }

  @Test func whereNobodyIsReachableItIsSaid() async throws {
    let host = try StreamHost.keyed()
    try await Romeo.dialled(host: host) { romeo in
      async let outcome = romeo.outcome()
      try await tells(romeo, [("10.255.255.1", 5298), ("example.org", 5298)], size: 3)
      try await romeo.peer.expect("type='error' id='q'>")
      try await romeo.peer.expect("<item-not-found ")
      let result = await outcome
      #expect(throws: StreamFailure.self) { try result.get() }
      try await romeo.stillServes()
      #expect(host.dataConnections.held == (0, 0))
    }
  }

  @Test func aReaderThatGoesAwayEndsIt() async throws {
    let listener = try await ScriptedListener()
    let port = listener.port
    try await Romeo.dialled(host: .keyed()) { romeo in
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { _ = try await romeo.request() }
        try await tells(romeo, [("127.0.0.1", port)], size: 100_000)
        let beside = try await lets(listener, then: text(1000))
        try await romeo.peer.expect("<streamhost-used ")
        group.cancelAll()
        await #expect(throws: (any Error).self) { try await group.waitForAll() }
        try await beside.expectClose(within: .seconds(1))
      }
      try await romeo.stillServes()
    }
    try await listener.close()
  }

  /// Beside a stream that is encrypted nothing comes in the clear.
  @Test func notWhereTheStreamIsEncrypted() async throws {
    let listener = try await ScriptedListener()
    let host = try StreamHost.keyed()
    let key = try Identity.generate(name: "romeo")
    try await withThrowingTaskGroup(of: Void.self) { group in
      defer { group.cancelAll() }
      async let dialled = Romeo.dial(listener.port, host)
      let peer = try await listener.accept()
      try await peer.answerSecurely(as: "romeo@forza", with: key)
      let juliet = try await dialled
      group.addTask { await juliet.run() }
      let romeo = Romeo(peer: peer, juliet: juliet)
      async let outcome = romeo.outcome()
      try await offers(romeo, size: 3)
      try await peer.expect("<no-valid-streams ")
      let result = await outcome
      #expect(throws: StreamFailure.self) { try result.get() }
      try await peer.hangUp()
    }
    try await listener.close()
  }
}

/// Bodies that Juliet publishes, and a peer without TLS fetches so.
@Suite(.timeLimit(.minutes(1))) struct PublishedInTheClearTests {
  private static let get =
    "<req xmlns='urn:xmpp:http' method='GET' resource='/a' version='1.1' maxChunkSize='49152' sipub='true'"

  private static func accepts(_ iq: String, _ method: String) -> String {
    "<iq type='result' id='\(iq)'><si xmlns='http://jabber.org/protocol/si'>"
      + "<feature xmlns='http://jabber.org/protocol/feature-neg'><x xmlns='jabber:x:data' type='submit'>"
      + "<field var='stream-method'><value>\(method)</value></field></x></feature></si></iq>"
  }

  private static func host(_ body: Body, _ length: Int) throws -> StreamHost {
    try .keyed(preference: [.sipub, .ibb]) { incoming, send in
      if incoming.request.head.method == .put { return try await StreamHost.echo(incoming, send) }
      let head = HTTPResponse(status: .ok, headerFields: [.contentLength: "\(length)"])
      try await send(HTTPXResponse(head, body: body))
    }
  }

  /// The name of the offer, its IQ, and what is offered.
  private func asks(_ romeo: any Speaker) async throws -> (sid: String, iq: String, offer: String) {
    try await romeo.send("<iq type='set' id='r'>\(Self.get)/></iq>")
    try await romeo.transcript.expect("<data><sipub ")
    try await romeo.transcript.expect(" id='")
    let id = String(try await romeo.transcript.expect("'").dropLast())
    try await romeo.send("<iq type='get' id='s'><start xmlns='http://jabber.org/protocol/sipub' id='\(id)'/></iq>")
    try await romeo.transcript.expect("<starting xmlns='http://jabber.org/protocol/sipub' sid='")
    let sid = String(try await romeo.transcript.expect("'").dropLast())
    try await romeo.transcript.expect("type='set' id='")
    let iq = String(try await romeo.transcript.expect("'").dropLast())
    return (sid, iq, try await romeo.transcript.expect("</si></iq>"))
  }

  /// Where it can be had, and the IQ that says so.
  private func chooses(_ romeo: any Speaker, _ iq: String, sid: String) async throws -> (iq: String, port: Int) {
    try await romeo.send(Self.accepts(iq, socks5))
    try await romeo.transcript.expect("type='set' id='")
    let query = String(try await romeo.transcript.expect("'").dropLast())
    try await romeo.transcript.expect("<query xmlns='\(socks5)' mode='tcp' sid='\(sid)'>")
    try await romeo.transcript.expect("<streamhost host='127.0.0.1' jid='juliet@pronto' port='")
    let port = Int(try await romeo.transcript.expect("'").dropLast())
    try await romeo.transcript.expect("</query></iq>")
    return (query, try #require(port))
  }

  private func connects(_ port: Int, _ sid: String) async throws -> ScriptedPeer {
    let beside = try await ScriptedPeer.connect(to: port)
    try await beside.send(ByteBuffer(bytes: [5, 1, 0]))
    try await eventually("no answer") { beside.heard == 2 }
    let wanted = S5BTransport.destination(sid: sid, offerer: "juliet@pronto", other: "romeo@forza")
    try await beside.send(ByteBuffer(bytes: [5, 1, 0, 3, 40] + Array(wanted.utf8) + [0, 0]))
    try await beside.expect(wanted)
    try await eventually("no answer") { beside.heard >= 2 + 47 }
    try await beside.transcript.expect("\0\0")
    return beside
  }

  private static func used(_ iq: String, _ sid: String, jid: String = "juliet@pronto") -> String {
    "<iq type='result' id='\(iq)'><query xmlns='\(socks5)' sid='\(sid)'><streamhost-used jid='\(jid)'/></query></iq>"
  }

  @Test(arguments: [65_537, 1 << 20]) func arrivesAsItWas(size: Int) async throws {
    let source = Source(length: size)
    let host = try Self.host(source.body, size)
    try await Performance.run(on: .sockets, host: host) { performance in
      let romeo = try await performance.connect()
      try await romeo.greet()
      let body = text(size)
      source.parts.yield(ByteBuffer(string: body))
      source.parts.finish()
      let (sid, iq, offer) = try await asks(romeo)
      #expect(offer.contains("<value>\(ibb)</value>") && offer.contains("<value>\(socks5)</value>"))
      let (query, port) = try await chooses(romeo, iq, sid: sid)
      let beside = try await connects(port, sid)
      try await romeo.send(Self.used(query, sid))
      #expect(try await beside.expectClose() == body)
      try await beside.hangUp()
      try await performance.first().idle()
      #expect(host.dataConnections.carried == .init(direct: 1))
      try await eventually("left behind") { host.dataConnections.held == (0, 0) }
    }
  }

  /// Both are offered, and in-band is chosen: what was written meanwhile goes that way.
  @Test func whoChoosesInBandGetsItSo() async throws {
    let body = text(65_537)
    let source = Source(length: 65_537)
    try await Performance.run(on: .sockets, host: Self.host(source.body, 65_537)) { performance in
      let romeo = try await performance.connect()
      try await romeo.greet()
      source.parts.yield(ByteBuffer(string: body))
      source.parts.finish()
      let (sid, iq, _) = try await asks(romeo)
      try await romeo.send(Self.accepts(iq, ibb))
      try await romeo.transcript.expect("type='set' id='")
      let open = try await romeo.transcript.expect("'").dropLast()
      try await romeo.transcript.expect("sid='\(sid)' stanza='iq'/></iq>")
      try await romeo.send("<iq type='result' id='\(open)'/>")
      var whole = ByteBuffer()
      while whole.readableBytes < 65_537 {
        try await romeo.transcript.expect("type='set' id='")
        let block = try await romeo.transcript.expect("'").dropLast()
        try await romeo.transcript.expect("sid='\(sid)'>")
        let bytes = Base64.decode(String(try await romeo.transcript.expect("<").dropLast()))
        whole.writeImmutableBuffer(try #require(bytes))
        try await romeo.send("<iq type='result' id='\(block)'/>")
      }
      #expect(whole == ByteBuffer(string: body))
      try await romeo.transcript.expect("<close ")
      try await performance.first().idle()
    }
  }

  @Test(arguments: ["error", "other", "nothing"]) func whoDoesNotComeEndsTheSender(what: String) async throws {
    let source = Source(length: 100_000)
    let host = try Self.host(source.body, 100_000)
    try await Performance.run(on: .sockets, host: host) { performance in
      let romeo = try await performance.connect()
      try await romeo.greet()
      let (sid, iq, _) = try await asks(romeo)
      let (query, _) = try await chooses(romeo, iq, sid: sid)
      switch what {
      case "error":
        try await romeo.send(
          "<iq type='error' id='\(query)'><error type='cancel'><item-not-found "
            + "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>")
      case "other": try await romeo.send(Self.used(query, sid, jid: "proxy.example.org"))
      // Says so, and is not there.
      default: try await romeo.send(Self.used(query, sid))
      }
      await source.waitUntilEnded()
      try await performance.first().idle()
      #expect(host.dataConnections.held == (0, 0))
      try await romeo.pings("still")
    }
  }

  @Test func aSourceThatBreaksEndsTheConnection() async throws {
    let source = Source(length: 100_000)
    try await Performance.run(on: .sockets, host: Self.host(source.body, 100_000)) { performance in
      let romeo = try await performance.connect()
      try await romeo.greet()
      source.parts.yield(ByteBuffer(string: "tick"))
      let (sid, iq, _) = try await asks(romeo)
      let (query, port) = try await chooses(romeo, iq, sid: sid)
      let beside = try await connects(port, sid)
      try await romeo.send(Self.used(query, sid))
      try await beside.expect("tick")
      source.parts.finish(throwing: Broken())
      #expect(try await beside.expectClose().isEmpty)
      try await performance.first().idle()
    }
  }

  /// To a peer whose stream is encrypted nothing is offered in the clear.
  @Test func notWhereTheStreamIsEncrypted() async throws {
    let source = Source(length: 100_000)
    try await Performance.run(on: .sockets, host: Self.host(source.body, 100_000)) { performance in
      let romeo = try #require(try await performance.connect() as? ScriptedPeer)
      try await romeo.secure(as: .generate(name: "romeo"), to: "juliet@pronto")
      let (_, _, offer) = try await asks(romeo)
      #expect(offer.contains("<value>\(ibb)</value>") && !offer.contains(socks5))
      try await romeo.hangUp()
      await source.waitUntilEnded()
    }
  }
}
