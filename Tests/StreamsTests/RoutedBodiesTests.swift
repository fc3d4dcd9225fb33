import Bytestreams
import Codecs
import HTTPTypes
import HTTPX
import NIOCore
import NIOPosix
import Synchronization
import TLS
import TestKit
import Testing
import XML
import XMPP

@testable import Streams

/// A peer whose stanzas a server routes, as a script plays it.
private struct RoutedRomeo: Sendable {
  static let jid = JID("romeo@example.net/web")!
  static let juliet = JID("juliet@example.org/hearth")!

  let stream: PeerStream
  private let connection: RoutedConnection
  /// What has come, besides what is asked about this side.
  private let inbox: @Sendable (_ payload: String) -> Stanza?

  /// - Parameter isDirect: bodies may go beside the server.
  static func run(
    isDirect: Bool = true, host: StreamHost, _ body: @escaping @Sendable (RoutedRomeo) async throws -> Void
  ) async throws {
    let connection = RoutedConnection(to: jid, eventLoop: MultiThreadedEventLoopGroup.singleton.any())
    let inbox = Shared()
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        await connection.run { stanza in
          guard stanza.payload?.is("query", Namespace.discoInfo) == true else { return inbox.append(stanza) }
          let info = DiscoInfo(identities: [], features: [Namespace.discoInfo, Namespace.http])
          connection.received(stanza.result(info.query(node: nil)))
        }
      }
      let end = RoutedEnd(jid: juliet, address: try SocketAddress(ipAddress: "127.0.0.1", port: 5222))
      let channel = try await connection.open()
      let stream = try await PeerStream.routed(
        on: channel, from: .juliet, to: jid, direct: isDirect ? end : nil, host: host, logger: .silent)
      group.addTask { await stream.run() }
      try await body(RoutedRomeo(stream: stream, connection: connection, inbox: inbox.take))
      try await stream.idle()
      connection.end()
      try await group.waitForAll()
    }
  }

  private final class Shared: Sendable {
    private let stanzas = Mutex<[Stanza]>([])

    func append(_ stanza: Stanza) { stanzas.withLock { $0.append(stanza) } }

    func take(_ payload: String) -> Stanza? {
      stanzas.withLock { stanzas in
        stanzas.firstIndex { $0.payload?.name == payload || $0.id == payload }.map { stanzas.remove(at: $0) }
      }
    }
  }

  func says(_ stanza: Stanza) { connection.received(stanza) }

  func asks(_ id: String, _ type: String, _ payload: Element) {
    says(Stanza(.iq, from: Self.jid, to: Self.juliet, type: type, id: id, [payload]))
  }

  /// The next stanza with this payload, or with this id.
  func hears(_ payload: String) async throws -> Stanza {
    let found = Mutex<Stanza?>(nil)
    try await eventually("no <\(payload)/> has come") {
      found.withLock { $0 = inbox(payload) }
      return found.withLock { $0 != nil }
    }
    return try #require(found.withLock { $0 })
  }

  /// Answers the next request of Juliet's with a body that it publishes, and offers that in these ways when she asks for it.
  func publishes(_ size: Int, by methods: [String]) async throws {
    let file = SIFile(name: "Kermit.png", size: size, mimeType: "image/png")
    let request = try await hears("req")
    let publication = Element("data", namespace: Namespace.http, [:], [Publication(id: "f", file: file).element])
    says(
      request.result(
        Element(
          "resp", namespace: Namespace.http, ["version": "1.1", "statusCode": "200"],
          [Element("headers", namespace: Namespace.shim), publication])))
    says(try await hears("start").result(SIPub.starting("s")))
    asks("offer", "set", SIOffer(id: "s", file: file, methods: methods).element)
  }

  /// What Juliet gets of this peer.
  func gets() async throws -> ByteBuffer {
    let head = HTTPRequest(method: .get, scheme: nil, authority: nil, path: "/")
    let whole = Mutex(ByteBuffer())
    try await stream.send(HTTPXRequest(head)) { response in
      for try await part in response.body { whole.withLock { _ = $0.writeImmutableBuffer(part) } }
    }
    return whole.withLock { $0 }
  }

  func outcome() async -> Result<ByteBuffer, any Error> {
    do { return .success(try await gets()) } catch { return .failure(error) }
  }
}

/// Bodies of peers on servers, which go beside those by SOCKS5 (XEP-0065) where the owner wants that.
@Suite(.timeLimit(.minutes(1))) struct RoutedBodiesTests {
  private static func host(_ body: @escaping @Sendable () -> ByteBuffer = { ByteBuffer() }) throws -> StreamHost {
    let security = try StreamSecurity(.generate(name: "juliet"))
    let host = StreamHost.juliet(security: security, preference: [.sipub, .ibb]) { _, send in
      let bytes = body()
      let head = HTTPResponse(status: .ok, headerFields: [.contentLength: "\(bytes.readableBytes)"])
      try await send(HTTPXResponse(head, body: Body(bytes)))
    }
    host.dataConnections.listens(on: StreamHost.standardPort)
    return host
  }

  private static func bytes(_ count: Int) -> ByteBuffer {
    ByteBuffer(bytes: (0..<count).map { UInt8(ascii: "a") + UInt8(($0 / 7 + $0 % 11) % 26) })
  }

  @Test(arguments: [1, 65_537, 1 << 20]) func whatAPeerPublishesComesBesideTheServer(size: Int) async throws {
    let (host, body, listener) = (try Self.host(), Self.bytes(size), try await ScriptedListener())
    let port = listener.port
    try await RoutedRomeo.run(host: host) { romeo in
      async let got = romeo.gets()
      try await romeo.publishes(size, by: [Namespace.bytestreams])
      let accepted = try await romeo.hears("offer")
      #expect(accepted.type == "result" && SIPub.method(ofAnswer: accepted.payload) == Namespace.bytestreams)
      let candidates = [("0.0.0.0", port), ("127.0.0.1", 80), ("127.0.0.1", port)].map {
        S5BCandidate(id: "", host: $0.0, port: $0.1, jid: $0.0, priority: 1)
      }
      romeo.asks("told", "set", S5BTransport(sid: "s", destination: nil, candidates: candidates).query)
      let beside = try await listener.accept()
      try await eventually("no greeting") { beside.heard >= 3 }
      try await beside.send(ByteBuffer(bytes: [5, 0]))
      let wanted = S5BTransport.destination(sid: "s", offerer: RoutedRomeo.jid.text, other: RoutedRomeo.juliet.text)
      try await beside.expect(wanted)
      try await eventually("no request") { beside.heard >= 3 + 47 }
      try await beside.send(SOCKS5ServerMachine.accepted(wanted))
      let used = try await romeo.hears("told")
      #expect(used.type == "result" && S5BTransport.used(in: used.payload) == "127.0.0.1")
      try await beside.send(body)
      #expect(try await got == body)
      try await beside.expectClose()
      #expect(host.dataConnections.carried == .init(direct: 1))
    }
    try await eventually("left behind") { host.dataConnections.held == (0, 0) }
    try await listener.close()
  }

  /// Then no address is told, and none is connected to.
  @Test func notWhereTheOwnerDoesNotWantThat() async throws {
    let host = try Self.host()
    try await RoutedRomeo.run(isDirect: false, host: host) { romeo in
      async let outcome = romeo.outcome()
      try await romeo.publishes(3, by: [Namespace.bytestreams])
      #expect(try await romeo.hears("offer").error?.condition == .badRequest)
      let result = await outcome
      #expect(throws: StreamFailure.self) { try result.get() }
      #expect(host.dataConnections.held == (0, 0))
    }
  }

  /// In-band goes before: it passes wherever the stanzas do.
  @Test func whatCanComeInBandDoes() async throws {
    try await RoutedRomeo.run(host: Self.host()) { romeo in
      async let got = romeo.gets()
      try await romeo.publishes(3, by: [Namespace.bytestreams, Namespace.ibb])
      #expect(SIPub.method(ofAnswer: try await romeo.hears("offer").payload) == Namespace.ibb)
      romeo.asks("open", "set", Element("open", namespace: Namespace.ibb, ["sid": "s", "block-size": "4096"]))
      #expect(try await romeo.hears("open").type == "result")
      romeo.asks("data", "set", Element("data", namespace: Namespace.ibb, ["sid": "s", "seq": "0"], text: "YWJj"))
      #expect(try await romeo.hears("data").type == "result")
      romeo.asks("close", "set", Element("close", namespace: Namespace.ibb, ["sid": "s"]))
      #expect(try await got == ByteBuffer(string: "abc"))
    }
  }

  /// What this node publishes: the peer gets its addresses where the owner wants that, and may fetch it there.
  @Test(arguments: [true, false]) func whatIsPublishedCanBeFetchedBesideTheServer(isDirect: Bool) async throws {
    let body = Self.bytes(100_000)
    let host = try Self.host { body }
    let listener = try await StreamListener(
      port: 0, host: host, eventLoopGroup: MultiThreadedEventLoopGroup.singleton, logger: .silent)
    let port = listener.port
    try await RoutedRomeo.run(isDirect: isDirect, host: host) { romeo in
      romeo.asks(
        "r", "set",
        Element(
          "req", namespace: Namespace.http,
          ["method": "GET", "resource": "/a", "version": "1.1", "maxChunkSize": "49152", "sipub": "true"]))
      let publication = try await romeo.hears("r").payload?.first("data")?.first("sipub", namespace: Namespace.sipub)
      let id = try #require(publication?["id"])
      romeo.asks("s", "get", SIPub.start(id))
      let sid = try #require(SIPub.sid(ofStarting: try await romeo.hears("s").payload))
      let offer = try await romeo.hears("si")
      let methods = try SIOffer(try #require(offer.payload)).methods ?? []
      #expect(methods.contains(Namespace.ibb) && methods.contains(Namespace.bytestreams) == isDirect)
      guard isDirect else {
        romeo.says(offer.error(StanzaError(.forbidden)))
        return
      }
      romeo.says(offer.result(SIPub.accepting(Namespace.bytestreams)))
      let query = try await romeo.hears("query")
      let hosts = try #require(query.payload).elements.filter { $0.name == "streamhost" }
      #expect(hosts.first?["host"] == "127.0.0.1" && hosts.first?["port"] == "\(port)")
      #expect(hosts.allSatisfy { $0["jid"] == RoutedRomeo.juliet.text })
      let beside = try await ScriptedPeer.connect(to: port)
      try await beside.send(ByteBuffer(bytes: [5, 1, 0]))
      try await eventually("no answer") { beside.heard == 2 }
      let wanted = S5BTransport.destination(sid: sid, offerer: RoutedRomeo.juliet.text, other: RoutedRomeo.jid.text)
      try await beside.send(ByteBuffer(bytes: [5, 1, 0, 3, 40] + Array(wanted.utf8) + [0, 0]))
      try await beside.expect(wanted)
      try await eventually("no answer") { beside.heard >= 2 + 47 }
      try await beside.transcript.expect("\0\0")
      romeo.says(
        query.result(S5BTransport(sid: sid, destination: nil, candidates: []).used(RoutedRomeo.juliet.text)))
      #expect(try await beside.expectClose() == String(buffer: body))
      try await beside.hangUp()
      #expect(host.dataConnections.carried == .init(direct: 1))
    }
    try await eventually("left behind") { host.dataConnections.held == (0, 0) }
    listener.close()
  }
}
