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
import Trust
import XMPP

@testable import Streams

/// Bytes at any place of a body, without the body: a pattern that no part of 64 KiB repeats.
private enum Pattern {
  private static let turn = (1 << 20) + 1
  private static let bytes: ByteBuffer = {
    var bytes = everyByte(turn)
    bytes.writeImmutableBuffer(bytes.getSlice(at: 0, length: part) ?? ByteBuffer())
    return bytes
  }()
  static let part = 64 * 1024

  static func slice(at place: Int, _ count: Int) -> ByteBuffer {
    bytes.getSlice(at: place % turn, length: count) ?? ByteBuffer()
  }

  static func body(_ count: Int, length: Int? = nil) -> Body {
    Body(Parts(count: count), length: length ?? count)
  }

  /// As many bytes as a body has, each of them where it belongs; throws what the body throws.
  static func read(_ body: Body) async throws -> Int {
    var place = 0
    for try await part in body {
      var part = part
      while part.readableBytes > 0 {
        let count = min(part.readableBytes, Self.part)
        guard part.readSlice(length: count) == slice(at: place, count) else { throw Transcript.Failure("at \(place)") }
        place += count
      }
    }
    return place
  }

  struct Parts: AsyncSequence, Sendable {
    typealias Element = ByteBuffer
    typealias Failure = any Error
    let count: Int

    struct AsyncIterator: AsyncIteratorProtocol {
      let count: Int
      var place = 0

      mutating func next() async throws -> ByteBuffer? {
        try Task.checkCancellation()
        guard place < count else { return nil }
        let part = slice(at: place, Swift.min(Pattern.part, count - place))
        place += part.readableBytes
        return part
      }
    }

    func makeAsyncIterator() -> AsyncIterator { AsyncIterator(count: count) }
  }
}

/// One of two nodes, as far as its streams go.
private final class Side: Sendable {
  let host: StreamHost
  let listener: StreamListener
  /// Where others come in, which may not be where it listens.
  let door: Interceptor?

  /// - Parameter passage: of the connections that come in; nil: nothing is between.
  init(
    _ jid: JID, preference: [BodyMechanism] = BodyMechanism.standard, isTold: Bool = true, hasKey: Bool = true,
    as admission: StreamAdmission = .known, passage: (@Sendable (Int) -> Interceptor.Passage)? = { _ in .open },
    answer: @escaping StreamHost.Answer
  ) async throws {
    let features = [Namespace.discoInfo, Namespace.http, Namespace.hearth] + (isTold ? [Namespace.jingleS5B] : [])
    host = StreamHost(
      node: { jid }, isLocal: { $0 == jid }, version: SoftwareVersion(name: "Hearth", version: "test"),
      info: { _ in
        DiscoInfo(
          identities: [.init(category: "client", type: "bot", name: "Hearth")], features: features,
          node: "urn:hearth:node")
      }, security: hasKey ? try StreamSecurity(.generate(name: jid.text)) : nil, preference: preference,
      opened: { _, _ in admission }, answer: answer)
    listener = try await StreamListener(
      port: Int.random(in: 20000...32000), host: host, eventLoopGroup: MultiThreadedEventLoopGroup.singleton,
      logger: .silent)
    let port = listener.port
    if let passage {
      door = try await Interceptor(before: port, isHeard: false, hasHalves: true, passage: passage)
    } else {
      door = nil
    }
    host.dataConnections.listens(on: door?.port ?? port)
  }

  var port: Int { door?.port ?? listener.port }

  func run() async {
    await withDiscardingTaskGroup { group in
      for await stream in listener.streams { group.addTask { await stream.run() } }
    }
  }

  func close() async throws {
    listener.close()
    try await door?.close()
  }
}

/// Romeo dials Juliet; both are nodes with keys. She answers `GET /n` with n bytes, and `PUT` with the number that came.
private struct Meeting {
  let juliet: Side
  let romeo: Side
  /// Romeo's end.
  let stream: PeerStream

  static let answer: StreamHost.Answer = { incoming, send in
    let request = incoming.request
    if request.head.method == .put {
      let count = try await Pattern.read(request.body)
      return try await send(HTTPXResponse(HTTPResponse(status: .ok), body: Body("\(count)")))
    }
    let count = Int(request.head.path?.dropFirst() ?? "") ?? 0
    try await send(Self.response(Pattern.body(count), length: count))
  }

  static func response(_ body: Body, length: Int) -> HTTPXResponse {
    HTTPXResponse(HTTPResponse(status: .ok, headerFields: [.contentLength: "\(length)"]), body: body)
  }

  /// Runs `body` with both; ends all afterwards.
  static func run(
    juliet: Side? = nil, romeo: Side? = nil, at hosts: [String] = ["127.0.0.1"],
    _ body: @escaping @Sendable (Meeting) async throws -> Void
  ) async throws {
    let juliet = if let juliet { juliet } else { try await Side(.juliet, answer: answer) }
    let romeo = if let romeo { romeo } else { try await Side(.romeo, answer: answer) }
    try await withThrowingTaskGroup(of: Void.self) { group in
      for side in [juliet, romeo] { group.addTask { await side.run() } }
      let stream = try await PeerStream.dial(
        hosts.map { try SocketAddress(ipAddress: $0, port: juliet.port) }, from: .romeo, to: .juliet, host: romeo.host,
        eventLoop: MultiThreadedEventLoopGroup.singleton.next(), logger: .silent)
      group.addTask { await stream.run() }
      defer { group.cancelAll() }
      do {
        try await body(Meeting(juliet: juliet, romeo: romeo, stream: stream))
      } catch {
        try? await juliet.close()
        try? await romeo.close()
        throw error
      }
      stream.close()
      try await juliet.close()
      try await romeo.close()
    }
  }

  /// What became of Romeo's request for so many bytes.
  @discardableResult
  func downloads(_ count: Int) async throws -> Int {
    let read = Mutex(-1)
    try await stream.send(HTTPXRequest(Self.head(.get, path: "/\(count)"))) { response in
      let count = try await Pattern.read(response.body)
      read.withLock { $0 = count }
    }
    return read.withLock { $0 }
  }

  /// What Juliet says has come.
  func uploads(_ count: Int, length: Int? = nil, body: Body? = nil) async throws -> String {
    let answer = Mutex("")
    let head = Self.head(.put, fields: [.contentLength: "\(length ?? count)"])
    try await stream.send(HTTPXRequest(head, body: body ?? Pattern.body(count))) { response in
      for try await part in response.body { answer.withLock { $0 += String(buffer: part) } }
    }
    return answer.withLock { $0 }
  }

  static func head(_ method: HTTPRequest.Method, path: String = "/", fields: HTTPFields = [:]) -> HTTPRequest {
    HTTPRequest(method: method, scheme: nil, authority: nil, path: path, headerFields: fields)
  }

  /// How bodies went, at each of the two.
  func expect(direct: Int, fellBack: Int = 0, sourceLocation: SourceLocation = #_sourceLocation) {
    for side in [juliet, romeo] {
      let carried = side.host.dataConnections.carried
      #expect(
        carried == .init(direct: direct, fellBack: fellBack), "at \(side.host.node())", sourceLocation: sourceLocation)
    }
  }

  /// Nothing of any body is left, at either side.
  func isTidy() async throws {
    try await stream.idle()
    for side in [juliet, romeo] {
      try await eventually("left behind: \(side.host.dataConnections.held)") {
        side.host.dataConnections.held == (0, 0)
      }
    }
  }
}

/// Bodies beside the stream (XEP-0260), between two nodes over sockets.
@Suite(.timeLimit(.minutes(2))) struct DirectTests {
  @Test(arguments: [1 << 20, 1 << 20 + 1, 5_000_001]) func goesBesideBothWays(size: Int) async throws {
    try await Meeting.run { meeting in
      let count1 = try await meeting.downloads(size)
      #expect(count1 == size)
      meeting.expect(direct: 1)
      let count2 = try await meeting.uploads(size)
      #expect(count2 == "\(size)")
      meeting.expect(direct: 2)
      try await meeting.isTidy()
      #expect(
        [meeting.juliet, meeting.romeo].map { $0.host.dataConnections.shared } == [2, 2], "no certificates again")
      #expect(meeting.juliet.door?.count == 2 && meeting.romeo.door?.count == 1, "one connection a body, by who reads")
    }
  }

  @Test func aLargeOneArrivesWhole() async throws {
    let size = 64 << 20
    try await Meeting.run(
      juliet: Side(.juliet, passage: nil, answer: Meeting.answer),
      romeo: Side(.romeo, passage: nil, answer: Meeting.answer)
    ) { meeting in
      let count3 = try await meeting.downloads(size)
      #expect(count3 == size)
      let count4 = try await meeting.uploads(size)
      #expect(count4 == "\(size)")
      meeting.expect(direct: 2)
      try await meeting.isTidy()
    }
  }

  @Test func manyAtATime() async throws {
    try await Meeting.run { meeting in
      try await withThrowingTaskGroup(of: Void.self) { group in
        for number in 0..<24 {
          group.addTask {
            let size = 1 << 20 + number
            if number % 2 == 0 {
              let count5 = try await meeting.downloads(size)
              #expect(count5 == size)
            } else {
              let count6 = try await meeting.uploads(size)
              #expect(count6 == "\(size)")
            }
          }
        }
        try await group.waitForAll()
      }
      let carried = meeting.romeo.host.dataConnections.carried
      #expect(carried.direct >= 8, "\(carried)")
      try await meeting.isTidy()
    }
  }

  @Test func manyPassOneThatIsPaused() async throws {
    try await Meeting.run { meeting in
      let head = Meeting.head(.get, path: "/\(8 << 20)")
      try await meeting.stream.send(HTTPXRequest(head)) { paused in
        var parts = paused.body.makeAsyncIterator()
        var count = try await parts.next()?.readableBytes ?? 0
        try await withThrowingTaskGroup(of: Void.self) { group in
          for number in 1...29 {
            group.addTask {
              let count = try await meeting.downloads(1 << 20 + number)
              #expect(count == 1 << 20 + number)
            }
          }
          try await group.waitForAll()
        }
        while let part = try await parts.next() { count += part.readableBytes }
        #expect(count == 8 << 20)
      }
      // Others go in-band, where there is no place, or where this machine is slow.
      #expect(meeting.romeo.host.dataConnections.carried.direct >= 1)
      try await meeting.isTidy()
    }
  }

  /// What has no body has none beside the stream either, whatever its length would be; and 206 is one like any other.
  @Test func statusesHaveTheBodiesThatTheyHave() async throws {
    let size = 3 << 20
    let juliet = try await Side(.juliet) { incoming, send in
      let status = HTTPResponse.Status(code: Int(incoming.request.head.path!.dropFirst())!)
      let hasBody = [.ok, .partialContent].contains(status)
      let head = HTTPResponse(status: status, headerFields: status == .noContent ? [:] : [.contentLength: "\(size)"])
      try await send(HTTPXResponse(head, body: hasBody ? Pattern.body(size) : .empty))
    }
    try await Meeting.run(juliet: juliet) { meeting in
      for (method, status, length) in [
        (.head, 200, 0), (.get, 204, 0), (.get, 304, 0), (.head, 206, 0), (.get, 206, size), (.get, 200, size),
      ] as [(HTTPRequest.Method, Int, Int)] {
        let read = Mutex(-1)
        try await meeting.stream.send(HTTPXRequest(Meeting.head(method, path: "/\(status)"))) { response in
          #expect(response.head.status.code == status)
          #expect(response.head.headerFields[.contentLength] == (status == 204 ? nil : "\(size)"))
          let count = try await Pattern.read(response.body)
          read.withLock { $0 = count }
        }
        #expect(read.withLock { $0 } == length, "\(method) \(status)")
      }
      meeting.expect(direct: 2)
      try await meeting.isTidy()
    }
  }

  /// 413 to a body that nobody reads.
  @Test func anUploadThatIsRefusedStops() async throws {
    let juliet = try await Side(.juliet) { _, send in
      try await send(HTTPXResponse(HTTPResponse(status: .contentTooLarge), body: Body("too much")))
    }
    try await Meeting.run(juliet: juliet) { meeting in
      let endless = Endless(part: 64 * 1024)
      let head = Meeting.head(.put, fields: [.contentLength: "\(1 << 40)"])
      let status = Mutex(0)
      try await meeting.stream.send(HTTPXRequest(head, body: Body(endless, length: 1 << 40))) { response in
        status.withLock { $0 = response.head.status.code }
      }
      #expect(status.withLock { $0 } == 413)
      // What is written ahead, and what both kernels hold.
      #expect(endless.taken < 32 << 20, "\(endless.taken)")
      try await meeting.isTidy()
      #expect(meeting.stream.isOpen)
    }
  }

  @Test func smallOnesAndThoseOfUnknownLengthDoNot() async throws {
    let romeo = try await Side(.romeo, answer: Meeting.answer)
    let juliet = try await Side(.juliet) { incoming, send in
      guard incoming.request.head.path == "/unknown" else { return try await Meeting.answer(incoming, send) }
      try await send(HTTPXResponse(HTTPResponse(status: .ok), body: Body(Pattern.Parts(count: 2 << 20))))
    }
    try await Meeting.run(juliet: juliet, romeo: romeo) { meeting in
      let count7 = try await meeting.downloads(1 << 20 - 1)
      #expect(count7 == 1 << 20 - 1)
      try await meeting.stream.send(HTTPXRequest(Meeting.head(.get, path: "/unknown"))) { response in
        let count8 = try await Pattern.read(response.body)
        #expect(count8 == 2 << 20)
      }
      meeting.expect(direct: 0)
      #expect(juliet.door?.count == 1 && romeo.door?.count == 0)
    }
  }

  @Test(arguments: ["told", "key", "preference"]) func whoDoesNotWantOrCannotGetsThemInBand(what: String) async throws {
    let juliet = try await Side(
      .juliet, preference: what == "preference" ? [.ibb] : BodyMechanism.standard, isTold: what != "told",
      hasKey: what != "key", answer: Meeting.answer)
    try await Meeting.run(juliet: juliet) { meeting in
      let count9 = try await meeting.downloads(1 << 20)
      #expect(count9 == 1 << 20)
      meeting.expect(direct: 0)
      // The preference is about what one sends.
      let count10 = try await meeting.uploads(1 << 20)
      #expect(count10 == "\(1 << 20)")
      meeting.expect(direct: what == "preference" ? 1 : 0)
    }
  }

  @Test(arguments: [true, false]) func oneReachableSideIsEnough(isSilent: Bool) async throws {
    let passage: @Sendable (Int) -> Interceptor.Passage = { $0 == 0 ? .open : isSilent ? .silent : .closed }
    let juliet = try await Side(.juliet, passage: passage, answer: Meeting.answer)
    try await Meeting.run(juliet: juliet) { meeting in
      let count11 = try await meeting.downloads(1 << 20)
      #expect(count11 == 1 << 20)
      let count12 = try await meeting.uploads(1 << 20)
      #expect(count12 == "\(1 << 20)")
      meeting.expect(direct: 2)
      try await meeting.isTidy()
    }
  }

  @Test(arguments: [true, false]) func whereNobodyIsReachableItGoesInBandSoon(isSilent: Bool) async throws {
    let closed: Interceptor.Passage = isSilent ? .silent : .closed
    let juliet = try await Side(.juliet, passage: { $0 == 0 ? .open : closed }, answer: Meeting.answer)
    let romeo = try await Side(.romeo, passage: { _ in closed }, answer: Meeting.answer)
    try await Meeting.run(juliet: juliet, romeo: romeo) { meeting in
      let began = NIODeadline.now()
      let came = Mutex(NIODeadline.distantFuture)
      try await meeting.stream.send(HTTPXRequest(Meeting.head(.get, path: "/\(1 << 20)"))) { response in
        var whole = ByteBuffer()
        for try await part in response.body {
          if whole.readableBytes == 0 { came.withLock { $0 = .now() } }
          whole.writeImmutableBuffer(part)
        }
        #expect(whole.readableBytes == 1 << 20)
        #expect(whole.readSlice(length: Pattern.part) == Pattern.slice(at: 0, Pattern.part), "from the first byte")
      }
      let time = came.withLock { $0 } - began
      // A second, and something for a machine that does other things besides.
      #expect(time < .milliseconds(1500), "\(time)")
      meeting.expect(direct: 0, fellBack: 1)
      // It is remembered, both ways.
      let tried = [juliet, romeo].map { $0.door?.count }
      let count13 = try await meeting.uploads(1 << 20)
      #expect(count13 == "\(1 << 20)")
      let count14 = try await meeting.downloads(2 << 20)
      #expect(count14 == 2 << 20)
      #expect([juliet, romeo].map { $0.door?.count } == tried)
      meeting.expect(direct: 0, fellBack: 1)
      try await meeting.isTidy()
    }
  }

  @Test func itIsTriedAgainAfterAWhile() throws {
    let connections = DataConnections()
    let id = try Identity.generate(name: "juliet").nodeID
    let (peer, elsewhere) = (DataConnections.Peer(id: id, host: "a"), DataConnections.Peer(id: id, host: "b"))
    let now = NIODeadline.now()
    connections.failed(peer, isToBeRemembered: false, now: now)
    #expect(connections.mayBegin(peer, now: now))
    connections.failed(peer, isToBeRemembered: true, now: now)
    #expect(!connections.mayBegin(peer, now: now + Timeouts.dataFailure - .seconds(1)))
    #expect(connections.mayBegin(elsewhere, now: now), "another address is another matter")
    #expect(connections.mayBegin(peer, now: now + Timeouts.dataFailure))
  }

  @Test func placesAreBounded() throws {
    let connections = DataConnections()
    let one = DataConnections.Peer(id: try Identity.generate(name: "a").nodeID, host: "")
    let other = DataConnections.Peer(id: try Identity.generate(name: "b").nodeID, host: "")
    var places = (0..<Limits.dataConnectionsOfPeer).compactMap { _ in connections.reserve(one, isOwn: true) }
    #expect(places.count == Limits.dataConnectionsOfPeer && connections.reserve(one, isOwn: true) == nil)
    #expect(!connections.mayBegin(one, now: .now()))
    #expect(connections.mayBegin(other, now: .now()))
    places.removeAll()
    #expect(connections.held == (0, 0))
    for isOwn in [true, false] {
      places += (0..<Limits.dataConnectionsOfPeer).compactMap { _ in connections.reserve(one, isOwn: isOwn) }
    }
    #expect(places.count == 2 * Limits.dataConnectionsOfPeer, "each side has its own")
    for _ in 0..<Limits.dataConnections {
      let identity = try Identity.generate(name: "c")
      if let place = connections.reserve(.init(id: identity.nodeID, host: ""), isOwn: true) { places.append(place) }
    }
    #expect(places.count == Limits.dataConnections)
  }

  /// A key that is not the stream's: nothing of the body is sent, and it goes in-band.
  @Test func anotherKeyGetsNothing() async throws {
    let impostor = try await ScriptedListener()
    let port = impostor.port
    let juliet = try await Side(.juliet, passage: { $0 == 0 ? .open : .to(port) }, answer: Meeting.answer)
    let romeo = try await Side(.romeo, passage: { _ in .closed }, answer: Meeting.answer)
    try await Meeting.run(juliet: juliet, romeo: romeo) { meeting in
      async let downloaded = meeting.downloads(1 << 20)
      let peer = try await impostor.accept()
      try await eventually("no greeting") { peer.heard >= 3 }
      try await peer.send(ByteBuffer(bytes: [5, 0]))
      try await eventually("no request") { peer.heard >= 3 + 47 }
      try await peer.send(SOCKS5ServerMachine.accepted(String(repeating: "a", count: 40)))
      let identity = try Identity.generate(name: "impostor")
      // Romeo hangs up once he has seen the key, which may be before the handshake is over here.
      _ = try? await peer.shakeHands(.node(identity, role: .server))
      let count15 = try await downloaded
      #expect(count15 == 1 << 20)
      meeting.expect(direct: 0, fellBack: 1)
      try await peer.expectClose()
    }
    try await impostor.close()
  }

  /// Candidates are addresses of the two nodes.
  @Test func whatIsNotThePeersOwnIsNotDialled() async throws {
    let victim = try await ScriptedListener()
    let juliet = try await Side(.juliet, answer: Meeting.answer)
    juliet.host.dataConnections.listens(on: victim.port)
    let romeo = try await Side(.romeo, passage: { _ in .closed }, answer: Meeting.answer)
    try await Meeting.run(juliet: juliet, romeo: romeo) { meeting in
      let count16 = try await meeting.downloads(1 << 20)
      #expect(count16 == 1 << 20)
      meeting.expect(direct: 0, fellBack: 1)
    }
    let came = try? await victim.accept(within: .milliseconds(50))
    #expect(came == nil, "another port than the one that the stream goes to")
    try await victim.close()
    func reachable(_ host: String, _ port: Int, _ own: String, dialled: Int?) throws -> Bool {
      let candidate = S5BCandidate(id: "a", host: host, port: port, jid: "", priority: 1)
      return !DirectPeer.reachable([candidate], at: [try SocketAddress(ipAddress: own, port: 1)], port: dialled).isEmpty
    }
    #expect(try reachable("10.0.0.1", 5298, "10.0.0.1", dialled: nil))
    #expect(
      try reachable("fe80::1", 5298, "fe80:0::1", dialled: 5298)
        && reachable("::ffff:10.0.0.1", 1024, "10.0.0.1", dialled: nil))
    for (host, port, dialled) in [
      ("10.0.0.2", 5298, nil), ("10.0.0.1", 80, nil), ("10.0.0.1", 5299, 5298), ("example.org", 5298, nil),
      ("127.0.0.1", 5298, nil), ("", 5298, nil),
    ] as [(String, Int, Int?)] {
      #expect(try !reachable(host, port, "10.0.0.1", dialled: dialled), "\(host):\(port)")
    }
  }

  /// Of several addresses those count that this node knows the peer by, in the order that the peer gives them, and with their scopes.
  @Test func everyAddressOfThePeersOwnIsReachable() throws {
    let known = try ["10.0.0.1", "fe80::1%1", "fd00::1"].map { try SocketAddress(ipAddress: $0, port: 1) }
    let candidates = ["fd00::1", "10.0.0.9", "fe80::1", "10.0.0.1", "fd00::2"].enumerated().map { index, host in
      S5BCandidate(id: "\(index)", host: host, port: 5298, jid: "", priority: 1)
    }
    let found = DirectPeer.reachable(candidates, at: known, port: 5298)
    #expect(found.map(\.id) == ["0", "2", "3"])
    let wanted = try ["fd00::1", "fe80::1%1", "10.0.0.1"].map { try SocketAddress(ipAddress: $0, port: 5298) }
    #expect(found.map(\.address) == wanted)
  }

  /// A peer on a server says where it is, and may lead this node neither to itself nor to low ports.
  @Test func ofWhatAPeerOnAServerSaysOnlyOtherHostsAreReachable() throws {
    func reachable(_ host: String, _ port: Int = 5298, from own: String = "192.0.2.7") throws -> Bool {
      let candidate = S5BCandidate(id: "a", host: host, port: port, jid: "", priority: 1)
      let own = try SocketAddress(ipAddress: own, port: 1)
      return !DirectPeer.reachable([candidate], from: own, try System.enumerateDevices()).isEmpty
    }
    for host in ["192.0.2.8", "10.0.0.1", "2001:db8::1", "fd00::1", "::ffff:192.0.2.8"] {
      #expect(try reachable(host) && reachable(host, 1024), "\(host)")
      #expect(try !reachable(host, 1023), "\(host)")
    }
    for host in [
      "127.0.0.1", "127.1.2.3", "::1", "::ffff:127.0.0.1", "0.0.0.0", "::", "224.0.0.251", "255.255.255.255",
      "ff02::fb", "169.254.169.254", "fe80::1", "fe80::1%1", "example.org", "",
    ] {
      #expect(try !reachable(host), "\(host)")
    }
    // Where the server is on this machine, so may the peer be.
    #expect(try reachable("127.0.0.1", from: "127.0.0.1") && reachable("::1", from: "::1"))
    #expect(try !reachable("127.0.0.1", 80, from: "127.0.0.1") && !reachable("0.0.0.0", from: "127.0.0.1"))
  }

  @Test func theAddressesOfAnInterfaceAreOffered() throws {
    let devices = try System.enumerateDevices()
    #expect(LocalAddresses.besides("192.0.2.1", devices) == ["192.0.2.1"], "on no interface")
    #expect(LocalAddresses.besides("127.0.0.1", []) == ["127.0.0.1"])
    let hosts = LocalAddresses.besides("127.0.0.1", devices)
    #expect(hosts.first == "127.0.0.1" && Set(hosts).count == hosts.count)
    let loopback = Set(devices.filter { $0.name == "lo" }.compactMap { $0.address?.host })
    #expect(Set(hosts) == loopback)
  }

  /// The address that the stream goes to is of no use any more, and says so, or does not: another of the same node is.
  @Test(.enabled(if: hasIPv6), arguments: [true, false]) func anotherAddressIsTriedWhereOneIsDead(isSilent: Bool)
    async throws
  {
    let juliet = try await Side(.juliet, answer: Meeting.answer)
    let romeo = try await Side(.romeo, passage: { _ in .closed }, answer: Meeting.answer)
    let hosts = ["127.0.0.1", "::1"]
    try await Meeting.run(juliet: juliet, romeo: romeo, at: hosts) { meeting in
      let port = juliet.port
      try await juliet.door?.stopListening()
      let hole = isSilent ? BlackHole(port: port) : nil
      #expect((hole != nil) == isSilent)
      let other = try await Interceptor(before: juliet.listener.port, at: "::1", port, isHeard: false, hasHalves: true)
      let began = NIODeadline.now()
      let count = try await meeting.downloads(1 << 20)
      #expect(count == 1 << 20)
      meeting.expect(direct: 1)
      #expect(other.count == 1)
      // The pause between two addresses (RFC 8305 §5), where nothing is heard of the first.
      if isSilent { #expect(.now() - began >= .milliseconds(250)) }
      try await other.close()
      try await meeting.isTidy()
    }
  }

  static let hasIPv6 = (try? System.enumerateDevices().contains { $0.address?.host == "::1" }) ?? false

  /// Who is none of Juliet's friends dials her, and she dials nobody at his word.
  @Test func aStrangersBodyMakesThisNodeDialNobody() async throws {
    let juliet = try await Side(.juliet, as: .stranger, answer: Meeting.answer)
    try await Meeting.run(juliet: juliet) { meeting in
      let got = try await meeting.downloads(1 << 20)
      let sent = try await meeting.uploads(1 << 20)
      #expect(got == 1 << 20 && sent == "\(1 << 20)")
      meeting.expect(direct: 2)
      #expect(juliet.door?.count == 3 && meeting.romeo.door?.count == 0)
    }
  }

  @Test(arguments: [true, false]) func whatIsCutInTheMiddleIsAnErrorAtBothEnds(isUpload: Bool) async throws {
    let began = Event()
    let size = 64 << 20
    let told = Mutex<[String]>([])
    let juliet = try await Side(.juliet) { incoming, send in
      guard incoming.request.head.method == .put else { return try await Meeting.answer(incoming, send) }
      do {
        var count = 0
        for try await part in incoming.request.body {
          count += part.readableBytes
          if count > 1 << 20 { began.happen() }
        }
        told.withLock { $0.append("whole") }
      } catch {
        told.withLock { $0.append("\(error)") }
        throw error
      }
    }
    try await Meeting.run(juliet: juliet) { meeting in
      let outcome = await Romeo.outcome {
        try await withThrowingTaskGroup(of: Void.self) { group in
          group.addTask {
            await began.wait()
            if isUpload { meeting.romeo.door?.cut(0) } else { meeting.juliet.door?.cut(1) }
          }
          if isUpload {
            _ = try await meeting.uploads(size)
          } else {
            try await meeting.stream.send(HTTPXRequest(Meeting.head(.get, path: "/\(size)"))) { response in
              var count = 0
              for try await part in response.body {
                count += part.readableBytes
                if count > 1 << 20 { began.happen() }
              }
              Issue.record("a short body of \(count) bytes")
            }
          }
        }
      }
      #expect(throws: StreamFailure.self) { try outcome.get() }
      if isUpload { #expect(told.withLock { $0.count == 1 && $0[0] != "whole" }, "\(told.withLock { $0 })") }
      try await meeting.isTidy()
      let count17 = try await meeting.downloads(1 << 20)
      #expect(count17 == 1 << 20)
      meeting.expect(direct: 2)
    }
  }

  /// Also where a part of the body ends with what was said: the reader has then read as much as it expects.
  @Test(arguments: [2 << 20, 2 << 20 + 1, 3 << 20 - 1, 3 << 20 + 1, 4 << 20])
  func anotherLengthThanWasSaidIsAnError(length: Int) async throws {
    let juliet = try await Side(.juliet) { _, send in
      try await send(Meeting.response(Body(Pattern.Parts(count: 3 << 20), length: length), length: length))
    }
    try await Meeting.run(juliet: juliet) { meeting in
      await #expect(throws: StreamFailure.self) { try await meeting.downloads(length) }
      meeting.expect(direct: 1)
      try await meeting.isTidy()
    }
  }

  /// Its reader goes away, or the peer is not wanted any more: nothing is left within a moment.
  @Test(arguments: ["reader", "stream"]) func whatNobodyWantsEndsAtOnce(what: String) async throws {
    let endless = Endless(part: 64 * 1024)
    let size = 1 << 40
    let ended = Event()
    let juliet = try await Side(.juliet) { _, send in
      defer { ended.happen() }
      try await send(Meeting.response(Body(endless, length: size), length: size))
    }
    try await Meeting.run(juliet: juliet) { meeting in
      let began = Event()
      let task = Task {
        try await meeting.stream.send(HTTPXRequest(Meeting.head(.get))) { response in
          for try await _ in response.body { began.happen() }
        }
      }
      await began.wait()
      let moment = NIODeadline.now()
      if what == "reader" { task.cancel() } else { meeting.stream.terminate() }
      await ended.wait()
      await #expect(throws: (any Error).self) { try await task.value }
      for side in [meeting.juliet, meeting.romeo] {
        try await eventually("left behind") { side.host.dataConnections.held == (0, 0) }
      }
      #expect(.now() - moment < .seconds(1))
      if what == "reader" {
        try await meeting.isTidy()
        #expect(meeting.stream.isOpen)
      }
    }
  }

  @Test(arguments: [true, false]) func aSlowReaderHoldsUpTheSender(isUpload: Bool) async throws {
    let endless = Endless(part: 64 * 1024)
    let size = 1 << 40
    let juliet = try await Side(.juliet, passage: nil) { incoming, send in
      guard incoming.request.head.method == .put else {
        return try await send(Meeting.response(Body(endless, length: size), length: size))
      }
      var body = incoming.request.body.makeAsyncIterator()
      _ = try await body.next()
      try await untilCancelled()
    }
    let romeo = try await Side(.romeo, passage: nil, answer: Meeting.answer)
    try await Meeting.run(juliet: juliet, romeo: romeo) { meeting in
      let task = Task {
        if isUpload { return _ = try await meeting.uploads(size, body: Body(endless, length: size)) }
        try await meeting.stream.send(HTTPXRequest(Meeting.head(.get))) { response in
          var body = response.body.makeAsyncIterator()
          _ = try await body.next()
          try await untilCancelled()
        }
      }
      try await standstill { endless.taken }
      // What both kernels hold, and what is read and written ahead.
      #expect(endless.taken < 32 << 20, "\(endless.taken)")
      let heldBytes = await meeting.stream.load.held
      #expect(heldBytes < 1 << 20)
      meeting.expect(direct: 1)
      task.cancel()
      _ = await task.result
      meeting.stream.terminate()
    }
  }

  // MARK: The listener

  @Test func onlyWhatIsExpectedComesIn() async throws {
    try await Meeting.run(juliet: Side(.juliet, passage: nil, answer: Meeting.answer)) { meeting in
      let port = meeting.juliet.listener.port
      let unknown = try await ScriptedPeer.connect(to: port)
      try await unknown.send(ByteBuffer(bytes: [5, 1, 0]))
      try await eventually("no answer") { unknown.heard == 2 }
      try await unknown.send(ByteBuffer(bytes: [5, 1, 0, 3, 40] + Array(repeating: 97, count: 40) + [0, 0]))
      try await unknown.expectClose(within: .seconds(1))
      #expect(unknown.heard == 2 + 47)
      for bytes in [[5, 0xFF] + Array(repeating: 1, count: 300), Array(repeating: 5, count: 4096)] as [[UInt8]] {
        let peer = try await ScriptedPeer.connect(to: port)
        try await peer.send(ByteBuffer(bytes: bytes))
        try await peer.expectClose(within: .seconds(1))
      }
      // Who begins and says no more has less time than a stream.
      let slow = try await ScriptedPeer.connect(to: port)
      try await slow.send(ByteBuffer(bytes: [5]))
      try await slow.expectClose(within: .seconds(4))
      let count18 = try await meeting.downloads(1 << 20)
      #expect(count18 == 1 << 20)
      meeting.expect(direct: 1)
    }
  }

  @Test func aNodeWithoutAKeyTakesNone() async throws {
    let side = try await Side(.juliet, hasKey: false, passage: nil, answer: Meeting.answer)
    let peer = try await ScriptedPeer.connect(to: side.listener.port)
    try await peer.send(ByteBuffer(bytes: [5, 1, 0]))
    try await peer.expectClose(within: .seconds(1))
    #expect(peer.heard == 0)
    try await side.close()
  }

  /// Few connections of one address may negotiate, and those that were asked for are no longer among them.
  @Test func whatWasAskedForCountsNoMore() throws {
    let admission = Admission()
    for _ in 0..<Limits.connectionBurst + 10 {
      let ticket = try #require(admission.admit("a"))
      #expect(ticket.established(isKnown: true))
      ticket.forgive()
      ticket.release()
    }
    #expect(admission.remembered == 0)
  }
}
