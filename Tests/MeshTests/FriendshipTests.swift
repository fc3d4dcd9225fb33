import Codecs
import FoundationEssentials
import HTTPTypes
import HTTPX
import NIOCore
import Synchronization
import TLS
import TestKit
import Testing
import Trust
import XMPP

@testable import Mesh

/// Nodes become friends, stay friends, and end it, over real streams.
@Suite(.timeLimit(.minutes(2))) struct FriendshipTests {
  private static let node = JID("node@pi")!
  private static let door = JID("door@pi")!

  /// Serves `door@pi` to friends.
  private static func openDoor(_ pi: Node, to access: AccessPolicy.Access = .friends) throws {
    pi.serve(
      HostedService(
        name: "door", target: "test", policy: try AccessPolicy(access: access),
        handler: TestHandler { _, _, send in
          try await send(HTTPXResponse(HTTPResponse(status: .ok), body: Body("open")))
        }))
  }

  /// A laptop and a pi whose door is open to friends.
  private static func pair(
    opening access: AccessPolicy.Access = .friends, _ body: (_ laptop: Node, _ pi: Node) async throws -> Void
  ) async throws {
    try await Nodes.run(["laptop", "pi"]) { nodes in
      try openDoor(nodes[1], to: access)
      _ = await nodes[0].awaitOnline("door@pi")
      _ = await nodes[1].awaitOnline("node@laptop")
      try await body(nodes[0], nodes[1])
    }
  }

  private static func befriend(_ laptop: Node, _ pi: Node) async throws {
    let line = try await pi.trustService.invite(jid: Self.node, petname: "laptop")
    _ = try await laptop.join(line, petname: "pi")
  }

  private static func code(_ body: () async throws -> Void) async -> MeshError.Code? {
    do {
      try await body()
      return nil
    } catch {
      return (error as? MeshError)?.code
    }
  }

  private static func open(_ laptop: Node) async -> MeshError.Code? {
    await code { _ = try await laptop.fetch(door) }
  }

  /// Only friends are told, which is how a friendship that one side has ended comes out.
  @Test func theOtherEndTellsFriendsWhatItSees() async throws {
    try await Self.pair { laptop, pi in
      #expect(try await laptop.report(of: Self.door) == .notFriends)
      try await Self.befriend(laptop, pi)
      guard case .told(let report) = try await laptop.report(of: Self.door) else {
        Issue.record("a friend is not told")
        return
      }
      #expect(report.version == pi.configuration.version)
      #expect(report.address == "127.0.0.1")
      #expect(report.service?.isOpen == true)
      #expect(abs(report.time.timeIntervalSinceNow) < 60)
      guard case .told(let other) = try await laptop.report(of: Self.node) else {
        Issue.record("a friend is not told of the node")
        return
      }
      #expect(other.service == nil)
      try await pi.trustService.remove(laptop.trustService.id.description)
      #expect(try await laptop.report(of: Self.door) == .notFriends)
    }
  }

  /// Each side sees what the other makes of it, and it is over once they are friends again.
  @Test func aFriendshipOfOneSideIsSeenOnBoth() async throws {
    try await Self.pair { laptop, pi in
      try await Self.befriend(laptop, pi)
      #expect(await Self.open(laptop) == nil)
      let (here, there) = (laptop.trustService.events(), pi.trustService.events())
      try await pi.trustService.remove(laptop.trustService.id.description)
      _ = await here.first { $0?.name == "friendship-renounced" }
      _ = await there.first { $0?.name == "friendship-claimed" }
      #expect(laptop.trustService.current.friend(pi.trustService.id)?.renounced != nil)
      let claim = try #require(pi.trustService.current.claimedFriendships.first)
      #expect(claim.id == laptop.trustService.id && pi.trustService.current.claimedFriendships.count == 1)
      let door = try #require(laptop.device(Self.door))
      #expect(FriendshipState.renounced(door, laptop.trustService.current) != nil)
      #expect(await Self.open(laptop) == .forbidden)
      // The side that has nothing asks: the other one agrees at once, as it still has it.
      let outcome = try await pi.ask(try #require(JID("node@laptop")), petname: "laptop", greeting: nil)
      guard case .friends = outcome else {
        Issue.record("\(outcome)")
        return
      }
      #expect(pi.trustService.current.claimedFriendships.isEmpty)
      #expect(laptop.trustService.current.friend(pi.trustService.id)?.renounced == nil)
      #expect(await Self.open(laptop) == nil)
    }
  }

  /// Where nobody was told, as where a node lost its state, it comes out with the first request that is refused.
  @Test func itComesOutWhereARequestIsRefused() async throws {
    try await Self.pair { laptop, pi in
      try await Self.befriend(laptop, pi)
      #expect(await Self.open(laptop) == nil)
      let (here, there) = (laptop.trustService.events(), pi.trustService.events())
      let id = laptop.trustService.id.description
      // The other side is not told of a block, and neither of its end.
      try await pi.trustService.block(id)
      #expect(await Self.open(laptop) == .forbidden)
      #expect(pi.trustService.current.claimedFriendships.isEmpty)
      try await pi.trustService.unblock(id)
      #expect(await Self.open(laptop) == .forbidden)
      _ = await here.first { $0?.name == "friendship-renounced" }
      _ = await there.first { $0?.name == "friendship-claimed" }
    }
  }

  /// The word that ends a friendship and the end of its stream come apart: what is asked in between has not been heard.
  @Test func whatCameIntoAnEndingStreamIsAskedOverAnother() async throws {
    let anna = try Identity.generate(name: "anna")
    let pi = try Character("pi", friends: [.init("anna", anna, devices: ["phone@den"])])
    let (link, listener) = (Link(), try await ScriptedListener())
    try await Nodes.run([pi], on: link) { nodes in
      link.haunt(JID("phone@den")!, port: listener.port, id: anna.nodeID.description)
      _ = await nodes[0].awaitOnline("phone@den")
      await pi.trustService.remind(anna.nodeID)
      let phone = try await listener.accept()
      try await phone.answerSecurely(as: "phone@den", with: anna)
      try await phone.expect("type='subscribe'")
      // Only because of the word, and not since the entry in the list of devices changes.
      _ = nodes[0].gatekeeper.mayRemind(anna.nodeID)
      try await phone.send("<presence type='unsubscribed'/>")
      try await phone.expect("<report ")
      try await phone.send(
        "<stream:error><not-authorized xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>")
      let again = try await listener.accept()
      try await again.answerSecurely(as: "phone@den", with: anna)
      try await again.expect("<report ")
      for peer in [phone, again] { peer.disappear() }
    }
    try await listener.close()
  }

  // MARK: The ways to become friends

  @Test func anInviteMakesFriendsOfBoth() async throws {
    try await Self.pair { laptop, pi in
      #expect(await Self.open(laptop) == .forbidden)
      let line = try await pi.trustService.invite(jid: Self.node, petname: "laptop")
      let friend = try await laptop.join(try InviteLine(line.description), petname: nil)
      #expect(friend.id == pi.trustService.id)
      #expect(pi.trustService.current.friend(laptop.trustService.id)?.petname.text == "laptop")
      #expect(String(buffer: try await laptop.fetch(Self.door)) == "open")
      #expect(await laptop.awaitDevice { $0.jid == Self.door && $0.petname == friend.petname } != nil)
    }
  }

  /// Used, forged, or for another node: whoever brings it learns nothing about which.
  @Test func aBadInviteFailsAlikeWhateverIsWrong() async throws {
    try await Nodes.run(["laptop", "pi", "third"]) { nodes in
      let (laptop, pi, third) = (nodes[0], nodes[1], nodes[2])
      for node in [laptop, third] { _ = await node.awaitOnline("node@pi") }
      let line = try await pi.trustService.invite(jid: Self.node, petname: nil)
      _ = try await laptop.join(line, petname: nil)
      let forged = try #require(InviteLine(jid: Self.node, id: pi.trustService.id, token: SecureRandom.bytes(16)))
      var errors: [TrustError] = []
      for line in [line, forged] {
        let error = await #expect(throws: TrustError.self) { _ = try await third.join(line, petname: nil) }
        errors += error.map { [$0] } ?? []
      }
      #expect(errors.count == 2 && Set(errors).count == 1)
      #expect(pi.trustService.current.friends.map(\.id) == [laptop.trustService.id])
      #expect(pi.trustService.current.requests.isEmpty, "a bad token does not become an ordinary request")
    }
  }

  @Test func anInviteGoesToTheKeyInItOnly() async throws {
    try await Self.pair { laptop, pi in
      let line = try await pi.trustService.invite(jid: Self.node, petname: nil)
      let other = try #require(NodeID(digest: SecureRandom.bytes(32)))
      let forged = try #require(InviteLine(jid: Self.node, id: other, token: line.token))
      #expect(await Self.code { _ = try await laptop.join(forged, petname: nil) } == .changed)
      // The token was not handed over: it is still good.
      _ = try await laptop.join(line, petname: nil)
    }
  }

  @Test func peopleCompareDigits() async throws {
    try await Self.pair { laptop, pi in
      let (here, there) = (laptop.trustService.events(), pi.trustService.events())
      try await laptop.befriend(Self.node, petname: "pi")
      _ = await here.first { $0 == nil }
      _ = await there.first { $0 == nil }
      let digits = try #require(laptop.trustService.current.pairingQuestion?.digits)
      #expect(pi.trustService.current.pairingQuestion?.digits == digits)
      let others = digits == "000000" ? "000001" : "000000"
      await #expect(throws: TrustError.self) {
        try await laptop.trustService.confirmPairing(digits: others, petname: nil)
      }
      try await laptop.trustService.confirmPairing(digits: digits, petname: nil)
      #expect(laptop.trustService.current.friends.isEmpty, "the other side has not confirmed")
      try await pi.trustService.confirmPairing(digits: digits, petname: "laptop")
      _ = await here.first { if case .befriended? = $0 { true } else { false } }
      #expect(String(buffer: try await laptop.fetch(Self.door)) == "open")
    }
  }

  @Test func anOpenDoorLetsInWhoAsks() async throws {
    try await Self.pair { laptop, pi in
      guard case .waiting = try await laptop.ask(Self.node, petname: nil, greeting: "Let me in") else {
        Issue.record("nobody waits")
        return
      }
      #expect(pi.trustService.current.requests.map(\.greeting) == ["Let me in"])
      #expect(pi.trustService.current.requests.first?.address == "127.0.0.1")
      try await pi.trustService.permit(seconds: 60)
      guard case .friends = try await laptop.ask(Self.node, petname: nil, greeting: nil) else {
        Issue.record("the door is open")
        return
      }
      #expect(String(buffer: try await laptop.fetch(Self.door)) == "open")
    }
  }

  @Test func aNoIsHeard() async throws {
    try await Self.pair { laptop, pi in
      let events = laptop.trustService.events()
      _ = try await laptop.ask(Self.node, petname: nil, greeting: nil)
      try await pi.trustService.reject(laptop.trustService.id.description)
      _ = await events.first { if case .declined? = $0 { true } else { false } }
      #expect(laptop.trustService.current.asked.isEmpty)
      guard case .declined = try await laptop.ask(Self.node, petname: nil, greeting: nil) else {
        Issue.record("the owner said no a moment ago")
        return
      }
      // An open door is a later word.
      try await pi.trustService.permit(seconds: 60)
      guard case .friends = try await laptop.ask(Self.node, petname: nil, greeting: nil) else {
        Issue.record("the door is open")
        return
      }
    }
  }

  // MARK: Restarts

  /// What a node's next start has of the one before.
  private final class Disk: Sendable {
    private let bytes = Mutex<[UInt8]?>(nil)

    func friendships(_ identity: Identity, rotations: [KeyRotation] = []) throws -> TrustService {
      try TrustService(
        identity: identity, rotations: rotations, stored: bytes.withLock { $0 }, mode: .ask, logger: .silent,
        save: { new in self.bytes.withLock { $0 = new } })
    }
  }

  /// The owner may say yes while the one who asked is away.
  @Test func whoWasAwayHearsTheAnswerWhenItIsBack() async throws {
    let (link, disk, identity) = (Link(), Disk(), try Identity.generate(name: "laptop"))
    try await Nodes.run(["pi"], on: link) { nodes in
      let pi = nodes[0]
      try await Nodes.run("laptop", try disk.friendships(identity), on: link) { laptop in
        _ = await laptop.awaitOnline("node@pi")
        _ = try await laptop.ask(Self.node, petname: "pi", greeting: nil)
      }
      _ = try await pi.trustService.accept(pi.trustService.current.requests[0].id.description, petname: nil)
      let again = try disk.friendships(identity)
      #expect(again.current.friends.isEmpty)
      let events = again.events()
      try await Nodes.run("laptop", again, on: link) { laptop in
        _ = await events.first { if case .befriended? = $0 { true } else { false } }
        #expect(laptop.trustService.current.friends.map(\.petname.text) == ["pi"])
      }
    }
  }

  /// The other node learns of a new key as soon as both are there, and both stay friends under their names.
  @Test func aNewKeyIsAnnounced() async throws {
    let (link, disk, old, new) = (
      Link(), Disk(), try Identity.generate(name: "pi"), try Identity.generate(name: "pi")
    )
    try await Nodes.run(["laptop"], on: link) { nodes in
      let laptop = nodes[0]
      try await Nodes.run("pi", try disk.friendships(old), on: link) { pi in
        _ = await laptop.awaitOnline("node@pi")
        try await Self.befriend(laptop, pi)
        _ = await laptop.awaitOnline("node@pi")
      }
      _ = await laptop.awaitDevice { $0.jid == Self.node && $0.state == .gone }
      let statement = KeyRotation.statement(old: old.spki, new: new.spki)
      let rotation = KeyRotation(old: old.spki, new: new.spki, signature: try old.sign(statement))
      let events = laptop.trustService.events()
      try await Nodes.run("pi", try disk.friendships(new, rotations: [rotation]), on: link) { pi in
        try Self.openDoor(pi)
        _ = await events.first { if case .rotated? = $0 { true } else { false } }
        let friend = try #require(laptop.trustService.current.friend(pi.trustService.id))
        #expect(friend.petname.text == "pi" && friend.devices.contains(Self.node))
        #expect(laptop.trustService.current.friends.count == 1)
        _ = await laptop.awaitDevice { $0.jid == Self.door && $0.petname?.text == "pi" && $0.state == .online }
        #expect(String(buffer: try await laptop.fetch(Self.door)) == "open")
      }
    }
  }

  /// A friend here that does not know this node any more is asked, not believed.
  @Test func whoWasForgottenIsToldSo() async throws {
    try await Self.pair { laptop, pi in
      try await Self.befriend(laptop, pi)
      let events = laptop.trustService.events()
      try await pi.trustService.remove("laptop")
      // Told apart from an answer to the request.
      _ = await events.first { $0?.name == "friendship-renounced" }
      guard case .waiting = try await laptop.ask(Self.node, petname: nil, greeting: nil) else {
        Issue.record("pi's owner has not answered")
        return
      }
      let spent = try #require(InviteLine(jid: Self.node, id: pi.trustService.id, token: SecureRandom.bytes(16)))
      await #expect(throws: TrustError.self) { _ = try await laptop.join(spent, petname: nil) }
      #expect(laptop.trustService.current.friends.count == 1, "what was theirs to say changes nothing here")
      // Once more, with a good one.
      try await Self.befriend(laptop, pi)
      #expect(String(buffer: try await laptop.fetch(Self.door)) == "open")
    }
  }

  /// Its devices belong to a friend from the start, also those that were there before it was one.
  @Test func openStreamsArePinnedToANewFriend() async throws {
    try await Self.pair(opening: .public) { laptop, pi in
      #expect(await Self.open(laptop) == nil)
      let events = laptop.trustService.events()
      await laptop.trustService.setFleet([FleetEntry(id: pi.trustService.id, petname: try Petname("pi"))])
      _ = await events.first { if case .pinned(Self.door, _)? = $0 { true } else { false } }
      #expect(laptop.trustService.current.friend(pi.trustService.id)?.devices == [Self.door])
    }
  }

  // MARK: The end of it

  /// A response that never ends, until its reader's node is not wanted any more.
  private static func cutOff(
    _ end: @escaping @Sendable (_ pi: Node) async throws -> Void
  ) async throws -> MeshError.Code? {
    let code = Mutex<MeshError.Code?>(nil)
    try await Self.pair { laptop, pi in
      try await Self.befriend(laptop, pi)
      let (parts, source) = AsyncThrowingStream.makeStream(of: ByteBuffer.self)
      pi.serve(
        HostedService(
          name: "door", target: "test", policy: try AccessPolicy(access: .friends),
          handler: TestHandler { _, _, send in
            try await send(HTTPXResponse(HTTPResponse(status: .ok), body: Body(parts)))
          }))
      source.yield(ByteBuffer(string: "tick"))
      let (heard, ear) = AsyncStream.makeStream(of: Void.self)
      async let failure = Self.code {
        // Where nothing is heard, the test fails and does not wait.
        defer { ear.finish() }
        try await laptop.send(.make(), to: Self.door) { response in
          for try await _ in response.body { ear.yield() }
        }
      }
      try #require(await heard.first { _ in true } != nil)
      let start = ContinuousClock.now
      try await end(pi)
      _ = await failure
      #expect(ContinuousClock.now - start < .seconds(2), "at once, and nobody wrote anything")
      source.finish()
      let after = await Self.open(laptop)
      code.withLock { $0 = after }
    }
    return code.withLock { $0 }
  }

  @Test func removingAFriendCutsItsStreams() async throws {
    #expect(try await Self.cutOff { try await $0.trustService.remove("laptop") } == .forbidden)
  }

  @Test func blockingAFriendCutsItsStreams() async throws {
    #expect(try await Self.cutOff { try await $0.trustService.block("laptop") } == .forbidden)
  }

  /// Who is blocked is told so at once, and not that somebody will answer.
  @Test func theBlockedAreNotLeftWaiting() async throws {
    try await Self.pair { laptop, pi in
      try await pi.trustService.block(laptop.trustService.id.description)
      let error = await #expect(throws: MeshError.self) {
        _ = try await laptop.ask(Self.node, petname: nil, greeting: nil)
      }
      #expect(error?.code == .forbidden)
      // The same for digits: at the latest when the stream has ended.
      let events = laptop.trustService.events()
      try? await laptop.befriend(Self.node, petname: nil)
      if laptop.trustService.current.pairingPeer != nil {
        _ = await events.first { if case .pairingEnded? = $0 { true } else { false } }
      }
      #expect(laptop.trustService.current.pairingPeer == nil)
    }
  }

  @Test func whoIsNoFriendAnyMoreIsNotAskedOverAnOldStream() async throws {
    try await Self.pair(opening: .public) { laptop, pi in
      #expect(await Self.open(laptop) == nil)
      try await laptop.trustService.block(pi.trustService.id.description)
      #expect(await Self.open(laptop) == .forbidden)
    }
  }

  // MARK: Others

  @Test func aChatProgramIsToldOnceWhatThereIs() async throws {
    try await Nodes.run(["pi"]) { nodes in
      try Self.openDoor(nodes[0])
      _ = await nodes[0].awaitOnline("door@pi")
      let pidgin = try await ScriptedPeer.connect(to: nodes[0].status().port)
      try await pidgin.greet(to: "node@pi")
      let message = "<message type='chat' from='romeo@forza' to='node@pi'><body>Hello?</body></message>"
      try await pidgin.send(message)
      let said = try await pidgin.expect("</message>")
      #expect(said.contains("<message") && said.contains("type='chat'") && said.contains("door"))
      try await pidgin.send(message + "<iq type='get' id='p'><ping xmlns='urn:xmpp:ping'/></iq>")
      #expect(!(try await pidgin.expect("id='p'")).contains("<message"))
      try await pidgin.hangUp()
    }
  }
}
