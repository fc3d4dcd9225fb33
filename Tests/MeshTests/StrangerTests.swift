import FoundationEssentials
import NIOCore
import Synchronization
import TLS
import TestKit
import Testing
import Trust
import XMPP

@testable import Mesh

/// What strangers try with the ways in which nodes become friends.
@Suite(.timeLimit(.minutes(2))) struct StrangerTests {
  private static let tv = JID("tv@attic")!

  /// The owner has compared the announced id; who takes it away during the handshake gets nothing for it.
  @Test func anAnnouncementDuringTheHandshakeComesTooLate() async throws {
    let (real, mallory) = (try Identity.generate(name: "tv"), try Identity.generate(name: "mallory"))
    let (pi, link, lair) = (try Character("pi"), Link(), try await ScriptedListener())
    try await Nodes.run([pi], on: link) { nodes in
      link.haunt(Self.tv, port: lair.port, id: real.nodeID.description)
      _ = await nodes[0].awaitDevice { $0.node == real.nodeID }
      async let error = #expect(throws: MeshError.self) {
        _ = try await nodes[0].ask(Self.tv, petname: "tv", greeting: nil)
      }
      let dialled = try await lair.accept()
      link.haunt(Self.tv, port: lair.port, id: mallory.nodeID.description)
      _ = await nodes[0].awaitDevice { $0.node == mallory.nodeID }
      try? await dialled.answerSecurely(as: "tv@attic", with: mallory)
      #expect(await error?.code == .changed)
      #expect(pi.trustService.current.asked.isEmpty)
      dialled.disappear()
    }
    try await lair.close()
  }

  /// Nor does another key than the one that was on the owner's page, however it is announced by now.
  @Test func anotherNodeThanTheOwnerMeantIsNotAsked() async throws {
    let (real, mallory) = (try Identity.generate(name: "tv"), try Identity.generate(name: "mallory"))
    let (pi, link, lair) = (try Character("pi"), Link(), try await ScriptedListener())
    try await Nodes.run([pi], on: link) { nodes in
      link.haunt(Self.tv, port: lair.port, id: mallory.nodeID.description)
      _ = await nodes[0].awaitOnline("tv@attic")
      async let error = #expect(throws: MeshError.self) {
        try await nodes[0].befriend(Self.tv, expecting: real.nodeID, petname: "tv")
      }
      let dialled = try await lair.accept()
      try await dialled.answerSecurely(as: "tv@attic", with: mallory)
      #expect(await error?.code == .changed)
      #expect(pi.trustService.current.pairingPeer == nil)
      dialled.disappear()
    }
    try await lair.close()
  }

  /// Who asks and hangs up gets no call, at whatever address it announces.
  @Test func nobodyMakesThisNodeDial() async throws {
    let (mallory, anna) = (try Identity.generate(name: "mallory"), try Identity.generate(name: "anna"))
    let pi = try Character("pi", friends: [.init("anna", anna)])
    let (link, victim, phone) = (Link(), try await ScriptedListener(), try await ScriptedListener())
    try await Nodes.run([pi], on: link) { nodes in
      link.haunt(JID("victim@den")!, port: victim.port, id: mallory.nodeID.description)
      link.haunt(JID("phone@den")!, port: phone.port, id: anna.nodeID.description)
      for name in ["victim@den", "phone@den"] { _ = await nodes[0].awaitOnline(name) }
      // As when the stream has ended before its word is dealt with.
      for _ in 1...100 {
        await pi.trustService.received(
          .subscribe(FriendRequest(token: [1, 2, 3])), from: .of(mallory.nodeID))
      }
      // What this node has to say itself comes behind that, and arrives.
      await pi.trustService.remind(anna.nodeID)
      let dialled = try await phone.accept()
      await #expect(throws: (any Error).self) { try await victim.accept(within: .milliseconds(100)) }
      dialled.disappear()
    }
    try await victim.close()
    try await phone.close()
  }

  /// Anyone can announce another's id, and stand before it in the list.
  @Test func aWordReachesItsNodePastImpostors() async throws {
    let (mallory, anna) = (try Identity.generate(name: "mallory"), try Identity.generate(name: "anna"))
    let pi = try Character("pi", friends: [.init("anna", anna)])
    let (link, trap, phone) = (Link(), try await ScriptedListener(), try await ScriptedListener())
    try await Nodes.run([pi], on: link) { nodes in
      link.haunt(JID("aaa@den")!, port: trap.port, id: anna.nodeID.description)
      link.haunt(JID("phone@den")!, port: phone.port, id: anna.nodeID.description)
      for name in ["aaa@den", "phone@den"] { _ = await nodes[0].awaitOnline(name) }
      await pi.trustService.remind(anna.nodeID)
      let wrong = try await trap.accept()
      try? await wrong.answerSecurely(as: "aaa@den", with: mallory)
      let right = try await phone.accept()
      try await right.answerSecurely(as: "phone@den", with: anna)
      try await right.expect("<presence")
      wrong.disappear()
      right.disappear()
    }
    try await trap.close()
    try await phone.close()
  }

  private static func peer(_ number: Int) throws -> KeyedPeer {
    let key = Array("key \(number)".utf8)
    let id = try #require(NodeID(digest: Digest.sha256(key)))
    return .of(id, key: key)
  }

  @Test func aFloodDoesNotHideTheEndOfAComparison() async throws {
    let own = try TrustService.fresh()
    let peer = try Self.peer(0)
    let events = own.events()
    try await own.pair(with: peer, petname: nil)
    for number in 1...100 {
      await own.received(.commit([UInt8](repeating: 1, count: 32)), from: try Self.peer(number))
    }
    await own.disconnected(peer.id)
    let end = await events.first { if case .pairingEnded? = $0 { true } else { false } }
    #expect(end != nil)
  }

  @Test func aFloodDoesNotHideAnImpostor() async throws {
    let own = try TrustService.fresh()
    let events = own.events()
    let nobody = PeerIdentity.of(nil, from: "10.0.0.9")
    for _ in 1...1000 { own.decided(.streamRefused(nobody, why: "insecure", detail: "")) }
    let refusal = Refusal.changed(expected: own.id, seen: nil)
    own.decided(.streamRefused(nobody, why: refusal.name, detail: refusal.detail))
    var told = 0
    for await event in events {
      guard case .streamRefused(_, let why, _)? = event else { continue }
      if why == refusal.name { break }
      told += 1
    }
    #expect(told <= 32)
  }

  /// A disk that is full, or gone, is not written to more often than one that works.
  @Test func aFullDiskUndoesNoLimit() async throws {
    struct Full: Error {}
    let saves = Mutex(0)
    let own = try TrustService.fresh {
      _ in
      saves.withLock { $0 += 1 }
      throw Full()
    }
    for number in 1...1000 {
      let peer = KeyedPeer.of(try Self.peer(number).id, from: "10.0.0.\(number)")
      await own.received(.subscribe(FriendRequest()), from: peer)
    }
    #expect((1...40).contains(saves.withLock { $0 }))
    #expect(own.current.requests.isEmpty)
  }
}
