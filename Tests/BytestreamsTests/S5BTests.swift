import Bytestreams
import NIOCore
import Testing
import XML
import XMPP

/// XEP-0260: the examples of the document, and what is left out of them.
@Suite struct S5BTests {
  private static let candidates = """
    <candidate cid='hft54dqy' host='192.168.4.1' jid='romeo@montague.lit/orchard' port='5086' priority='8257636' type='direct'/>
    <candidate cid='hutr46fe' host='24.24.24.1' jid='romeo@montague.lit/orchard' port='5087' priority='8258636' type='direct'/>
    <candidate cid='xmdh4b7i' host='123.456.7.8' jid='streamer.shakespeare.lit' port='7625' priority='7878787' type='proxy'/>
    """

  private func jingle(_ action: String, _ transport: String, security: String = "") throws -> Element {
    try payload(
      of: """
        <iq type='set' id='1'><jingle xmlns='urn:xmpp:jingle:1' action='\(action)' initiator='romeo@montague.lit/orchard'
          sid='a73sjjvkla37jfea'><content creator='initiator' name='ex'>
          <description xmlns='urn:xmpp:jingle:apps:file-transfer:5'><file><size>6144</size></file></description>
          \(transport)\(security)</content></jingle></iq>
        """)
  }

  private static let security =
    "<security xmlns='urn:xmpp:jingle:security:xtls:0'><method name='x509'/></security>"

  private static func transport(_ content: String, _ attributes: String = "") -> String {
    "<transport xmlns='urn:xmpp:jingle:transports:s5b:1' sid='vj3hs98y'\(attributes)>\(content)</transport>"
  }

  @Test func theExampleOfAnOffer() throws {
    let hash = "972b7bf47291ca609517f67f86b5081086052dad"
    let element = try jingle(
      "session-initiate", Self.transport(Self.candidates, " mode='tcp' dstaddr='\(hash)'"), security: Self.security)
    let session = try #require(try JingleSession(element))
    let direct = try #require(session.direct)
    #expect(direct.sid == "vj3hs98y" && direct.destination == hash && session.transport.sid == "vj3hs98y")
    // The highest priority first, and a proxy not at all.
    #expect(direct.candidates.map(\.id) == ["hutr46fe", "hft54dqy"])
    #expect(direct.candidates.last?.host == "192.168.4.1" && direct.candidates.last?.port == 5086)
    #expect(
      S5BTransport.destination(
        sid: "vj3hs98y", offerer: "romeo@montague.lit/orchard", other: "juliet@capulet.lit/balcony") == hash)
  }

  @Test func nothingGoesInTheClear() throws {
    #expect(try JingleSession(jingle("session-initiate", Self.transport(Self.candidates))) == nil)
  }

  @Test func whatCannotBeReadIsRefusedOrLeftOut() throws {
    for wrong in [Self.transport("", " mode='udp'"), "<transport xmlns='urn:xmpp:jingle:transports:s5b:1'/>"] {
      #expect(throws: StanzaError.self) {
        try JingleSession(jingle("session-initiate", wrong, security: Self.security))
      }
    }
    let left = try JingleSession(
      jingle(
        "session-initiate",
        Self.transport(
          "<candidate cid='a' host='1.2.3.4' port='0' priority='1'/><candidate cid='b' host='1.2.3.4' port='70000' priority='1'/>"
            + "<candidate host='1.2.3.4' port='1' priority='1'/><candidate cid='c' port='1' priority='1'/>",
          " dstaddr='short'"), security: Self.security))
    #expect(left?.direct?.candidates == [] && left?.direct?.destination == nil)
    let many = (0..<100).map { "<candidate cid='\($0)' host='1.2.3.4' port='1' priority='\($0)'/>" }.joined()
    let read = try JingleSession(jingle("session-initiate", Self.transport(many), security: Self.security))
    #expect(read?.direct?.candidates.count == BytestreamLimits.candidates)
  }

  private func passed(_ element: Element) throws -> Element {
    var buffer = ByteBuffer()
    buffer.write(element)
    return try payload(of: "<iq>\(String(buffer: buffer))</iq>")
  }

  @Test func whatIsWrittenIsRead() throws {
    let offer = S5BOffer(hosts: ["10.0.0.1", "fe80::1"], port: 5298, local: "romeo@forza", remote: "juliet@pronto")
    let session = JingleSession(
      sid: "j", initiator: "romeo@forza", file: SIFile(name: "body", size: 1 << 20),
      transport: IBBOpen(sid: "s", blockSize: 65535), direct: offer.transport(sid: "s", isInitiator: true))
    #expect(try JingleSession(passed(session.initiate)) == session)
    let own = S5BOffer(hosts: ["10.0.0.2"], port: 5299, local: "juliet@pronto", remote: "romeo@forza")
      .transport(sid: "s", isInitiator: false)
    guard case .accept("j", nil, own) = try Jingle(passed(session.accept(at: own))) else {
      Issue.record("session-accept")
      return
    }
    #expect(own.destination != session.direct?.destination)
    guard case .connection("j", .used("i0")) = try Jingle(passed(session.connection(.used(candidate: "i0")))),
      case .connection("j", .failed) = try Jingle(passed(session.connection(.failed))),
      case .replace("j", let open) = try Jingle(passed(session.replace)),
      case .replacementAccepted("j", 4096) = try Jingle(
        passed(session.acceptReplacement(IBBOpen(sid: "s", blockSize: 4096))))
    else {
      Issue.record("transport-info, -replace or -accept")
      return
    }
    #expect(open == session.transport)
  }

  @Test func theInitiatorsCandidatesComeFirst() {
    #expect(S5BCandidate.priority(isInitiator: true) > S5BCandidate.priority(isInitiator: false))
    let last = BytestreamLimits.candidates
    #expect(S5BCandidate.priority(isInitiator: true, place: last) > S5BCandidate.priority(isInitiator: false))
    #expect(S5BCandidate.priority(isInitiator: false, place: last) == 8_257_536)
  }

  /// Its own order is the one that the other side has them in.
  @Test(arguments: [true, false]) func theFirstAddressIsTriedFirst(isInitiator: Bool) throws {
    let hosts = ["10.0.0.1", "fd00::1", "fe80::1", "10.0.0.2"]
    let offer = S5BOffer(hosts: hosts, port: 5298, local: "a@b", remote: "c@d")
    let transport = offer.transport(sid: "s", isInitiator: isInitiator)
    #expect(Set(transport.candidates.map(\.priority)).count == 4)
    var element = transport.element
    element.children.reverse()
    #expect(try S5BTransport(element).candidates.map(\.host) == hosts)
  }

  @Test func aTransportThatIsRejectedEndsTheSession() throws {
    guard case .terminate(_, isSuccess: false) = try Jingle(jingle("transport-reject", Self.transport(""))) else {
      Issue.record("transport-reject")
      return
    }
    #expect(throws: StanzaError.self) { try Jingle(jingle("transport-replace", Self.transport(""))) }
  }
}

@Suite struct S5BMachineTests {
  private let start = NIODeadline.uptimeNanoseconds(1_000_000_000)

  private func begun(_ role: S5BMachine.Role, isPossible: Bool = true) -> (S5BMachine, [S5BMachine.Action]) {
    var machine = S5BMachine(role)
    let actions = machine.begin(isPossible: isPossible, now: start)
    return (machine, actions)
  }

  @Test func theResponderConnectsAndIsDone() {
    var (responder, first) = begun(.responder)
    let connected = responder.connected()
    #expect(first == [.connect] && connected == [.sendUsed, .use(isOwn: true)])
    #expect(responder.isSettled && responder.deadline == nil)
    var (initiator, nothing) = begun(.initiator)
    let used = initiator.otherUsed()
    let reached = initiator.reached()
    #expect(nothing == [] && used == [] && reached == [.use(isOwn: false)] && initiator.isSettled)
  }

  /// What it says and its connection go different ways, so either may be first.
  @Test func aConnectionMayComeBeforeTheAcceptance() {
    var initiator = S5BMachine(.initiator)
    let early = initiator.reached()
    let begun = initiator.begin(isPossible: true, now: start)
    let used = initiator.otherUsed()
    #expect(early == [] && begun == [] && used == [.use(isOwn: false)])
  }

  @Test func theInitiatorConnectsWhereTheOtherSideTakesLong() {
    var (initiator, _) = begun(.initiator)
    #expect(initiator.deadline == start + BytestreamLimits.otherSideFirst)
    let soon = initiator.expire(now: start + .milliseconds(249))
    let due = initiator.expire(now: start + BytestreamLimits.otherSideFirst)
    #expect(soon == [] && due == [.connect] && initiator.deadline == start + BytestreamLimits.connecting)
    let connected = initiator.connected()
    #expect(connected == [.sendUsed])
    // It is the other side's word that counts.
    let failed = initiator.otherFailed()
    #expect(failed == [.use(isOwn: true)])
  }

  @Test func theResponderGivesUpItsOwnForTheInitiators() {
    for reachedFirst in [true, false] {
      var (responder, _) = begun(.responder)
      var actions = reachedFirst ? responder.reached() : responder.otherUsed()
      actions += reachedFirst ? responder.otherUsed() : responder.reached()
      #expect(actions == [.stop, .sendError, .use(isOwn: false)])
      let late = responder.connected()
      #expect(late == [.stop])
    }
  }

  /// Both have connected: the initiator's candidate has the higher priority, so the responder's connection is the one.
  @Test func bothConnect() {
    var (initiator, _) = begun(.initiator)
    _ = initiator.expire(now: start + BytestreamLimits.otherSideFirst)
    let own = initiator.connected()
    let reached = initiator.reached()
    let other = initiator.otherUsed()
    #expect(own == [.sendUsed] && reached == [] && other == [.stop, .use(isOwn: false)])
    var (responder, _) = begun(.responder)
    _ = responder.connected()
    let late = responder.reached()
    let used = responder.otherUsed()
    #expect(late == [] && used == [] && responder.isSettled)
  }

  /// The responder has connected, and hears of the initiator's connection before it learns so: it gives up its own, and both use the
  /// initiator's.
  @Test func whatTheResponderGivesUpIsNotUsed() {
    var (initiator, _) = begun(.initiator)
    _ = initiator.expire(now: start + BytestreamLimits.otherSideFirst)
    _ = initiator.connected()
    var (responder, _) = begun(.responder)
    _ = responder.reached()
    let heard = responder.otherUsed()
    let late = responder.connected()
    #expect(heard == [.stop, .sendError, .use(isOwn: false)] && late == [.stop])
    let reached = initiator.reached()
    let failed = initiator.otherFailed()
    #expect(reached == [] && failed == [.use(isOwn: true)])
  }

  @Test func bothFail() {
    var (responder, _) = begun(.responder)
    let failed = responder.failed()
    #expect(failed == [.sendError] && responder.deadline == nil && !responder.isSettled)
    responder.replaced()
    #expect(responder.isSettled)
    var (initiator, _) = begun(.initiator)
    let connect = initiator.otherFailed()
    let end = initiator.failed()
    #expect(connect == [.connect] && end == [.sendError, .stop, .fallBack] && initiator.isSettled)
  }

  @Test func nobodyWaitsForLong() {
    var (responder, _) = begun(.responder)
    let given = responder.expire(now: start + BytestreamLimits.connecting)
    #expect(given == [.stop, .sendError] && responder.deadline == nil)
    var (initiator, _) = begun(.initiator)
    _ = initiator.expire(now: start + BytestreamLimits.otherSideFirst)
    let end = initiator.expire(now: start + BytestreamLimits.connecting)
    #expect(end == [.sendError, .stop, .fallBack])
    let late = initiator.reached()
    #expect(late == [])
  }

  @Test func whereNothingIsPossibleItIsSaidAtOnce() {
    var (initiator, told) = begun(.initiator, isPossible: false)
    let end = initiator.otherFailed()
    #expect(told == [.sendError] && end == [.stop, .fallBack])
    // The other side may still reach this one.
    var (other, _) = begun(.initiator, isPossible: false)
    let reached = other.reached()
    let used = other.otherUsed()
    #expect(reached == [] && used == [.use(isOwn: false)])
    let (_, said) = begun(.responder, isPossible: false)
    #expect(said == [.sendError])
  }
}

@Suite struct SOCKS5Tests {
  private static let destination = "972b7bf47291ca609517f67f86b5081086052dad"

  /// In whatever pieces, and what follows is left.
  @Test(arguments: [1, 2, 7, 1000]) func bothSidesAgree(piece: Int) throws {
    var client = SOCKS5ClientMachine(destination: Self.destination)
    var server = SOCKS5ServerMachine()
    var (toServer, toClient) = (client.greeting, ByteBuffer())
    var (atServer, atClient) = (ByteBuffer(), ByteBuffer())
    var isConnected = false
    for _ in 0..<1000 where !isConnected {
      if let bytes = toServer.readSlice(length: min(piece, toServer.readableBytes)) {
        atServer.writeImmutableBuffer(bytes)
      }
      switch server.received(&atServer) {
      case .wait: break
      case .write(let bytes): toClient.writeImmutableBuffer(bytes)
      case .connect(let name):
        #expect(name == Self.destination)
        toClient.writeImmutableBuffer(SOCKS5ServerMachine.accepted(name))
        toClient.writeString("hello")
      case .refuse: Issue.record("refused")
      }
      if let bytes = toClient.readSlice(length: min(piece, toClient.readableBytes)) {
        atClient.writeImmutableBuffer(bytes)
      }
      switch client.received(&atClient) {
      case .wait: break
      case .write(let bytes): toServer.writeImmutableBuffer(bytes)
      case .connected: isConnected = true
      case .fail: Issue.record("failed")
      }
    }
    #expect(isConnected && atServer.readableBytes == 0)
    atClient.writeImmutableBuffer(toClient)
    #expect(String(buffer: atClient) == "hello")
  }

  private func refused(_ bytes: [UInt8]...) -> ByteBuffer? {
    var server = SOCKS5ServerMachine()
    for bytes in bytes {
      var buffer = ByteBuffer(bytes: bytes)
      if case .refuse(let answer) = server.received(&buffer) { return answer }
    }
    return nil
  }

  @Test func whatIsNotXEP0065IsRefused() {
    let hash = Array(Self.destination.utf8)
    #expect(refused([4, 1, 0]) == ByteBuffer(bytes: [5, 0xFF]))
    #expect(refused([5, 1, 2]) == ByteBuffer(bytes: [5, 0xFF]), "a user and a password")
    #expect(refused([5, 0]) == ByteBuffer(bytes: [5, 0xFF]))
    for request in [
      [5, 2, 0, 3, 40] + hash + [0, 0], [5, 1, 0, 1, 127, 0, 0, 1, 0, 80], [5, 1, 0, 3, 3, 97, 98, 99, 0, 0],
      [4, 1, 0, 3, 40] + hash + [0, 0],
    ] as [[UInt8]] {
      #expect(refused([5, 1, 0], request) != nil, "\(request)")
    }
    #expect(refused([5, 2, 2, 0], [5, 1, 0, 3, 40] + hash + [0, 0]) == nil)
  }

  @Test func answersOfAnyKindAreRead() {
    for (answer, action) in [
      ([5, 0, 0, 1, 1, 2, 3, 4, 0, 0], .connected), ([5, 0, 0, 3, 1, 97, 0, 0], .connected),
      ([5, 0, 0, 4] + Array(repeating: 0, count: 18), .connected), ([5, 0, 0, 3, 1, 97, 0], .wait),
      ([5, 2, 0, 3, 0, 0, 0], .fail), ([5, 0, 0, 9], .fail), ([4], .fail),
    ] as [([UInt8], SOCKS5ClientMachine.Action)] {
      var client = SOCKS5ClientMachine(destination: Self.destination)
      var bytes = ByteBuffer(bytes: [5, 0])
      guard case .write = client.received(&bytes) else {
        Issue.record("no request")
        continue
      }
      bytes = ByteBuffer(bytes: answer)
      let got = client.received(&bytes)
      #expect(got == action, "\(answer)")
    }
    var client = SOCKS5ClientMachine(destination: Self.destination)
    var bytes = ByteBuffer(bytes: [5, 0xFF])
    let refused = client.received(&bytes)
    #expect(refused == .fail)
  }
}
