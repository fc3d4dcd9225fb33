import Codecs
import FoundationEssentials
import HTTPTypes
import HTTPX
import NIOCore
import TLS
import TestKit
import Testing
import Trust
import XML
import XMPP

@testable import Mesh

/// Friends' nodes on another link are reached over accounts on a server, and nobody else is.
@Suite(.timeLimit(.minutes(1))) struct OfficeTests {
  private static let door = JID("door@pi")!

  /// A pi with a door for friends, and a laptop on another link. Each knows the other's account; what `body` gets of it is not in use yet.
  private struct Play {
    let server = MemoryServer()
    let (laptop, pi): (Character, Character)
    let (anna, home): (MemoryAccount, MemoryAccount)

    init() async throws {
      let (own, other) = (try Identity.generate(name: "laptop"), try Identity.generate(name: "pi"))
      laptop = try Character("laptop", identity: own, friends: [Acquaintance("home", other, devices: ["door@pi"])])
      pi = try Character("pi", identity: other, friends: [Acquaintance("anna", own)])
      anna = server.account("anna@example.test/one", node: own.nodeID)
      home = server.account("pi@example.test/two", node: other.nodeID)
      await laptop.trustService.told(home.address, by: other.nodeID)
      await pi.trustService.told(anna.address, by: own.nodeID)
    }

    /// Both run, on links of their own.
    func run(_ body: (_ laptop: Node, _ pi: Node) async throws -> Void) async throws {
      try await Nodes.run([pi]) { pis in
        let pi = pis[0]
        try await pi.serve(Door("door", .friends))
        try await Nodes.run([laptop]) { laptops in
          let laptop = laptops[0]
          try await withThrowingTaskGroup(of: Void.self) { group in
            for (node, account) in [(laptop, anna), (pi, home)] {
              group.addTask {
                await node.use(AccountSettings(account, isRelay: true, isShared: true))
              }
              account.logIn()
            }
            try await body(laptop, pi)
            for account in [anna, home] { account.logOut() }
            group.cancelAll()
          }
        }
      }
    }
  }

  @Test func devicesOfAFriendAreReachedOverTheServer() async throws {
    let play = try await Play()
    try await play.run { laptop, _ in
      let device = try #require(await laptop.awaitDevice { $0.jid == Self.door && $0.state == .online })
      #expect(device.server == "example.test")
      #expect(device.endpoints.isEmpty)
      let body = ByteBuffer(bytes: (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) })
      #expect(try await laptop.fetch(Self.door, .make(.put, body: Body(body))) == body)
      // All that the server saw is ciphertext, but for the first words of a stream.
      for stanza in play.server.passed {
        let text = stanza.payload?.text ?? ""
        guard let bytes = Base64.decode(text) else { continue }
        #expect(!String(buffer: bytes).contains("urn:xmpp:http"))
      }
    }
  }

  @Test func theLinkComesFirst() async throws {
    let play = try await Play()
    let link = Link()
    try await Nodes.run([play.pi, play.laptop], on: link) { nodes in
      try await nodes[0].serve(Door("door", .friends))
      try await withThrowingTaskGroup(of: Void.self) { group in
        for (node, account) in [(nodes[1], play.anna), (nodes[0], play.home)] {
          group.addTask { await node.use(AccountSettings(account, isRelay: true, isShared: true)) }
          account.logIn()
        }
        _ = try #require(await nodes[1].awaitOnline("door@pi"))
        _ = try await nodes[1].fetch(Self.door)
        #expect(nodes[1].device(Self.door)?.server == nil)
        group.cancelAll()
      }
    }
  }

  @Test func whatIsServedOrNotIsTold() async throws {
    let play = try await Play()
    try await play.run { laptop, pi in
      _ = try #require(await laptop.awaitOnline("door@pi"))
      try await pi.serve(Door("lamp", .friends))
      _ = try #require(await laptop.awaitOnline("lamp@pi"))
      _ = pi.unserve("lamp")
      _ = try #require(await laptop.awaitDevice { $0.jid.text == "lamp@pi" && $0.state == .gone })
      play.home.logOut()
      _ = try #require(await laptop.awaitDevice { $0.jid == Self.door && $0.state == .gone })
      play.home.logIn()
      _ = try #require(await laptop.awaitOnline("door@pi"))
      #expect(try await laptop.fetch(Self.door).readableBytes == 0)
    }
  }

  /// Who says in its presence that it is a friend's node, at the friend's own account, gets nothing without the key.
  @Test func anotherKeyIsNotBelieved() async throws {
    let play = try await Play()
    let thief = try Character("thief", friends: [Acquaintance("anna", play.laptop.identity)])
    await thief.trustService.told(play.anna.address, by: play.laptop.id)
    let stolen = play.server.account("pi@example.test/stolen", node: play.pi.id)
    try await Nodes.run([thief]) { thieves in
      try await thieves[0].serve(Door("door", .friends))
      try await Nodes.run([play.laptop]) { laptops in
        try await withThrowingTaskGroup(of: Void.self) { group in
          for (node, account) in [(laptops[0], play.anna), (thieves[0], stolen)] {
            group.addTask { await node.use(AccountSettings(account, isRelay: true, isShared: true)) }
            account.logIn()
          }
          _ = try await play.laptop.log.line("stream-refused", with: ["why": "changed-key"])
          #expect(laptops[0].device(Self.door)?.state != .online)
          group.cancelAll()
        }
      }
    }
  }

  /// Two nodes that have never shared a link: the line says where the one is that invites, and the other knows its key.
  @Test func invitesWorkOverServers() async throws {
    let server = MemoryServer()
    let (pi, laptop) = (try Character("pi"), try Character("laptop"))
    let (home, anna) = (
      server.account("pi@example.test/two", node: pi.id), server.account("anna@example.test/one", node: laptop.id)
    )
    try await Nodes.run([pi]) { pis in
      try await pis[0].serve(Door("door", .public))
      try await Nodes.run([laptop]) { laptops in
        try await withThrowingTaskGroup(of: Void.self) { group in
          for (node, account) in [(laptops[0], anna), (pis[0], home)] {
            group.addTask { await node.use(AccountSettings(account, isRelay: true, isShared: true)) }
            account.logIn()
          }
          while pis[0].relayAddress == nil || laptops[0].relayAddress == nil { await Task.yield() }
          let line = try await OwnerActions(of: pis[0], requiringNames: false).invite(petname: "anna").line
          #expect(line.account == home.jid)
          // Nobody comes in by an open invite but with its token.
          let eve = try #require(
            InviteLine(jid: line.jid, id: line.id, token: [UInt8](repeating: 7, count: 16), account: line.account))
          await #expect(throws: TrustError.self) { _ = try await laptops[0].join(eve, petname: "home") }
          let friend = try await laptops[0].join(line, petname: "home")
          #expect(friend.id == pi.id)
          // By the line, whether or not the stream lasts until it is said there.
          #expect(laptop.trustService.current.friend(pi.id)?.account == home.address)
          _ = try #require(await laptops[0].awaitDevice { $0.jid.text == "door@pi" && $0.state == .online })
          #expect(try await laptops[0].fetch(Self.door).readableBytes == 0)
          #expect(pi.trustService.current.friend(laptop.id)?.account == anna.address)
          group.cancelAll()
        }
      }
    }
  }

  /// A connection from an account that is no friend's is not taken; from one that is, no stream whose key is no friend's.
  @Test func strangersDoNotComeIn() async throws {
    let play = try await Play()
    let eve = play.server.account("eve@example.test/x", node: nil)
    let open = Stanza(
      .iq, to: play.home.jid, type: "set",
      [Element("open", namespace: Namespace.ibb, ["block-size": "4096", "sid": "1", "stanza": "iq"])])
    try await play.run { laptop, _ in
      eve.logIn()
      let refused = await #expect(throws: StanzaError.self) { try await eve.request(open, within: .seconds(5)) }
      #expect(refused?.condition == .serviceUnavailable)
      _ = try #require(await laptop.awaitOnline("door@pi"))
    }
    // The same account, and another node behind it.
    let other = try Character("other", friends: [Acquaintance("home", play.pi.identity, devices: ["door@pi"])])
    await other.trustService.told(play.home.address, by: play.pi.id)
    let again = play.server.account("anna@example.test/other", node: other.id)
    try await Nodes.run([play.pi]) { pis in
      try await Nodes.run([other]) { others in
        try await withThrowingTaskGroup(of: Void.self) { group in
          for (node, account) in [
            (pis[0], play.server.account("pi@example.test/2", node: play.pi.id)), (others[0], again),
          ] {
            group.addTask { await node.use(AccountSettings(account, isRelay: true, isShared: true)) }
            account.logIn()
          }
          _ = try await play.pi.log.line("stream-refused", with: ["why": "no-friend"])
          group.cancelAll()
        }
      }
    }
  }
}
