import Logging
import Mesh
import NIOCore
import NIOPosix
import TestKit
import Testing
import XML
import XMPP

@testable import Account
@testable import TLS

/// An account, and a server that says what the test makes it say, over TLS on loopback.
private struct Scene {
  let listener: ScriptedListener
  let identity: Identity
  let account: ServerAccount
  static let jid = "juliet@im.example.com/hearth.abcd"
  static let bind = "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/><sm xmlns='urn:xmpp:sm:3'/>"

  init(password: String = "pencil", fingerprint: [UInt8]? = nil, isRelay: Bool = false) async throws {
    listener = try await ScriptedListener()
    identity = try Identity.generate(name: "im.example.com")
    let configuration = AccountConfiguration(
      address: JID("juliet@im.example.com")!, password: password,
      server: .init(host: "127.0.0.1", port: listener.port), security: .startTLS,
      fingerprint: fingerprint ?? Digest.sha256(identity.certificate.der), allowsPlain: true, isRelay: isRelay,
      resource: "hearth.abcd")
    account = ServerAccount(
      configuration, on: MultiThreadedEventLoopGroup.singleton.next(), logger: Logger(label: "test"))
  }

  /// Runs the account beside the script.
  func play(_ script: @escaping @Sendable (Scene) async throws -> Void) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { await account.run() }
      group.addTask { try await script(self) }
      _ = try await group.next()
      group.cancelAll()
      // It says goodbye, and waits for an answer that does not come.
      while try await group.next() != nil {}
    }
    try await listener.close()
  }

  /// STARTTLS, so that nobody says anything before this side knows that TLS begins.
  func secure() async throws -> ScriptedPeer {
    let peer = try await listener.accept()
    try await peer.answerHeader(as: "im.example.com", features: "<starttls xmlns='\(ScriptedPeer.tls)'/>")
    try await peer.proceed(.node(identity, role: .server))
    return peer
  }

  /// Up to the features behind the login.
  func accept() async throws -> ScriptedPeer {
    let peer = try await secure()
    try await peer.answerHeader(
      as: "im.example.com",
      features: "<mechanisms xmlns='\(ScriptedPeer.sasl)'><mechanism>PLAIN</mechanism></mechanisms>")
    try await peer.expect("</auth>")
    return peer
  }

  func authenticate() async throws -> ScriptedPeer {
    let peer = try await accept()
    try await peer.send("<success xmlns='\(ScriptedPeer.sasl)'/>")
    try await peer.answerHeader(as: "im.example.com", features: Self.bind)
    return peer
  }

  /// A new session, its roster and presence. `id`: of XEP-0198.
  func begin(roster: String = "", expecting words: String? = nil) async throws -> ScriptedPeer {
    let peer = try await authenticate()
    try await peer.expect("<resource>hearth.abcd</resource></bind></iq>")
    try await peer.send(
      "<iq type='result' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>\(Self.jid)</jid></bind></iq>")
    try await peer.expect("<enable xmlns='urn:xmpp:sm:3' resume='true'/>")
    try await peer.send("<enabled xmlns='urn:xmpp:sm:3' id='s1' resume='true'/>")
    let question = try await peer.expect("<query xmlns='jabber:iq:roster'/></iq>")
    let id = question.components(between: "id='", "'") ?? ""
    try await peer.expect("</presence>")
    try await peer.send("<iq type='result' id='\(id)'><query xmlns='jabber:iq:roster'>\(roster)</query></iq>")
    if let words { try await peer.expect(words) }
    // It has read all of that when it says so.
    try await peer.send("<r xmlns='urn:xmpp:sm:3'/>")
    try await peer.expect("<a xmlns='urn:xmpp:sm:3' h='1'/>")
    return peer
  }
}

extension String {
  fileprivate func components(between start: String, _ end: String) -> String? {
    guard let first = firstRange(of: start) else { return nil }
    let rest = self[first.upperBound...]
    return rest.firstRange(of: end).map { String(rest[..<$0.lowerBound]) }
  }
}

/// Waits for the next event that is meant.
private func next(
  _ iterator: inout AsyncStream<AccountEvent>.AsyncIterator, isolation: isolated (any Actor)? = #isolation,
  _ isMeant: (AccountEvent) -> Bool
) async throws {
  while let event = await iterator.next(isolation: isolation) { if isMeant(event) { return } }
  throw CancellationError()
}

@Suite(.timeLimit(.minutes(1))) struct ServerAccountTests {
  private let ping = Element("ping", namespace: Namespace.ping)

  @Test func aSessionAndItsWords() async throws {
    try await Scene(isRelay: true).play { scene in
      scene.account.follow([JID("anna@example.net")!])
      let peer = try await scene.begin(expecting: "<presence to='anna@example.net' type='subscribe'/>")
      var events = scene.account.events.makeAsyncIterator()
      try await next(&events) { if case .online(let jid, false) = $0 { jid.text == Scene.jid } else { false } }
      #expect(scene.account.status.state == .online && scene.account.status.isResumable)
      #expect(scene.account.status.mechanism == .plain)

      // Asked by its server, by a contact, and by somebody else.
      try await peer.send("<iq type='get' id='p1' from='im.example.com'><ping xmlns='urn:xmpp:ping'/></iq>")
      try await peer.expect("<iq to='im.example.com' type='result' id='p1'/>")
      try await peer.send(
        "<iq type='get' id='d1' from='anna@example.net/x'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>")
      let info = try await peer.expect("</iq>")
      for feature in ["urn:hearth:link:0", "http://jabber.org/protocol/bytestreams", Namespace.ibb, Namespace.caps] {
        #expect(info.contains("<feature var='\(feature)'/>"))
      }
      try await peer.send("<iq type='get' id='d2' from='eve@example.net/x'><ping xmlns='urn:xmpp:ping'/></iq>")
      try await peer.expect("to='eve@example.net/x' type='error' id='d2'>")
      try await peer.expect("<service-unavailable")

      // A contact's words are events, a stranger's are not.
      try await peer.send("<presence from='eve@example.net/x'/><presence from='anna@example.net/x'/>")
      try await next(&events) {
        if case .presence(let stanza) = $0 { stanza.from?.bare.text == "anna@example.net" } else { false }
      }
      try await peer.send("<iq type='set' id='r1' from='anna@example.net/x'><x xmlns='urn:x'/></iq>")
      try await next(&events) { if case .stanza(let stanza) = $0 { stanza.id == "r1" } else { false } }
      try await scene.account.send(Stanza(.iq, to: JID("anna@example.net/x"), type: "result", id: "r1"))
      try await peer.expect("<iq to='anna@example.net/x' type='result' id='r1'/>")
      // The server's count is asked for, and ours is told.
      try await peer.send("<r xmlns='urn:xmpp:sm:3'/>")
      try await peer.expect("<a xmlns='urn:xmpp:sm:3' h='7'/>")
    }
  }

  @Test func anAnswerIsTakenFromWhoWasAskedOnly() async throws {
    let ping = ping
    try await Scene().play { scene in
      let peer = try await scene.begin()
      async let answer = scene.account.request(
        .get(id: "", to: JID("im.example.com"), ping), within: .seconds(20))
      let id = try await peer.expect("<ping xmlns='urn:xmpp:ping'/></iq>").components(between: "id='", "'") ?? ""
      for other in [" from='eve@example.net/x'", " from='juliet@im.example.com'", "", " from='im.example.com/x'"] {
        try await peer.send("<iq type='error' id='\(id)'\(other)><error type='cancel'/></iq>")
      }
      try await peer.send("<iq type='result' id='\(id)' from='im.example.com'/>")
      #expect(try await answer.type == "result")

      // What is asked of the account itself is answered without a sender, or by the account.
      async let own = scene.account.request(.get(id: "", ping), within: .seconds(20))
      let second = try await peer.expect("<ping xmlns='urn:xmpp:ping'/></iq>").components(between: "id='", "'") ?? ""
      try await peer.send("<iq type='error' id='\(second)' from='im.example.com'><error type='cancel'/></iq>")
      try await peer.send("<iq type='result' id='\(second)'/>")
      #expect(try await own.type == "result")

      await #expect(throws: AccountFailure.timedOut) {
        try await scene.account.request(.get(id: "", ping), within: .milliseconds(50))
      }
      let large = Element("x", namespace: "urn:x", text: String(repeating: "x", count: 10_000))
      await #expect(throws: StanzaError.self) { try await scene.account.send(.message([large])) }
    }
  }

  @Test func aBrokenConnectionIsResumedAndNothingIsLost() async throws {
    let ping = ping
    try await Scene().play { scene in
      let first = try await scene.begin()
      var events = scene.account.events.makeAsyncIterator()
      try await next(&events) { if case .online(_, false) = $0 { true } else { false } }
      async let answer = scene.account.request(.get(id: "", to: JID("im.example.com"), ping), within: .seconds(20))
      let id = try await first.expect("<ping xmlns='urn:xmpp:ping'/></iq>").components(between: "id='", "'") ?? ""
      try await first.reset()

      let second = try await scene.authenticate()
      // One stanza of the server's was dealt with: the roster. Ours: roster, presence, ping; it has two of them.
      try await second.expect("<resume xmlns='urn:xmpp:sm:3' h='1' previd='s1'/>")
      try await second.send("<resumed xmlns='urn:xmpp:sm:3' h='2' previd='s1'/>")
      try await second.expect("id='\(id)'><ping xmlns='urn:xmpp:ping'/></iq><r xmlns='urn:xmpp:sm:3'/>")
      try await second.send("<iq type='result' id='\(id)' from='im.example.com'/><a xmlns='urn:xmpp:sm:3' h='3'/>")
      #expect(try await answer.type == "result")
      try await next(&events) {
        if case .offline = $0 { Issue.record("offline") }
        return if case .online(_, true) = $0 { true } else { false }
      }
      #expect(scene.account.status.resumptions == 1)
    }
  }

  @Test func aSessionThatTheServerForgotFailsWhatWaits() async throws {
    let ping = ping
    try await Scene().play { scene in
      let first = try await scene.begin()
      async let answer = scene.account.request(.get(id: "", to: JID("im.example.com"), ping), within: .seconds(20))
      try await first.expect("<ping xmlns='urn:xmpp:ping'/></iq>")
      try await first.reset()
      let second = try await scene.authenticate()
      try await second.expect("<resume")
      try await second.send("<failed xmlns='urn:xmpp:sm:3'/>")
      try await second.expect("</bind></iq>")
      try await second.send(
        "<iq type='result' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>\(Scene.jid)</jid></bind></iq>"
      )
      try await second.expect("<enable")
      try await second.send("<failed xmlns='urn:xmpp:sm:3'/>")
      try await second.expect("</presence>")
      do {
        _ = try await answer
        Issue.record("answered")
      } catch {
        #expect(error as? AccountFailure == .offline)
      }
    }
  }

  /// Saying a wrong password over and over would lock the account; taking the place back, push the other one out.
  @Test(arguments: [
    ("<failure xmlns='\(ScriptedPeer.sasl)'><not-authorized/></failure>", AccountProblem.Code.password),
    (
      "<stream:error><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>", .conflict
    ),
  ])
  func whatIsFinalIsNotTriedAgain(_ words: String, _ code: AccountProblem.Code) async throws {
    try await Scene().play { scene in
      let peer = try await scene.accept()
      try await peer.send(words)
      try await peer.expectClose()
      // Two pauses of the back-off are over by then.
      await #expect(throws: (any Error).self) { try await scene.listener.accept(within: .seconds(4)) }
      #expect(scene.account.status.state == .stopped)
      #expect(scene.account.status.problem?.code == code)
    }
  }

  @Test func anotherCertificateIsRefused() async throws {
    try await Scene(fingerprint: [UInt8](repeating: 7, count: 32)).play { scene in
      await #expect(throws: (any Error).self) { _ = try await scene.secure() }
      try await scene.listener.accept().disappear()
      #expect(scene.account.status.problem?.code == .certificate)
    }
  }

  /// More than anybody takes ends the stream, and not the memory.
  @Test func aFloodEndsTheStream() async throws {
    try await Scene().play { scene in
      scene.account.follow([JID("anna@example.net")!])
      let peer = try await scene.begin()
      var flood = ByteBuffer()
      for _ in 0...AccountLimits.events { flood.writeString("<presence from='anna@example.net/x'/>") }
      peer.blurt(flood)
      try await peer.expectClose()
      try await eventually("it is not told why") { scene.account.status.problem != nil }
      #expect(scene.account.status.problem?.code == .overflow)
    }
  }

  @Test func anAcknowledgementOfTooMuchEndsTheStream() async throws {
    try await Scene().play { scene in
      let peer = try await scene.begin()
      try await peer.send("<a xmlns='urn:xmpp:sm:3' h='1000'/>")
      try await peer.expect("</stream:stream>")
      peer.disappear()
      try await scene.listener.accept().disappear()
      #expect(scene.account.status.problem?.code == .violation)
    }
  }

  @Test func aTrialSaysWhetherThePasswordIsRight() async throws {
    let scene = try await Scene()
    let dialer = AccountDialer(
      configuration: AccountConfiguration(
        address: JID("juliet@im.example.com")!, password: "pencil",
        server: .init(host: "127.0.0.1", port: scene.listener.port), security: .startTLS,
        fingerprint: Digest.sha256(scene.identity.certificate.der), allowsPlain: true, resource: "x"),
      eventLoop: MultiThreadedEventLoopGroup.singleton.next())
    async let good = AccountTrial(dialer).run()
    let peer = try await scene.accept()
    try await peer.send("<success xmlns='\(ScriptedPeer.sasl)'/>")
    #expect(try await good.mechanism == .plain)
    async let bad = AccountTrial(dialer).run()
    try await scene.accept().send("<failure xmlns='\(ScriptedPeer.sasl)'><not-authorized/></failure>")
    do {
      _ = try await bad
      Issue.record("taken")
    } catch {
      #expect((error as? AccountProblem)?.code == .password)
    }
    try await scene.listener.close()
  }
}
