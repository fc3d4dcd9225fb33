import HTTPX
import LinkLocal
import Mesh
import NIOCore
import TestKit
import Testing
import Trust
import XMPP

@testable import TLS

/// An address belongs to a key, and somebody comes with another one.
extension TrustTests {
  private static let lamp = JID("lamp@phone")!
  private static let node = JID("node@phone")!

  /// Mallory takes the name of a friend's device, and says nothing of the friend's other ones: whoever asks for it gets the
  /// friend, and she gets nothing.
  @Test(arguments: ["her own id", "no id"]) func aTakenNameLeadsToItsKey(_ announced: String) async throws {
    let (own, mallory) = (try Identity.generate(name: "pi"), try Identity.generate(name: "mallory"))
    let anna = try Character("phone", friends: [.init("pi", own)])
    let pi = try Character("pi", identity: own, friends: [.init("anna", anna.identity, devices: ["lamp@phone"])])
    let (link, lair, callers) = (Link(), try await ScriptedListener(), Callers())
    try await Nodes.run([pi, anna], on: link) { nodes in
      try await nodes[1].serve(.noting(callers, "lamp", .friends))
      let id = announced == "no id" ? nil : mallory.nodeID
      try await Self.take(Self.lamp, at: lair.port, as: id, on: link, seenBy: nodes[0])
      _ = try #require(await nodes[0].awaitOnline(Self.node.text))
      _ = try await nodes[0].fetch(Self.lamp)
      #expect(callers.all.map(\.standing) == [.friend(try Petname("pi"))])
      await #expect(throws: Transcript.Failure.self) { _ = try await lair.accept(within: .milliseconds(100)) }
      try await pi.log.line(
        "another has its name, reached by its key", with: ["device": "lamp@phone", "announced": "node@phone"])
    }
    try await lair.close()
  }

  private static func take(_ name: JID, at port: Int, as id: NodeID?, on link: Link, seenBy node: Node) async throws {
    link.haunt(name, port: port, id: id?.description)
    _ = try #require(await node.awaitDevice { $0.jid == name && $0.endpoints.contains { $0.port == port } })
  }

  private static func expectChange(at node: Node, _ jid: JID, of expected: NodeID, to seen: NodeID) {
    let standing = node.device(jid)?.standing
    #expect(
      standing == .changed(expected: expected, seen: seen)
        || standing == .mismatch(announced: expected.description, seen: seen))
  }

  /// Mallory takes the place of a friend's device on the link, with whatever id she announces.
  @Test(arguments: ["anna's id", "her own id", "no id"])
  func anotherKeyUnderAFriendsAddress(_ announced: String) async throws {
    let (own, mallory) = (try Identity.generate(name: "pi"), try Identity.generate(name: "mallory"))
    let anna = try Character("phone", friends: [.init("pi", own)])
    let pi = try Character("pi", identity: own, friends: [.init("anna", anna.identity, devices: ["lamp@phone"])])
    let (link, lair) = (Link(), try await ScriptedListener())
    let id = ["anna's id": anna.id, "her own id": mallory.nodeID][announced]?.description
    let friends = try Self.entries(pi.trustService.current)
    let standing = Standing.changed(expected: anna.id, seen: mallory.nodeID)
    try await Nodes.run([pi, anna], on: link) { nodes in
      try await nodes[0].serve(try Door("house", .friends), try Door("open", .public))
      try await nodes[1].serve(try Door("lamp", .friends))
      link.haunt(Self.lamp, port: lair.port, id: id)
      // All of Anna's names: else one that is left would lead to her.
      try await Self.take(Self.node, at: lair.port, as: anna.id, on: link, seenBy: nodes[0])
      if announced == "her own id" {
        _ = try #require(await nodes[0].awaitDevice { $0.jid == Self.lamp && $0.standing == standing })
      } else {
        _ = try #require(await nodes[0].awaitDevice { $0.endpoints.contains { $0.port == lair.port } })
      }
      // We to her.
      async let failure = Self.failure { try await nodes[0].fetch(Self.lamp) }
      let dialled = try await lair.accept()
      try await dialled.answerSecurely(as: "lamp@phone", with: mallory)
      let error = await failure
      #expect(error?.code == .changed)
      for id in [anna.id, mallory.nodeID] { #expect(error?.message.contains(id.description) == true, "\(error!)") }
      #expect(!(try await dialled.expectClose()).contains("<iq"))
      dialled.disappear()
      Self.expectChange(at: nodes[0], announced == "anna's id" ? Self.lamp : Self.node, of: anna.id, to: mallory.nodeID)
      // She to us: nothing at all, not even what any stranger gets.
      try await nodes[0].visited(by: mallory, from: "lamp@phone", to: "house@pi") { peer in
        for device in ["house@pi", "open@pi"] {
          let answer = try await peer.ask(attributes: " to='\(device)'")
          #expect(answer.contains("<forbidden ") && answer.contains("this name belongs to another key"), "\(answer)")
        }
        // Where the link says that the name is hers, she is told that it is not. Otherwise she is a stranger who asks.
        try await peer.send("<presence type='subscribe'/>")
        if announced == "her own id" {
          try await peer.expect("type='unsubscribed'")
        } else {
          try await pi.log.line("request-waiting", with: ["node": mallory.nodeID.description])
        }
        #expect(pi.trustService.current.requests.allSatisfy { $0.jid == nil })
      }
      let both = "expected the key of \(anna.id), saw that of \(mallory.nodeID)"
      let line = ["why": "changed-key", "detail": both, "node": mallory.nodeID.description, "jid": "lamp@phone"]
      try await pi.log.line("stream-refused", with: line)
      try await pi.log.line("access-refused", with: line)
      #expect(try Self.entries(pi.trustService.current) == friends)
      // Anna is back, and is still Anna.
      link.haunt(Self.lamp, port: nodes[1].status().port, id: anna.id.description)
      _ = await nodes[0].awaitDevice { device in
        device.jid == Self.lamp && device.endpoints.contains { $0.port == nodes[1].status().port }
      }
      _ = try await nodes[0].fetch(Self.lamp)
      #expect(nodes[0].device(Self.lamp)?.standing == .friend(try Petname("anna")))
      try await nodes[0].visited(by: anna.identity, from: "lamp@phone", to: "house@pi") { peer in
        let answer = try await peer.ask()
        #expect(answer.contains("statusCode='200'"))
      }
    }
    try await lair.close()
  }

  /// A friend that only shows up without a key any more, in TLS or without, is not that friend.
  @Test(arguments: [false, true]) func aFriendsAddressInPlaintext(isEncrypted: Bool) async throws {
    let anna = try Identity.generate(name: "anna")
    let pi = try Character("pi", friends: [.init("anna", anna, devices: ["lamp@phone"])])
    try await Nodes.run([pi]) { nodes in
      try await nodes[0].serve(try Door("house", .friends), try Door("bare", .public, plaintext: true))
      try await nodes[0].visited(by: nil, isEncrypted: isEncrypted, from: "lamp@phone", to: "house@pi") { peer in
        for device in ["house@pi", "bare@pi"] {
          let answer = try await peer.ask(attributes: " to='\(device)'")
          #expect(answer.contains("<forbidden ") && !answer.contains("<resp"), "\(answer)")
        }
      }
      let line = ["why": "changed-key", "detail": "expected the key of \(anna.nodeID), saw none"]
      try await pi.log.line("stream-refused", with: line)
    }
  }

  /// What a stranger's device announces is not the key that it has.
  @Test func theAnnouncedIDIsNotTheKeys() async throws {
    let (pi, mallory) = (try Character("pi"), try Identity.generate(name: "mallory"))
    let (link, lair) = (Link(), try await ScriptedListener())
    let announced = try Identity.generate(name: "somebody").nodeID
    try await Nodes.run([pi], on: link) { nodes in
      link.haunt(Self.lamp, port: lair.port, id: announced.description)
      _ = await nodes[0].awaitOnline("lamp@phone")
      async let failure = Self.failure { try await nodes[0].fetch(Self.lamp) }
      let dialled = try await lair.accept()
      try await dialled.answerSecurely(as: "lamp@phone", with: mallory)
      let error = await failure
      #expect(error?.code == .changed)
      for id in [announced, mallory.nodeID] { #expect(error?.message.contains(id.description) == true, "\(error!)") }
      #expect(!(try await dialled.expectClose()).contains("<iq"))
      #expect(nodes[0].device(Self.lamp)?.standing.word == "CHANGED")
      #expect(nodes[0].status().streams == 0)
      try await pi.log.line(
        "stream-refused", with: ["why": "announced-key", "jid": "lamp@phone", "node": mallory.nodeID.description])
    }
    try await lair.close()
  }

  // MARK: Dates

  private static let dates = [
    "expired": Validity(from: "19700101000000Z", until: "19710101000000Z"),
    "not yet valid": Validity(from: "29990101000000Z", until: "99991231235959Z"),
  ]

  @Test(arguments: dates.keys.sorted()) func datesDecideNothing(_ date: String) async throws {
    let identity = try Identity.generate(name: "anna", validity: Self.dates[date]!)
    let anna = try Character("phone", identity: identity)
    let pi = try Character("pi", friends: [.init("anna", identity)])
    let (callers, link) = (Callers(), Link())
    try await Nodes.run([pi, anna], on: link) { nodes in
      try await nodes[0].serve(try .noting(callers, "house", .friends))
      try await nodes[1].serve(try Door("lamp", .public))
      for node in nodes { _ = try #require(await node.awaitOnline("house@pi")) }
      // It to us, and we to it.
      _ = try await nodes[1].fetch(JID("house@pi")!)
      _ = await nodes[0].awaitOnline("lamp@phone")
      _ = try await nodes[0].fetch(Self.lamp)
      #expect(nodes[0].device(Self.lamp)?.standing == .friend(try Petname("anna")))
      // With a new certificate for the same key.
      try await nodes[0].visited(by: identity.renamed("other"), to: "house@pi") { peer in
        let answer = try await peer.ask()
        #expect(answer.contains("statusCode='200'"))
      }
    }
    #expect(callers.all.map(\.id) == [anna.id, anna.id])
    #expect(callers.all.map(\.standing) == [.friend(try Petname("anna")), .friend(try Petname("anna"))])
  }

  // MARK: Support

  /// The friends as the store has them, byte for byte.
  private static func entries(_ book: FriendBook) throws -> String {
    let text = String(decoding: try book.encoded(), as: UTF8.self)
    let start = try #require(text.firstRange(of: "\"friends\" : [")).lowerBound
    let end = try #require(text[start...].firstRange(of: "\n  ]")).upperBound
    return String(text[start..<end])
  }

  static func failure<Value>(_ body: () async throws -> Value) async -> MeshError? {
    do {
      _ = try await body()
      return nil
    } catch {
      #expect(error is MeshError, "\(error)")
      return error as? MeshError
    }
  }
}
