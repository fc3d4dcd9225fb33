import Bytestreams
import Codecs
import HTTPTypes
import HTTPX
import NIOCore
import TestKit
import Testing
import Trust
import XML
import XMPP

@testable import Mesh

/// Foreign peers of XEP-0332 at the account's own address: in where the owner has named them, and out.
@Suite(.timeLimit(.minutes(1))) struct RoutedPeersTests {
  private static let anna = JID("anna@example.test/client")!

  /// A pi whose `door` is open to `accounts` at its account's address.
  private struct Play {
    let server = MemoryServer()
    let callers = Callers()
    let home: MemoryAccount
    let accounts: AccountAccess

    init(_ accounts: AccountAccess, contacts: Set<JID> = [], direct: SocketAddress? = nil) {
      self.accounts = accounts
      home = server.account("pi@example.test/home", node: nil, contacts: contacts, direct: direct)
    }

    func run(_ body: (_ pi: Node) async throws -> Void) async throws {
      let pi = try Character("pi")
      let policy = try AccessPolicy(access: .friends, accounts: accounts)
      try await Nodes.run([pi]) { nodes in
        let handler = TestHandler { request, caller, send in
          callers.append(caller)
          try await send(HTTPXResponse(HTTPResponse(status: .ok), body: request.body))
        }
        nodes[0].serve(HostedService(name: "door", target: "test", policy: policy, handler: handler))
        try await withThrowingTaskGroup(of: Void.self) { group in
          let settings = AccountSettings(home, isRelay: true, isShared: true, served: "door")
          group.addTask { await nodes[0].use(settings) }
          home.logIn()
          while nodes[0].relayAddress == nil { await Task.yield() }
          try await body(nodes[0])
          home.logOut()
          group.cancelAll()
        }
      }
    }

    /// What comes of a GET.
    func ask(as jid: String, body: String? = nil) async throws -> ResponseStanza {
      let account = server.account(jid, node: nil)
      account.logIn()
      defer { account.logOut() }
      let data = body.map {
        [Element("data", namespace: Namespace.http, [:], [Element("text", namespace: Namespace.http, text: $0)])]
      }
      let request = Element(
        "req", namespace: Namespace.http, ["method": "GET", "resource": "/", "version": "1.1"],
        [
          Element(
            "headers", namespace: Namespace.shim, [:],
            [Element("header", namespace: Namespace.shim, ["name": "Host"], text: "pi")])
        ] + (data ?? []))
      let answer = try await account.request(Stanza(.iq, to: home.jid, type: "set", [request]), within: .seconds(20))
      let payload = try #require(answer.payload)
      return try #require(try ResponseStanza(payload))
    }
  }

  @Test(arguments: [
    AccountAccess(accounts: [Self.anna.bare]), AccountAccess(contacts: true),
    AccountAccess(accounts: [Self.anna.bare], contacts: true),
  ])
  func whoIsNamedComesIn(_ accounts: AccountAccess) async throws {
    let play = Play(accounts, contacts: accounts.contacts ? [Self.anna.bare] : [])
    try await play.run { _ in
      let response = try await play.ask(as: Self.anna.text, body: "hello")
      #expect(response.head.status == .ok)
      #expect(response.data == .text("hello") || response.data.bytes == ByteBuffer(string: "hello"))
      let caller = try #require(play.callers.all.first)
      #expect(caller.standing == .account(Self.anna.bare, isContact: accounts.contacts))
      #expect(caller.identity.proof == .server(domain: "example.test"))
      #expect(caller.identity.id == nil && caller.identity.networkAddress == nil)
    }
  }

  /// Neither is told that there is anything at all.
  @Test func nobodyElseDoes() async throws {
    let play = Play(AccountAccess(accounts: [Self.anna.bare], contacts: true), contacts: [JID("bob@example.test")!])
    try await play.run { _ in
      for jid in ["eve@example.test/x", "anna@example.org/client", "annas@example.test/x"] {
        let error = await #expect(throws: StanzaError.self) { _ = try await play.ask(as: jid) }
        #expect(error?.condition == .serviceUnavailable, "\(jid)")
      }
      _ = try await play.ask(as: "bob@example.test/phone")
      #expect(play.callers.all.count == 1)
    }
  }

  @Test func whatIsPublicOnTheLinkIsNotToServers() async throws {
    let policy = try AccessPolicy(access: .public)
    let standing = Standing.account(Self.anna.bare, isContact: true)
    #expect(policy.decide(standing, method: "GET", target: "/") == .refuse(.account))
    let open = try AccessPolicy(access: .public, accounts: AccountAccess(anyone: true))
    #expect(open.decide(standing, method: "GET", target: "/") == .allow)
    #expect(throws: TrustError.self) { try AccessPolicy(access: .friends, accounts: AccountAccess(anyone: true)) }
  }

  /// A contact's client that serves HTTP is found among those that do not, and asked.
  @Test func aContactIsReached() async throws {
    let play = Play(.none)
    try await play.run { pi in
      let clients = [
        play.server.account("anna@example.test/chat", node: nil),
        play.server.account("anna@example.test/web", node: nil),
      ]
      try await withThrowingTaskGroup(of: Void.self) { group in
        for client in clients {
          client.logIn()
          group.addTask { await Self.answer(as: client, servesHTTP: client.jid.resource == "web") }
        }
        let jid = JID("anna@example.test")!
        let isForeign = try pi.route(to: jid).isForeign
        #expect(isForeign)
        var answer: ByteBuffer?
        // Until the presence of both has come.
        while answer == nil { answer = try? await pi.fetch(jid, .make(.post, body: Body(ByteBuffer(string: "21")))) }
        #expect(answer.map { String(buffer: $0) } == "the answer")
        for client in clients { client.logOut() }
        let error = await #expect(throws: MeshError.self) { _ = try await pi.fetch(jid) }
        #expect(error?.message.contains("pi@example.test") == true, "\(error?.message ?? "")")
        group.cancelAll()
      }
    }
  }

  /// Who is named, and no contact, is not told where this machine is.
  @Test(arguments: [true, false]) func addressesAreForContacts(isContact: Bool) async throws {
    let address = try SocketAddress(ipAddress: "127.0.0.1", port: 5222)
    let play = Play(
      AccountAccess(accounts: [Self.anna.bare], contacts: true), contacts: isContact ? [Self.anna.bare] : [],
      direct: address)
    try await play.run { _ in
      let anna = play.server.account(Self.anna.text, node: nil)
      anna.logIn()
      let large = Element(
        "req", namespace: Namespace.http,
        ["method": "POST", "resource": "/", "version": "1.1", "maxChunkSize": "49152"],
        [
          Element(
            "data", namespace: Namespace.http, [:],
            [Publication(id: "f", file: SIFile(name: "a", size: 100_000)).element])
        ])
      anna.request(Stanza(.iq, to: play.home.jid, type: "set", [large]), within: .seconds(20)) { _ in }
      for await event in anna.events {
        guard case .stanza(let start) = event, start.payload?.name == "start" else { continue }
        anna.tell(start.result(SIPub.starting("s")))
        break
      }
      let offer = SIOffer(id: "s", file: SIFile(name: "a", size: 100_000), methods: [Namespace.bytestreams])
      let answer = Stanza(.iq, to: play.home.jid, type: "set", [offer.element])
      if isContact {
        let method = SIPub.method(ofAnswer: try await anna.request(answer, within: .seconds(20)).payload)
        #expect(method == Namespace.bytestreams)
      } else {
        let error = await #expect(throws: StanzaError.self) { _ = try await anna.request(answer, within: .seconds(20)) }
        #expect(error?.condition == .badRequest)
      }
      anna.logOut()
    }
  }

  @Test func namesOfTheLinkAreNeverAskedForAtServers() async throws {
    let play = Play(.none)
    try await play.run { pi in
      for name in ["door@attic", "thermostat@pi.local", "attic"] {
        #expect(throws: MeshError.self) { _ = try pi.route(to: JID(bare: name)!) }
      }
    }
  }

  private static func answer(as account: MemoryAccount, servesHTTP: Bool) async {
    for await event in account.events {
      guard case .stanza(let iq) = event, iq.wantsAnswer, let payload = iq.payload else { continue }
      switch payload.namespace {
      case Namespace.discoInfo:
        let features = [Namespace.discoInfo] + (servesHTTP ? [Namespace.http] : [])
        account.tell(iq.result(DiscoInfo(identities: [], features: features).query(node: nil)))
      case Namespace.http where servesHTTP:
        let text = Element(
          "data", namespace: Namespace.http, [:], [Element("text", namespace: Namespace.http, text: "the answer")])
        account.tell(
          iq.result(
            Element(
              "resp", namespace: Namespace.http, ["version": "1.1", "statusCode": "200", "statusMessage": "OK"],
              [Element("headers", namespace: Namespace.shim), text])))
      default: account.tell(iq.error(StanzaError(.featureNotImplemented)))
      }
    }
  }
}
