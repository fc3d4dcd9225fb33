import Codecs
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

/// The devices of a node are reached over one stream, and each is judged by itself.
@Suite(.timeLimit(.minutes(1))) struct SharedStreamTests {
  /// Says its own name.
  private static func named(_ name: String) throws -> Door {
    try Door(name, .public) { _, _, send in
      try await send(HTTPXResponse(HTTPResponse(status: .ok), body: Body(ByteBuffer(string: name))))
    }
  }

  @Test func tenDevicesOfANodeShareOneStream() async throws {
    let names = (0..<10).map { "lamp\($0)" }
    try await Nodes.run(["laptop", "pi"]) { nodes in
      for name in names {
        try await nodes[1].serve(try Self.named(name))
        _ = try #require(await nodes[0].awaitOnline("\(name)@pi"))
      }
      // Cold: all at once.
      try await withThrowingTaskGroup(of: Void.self) { group in
        for name in names {
          group.addTask {
            let answer = try await nodes[0].fetch(JID("\(name)@pi")!)
            #expect(answer == ByteBuffer(string: name))
          }
        }
        try await group.waitForAll()
      }
      #expect(nodes[0].status().streams == 1)
      // Warm, with a body that goes beside the stanzas.
      try await nodes[1].serve(try Door("echo", .public))
      _ = try #require(await nodes[0].awaitOnline("echo@pi"))
      let body = ByteBuffer(repeating: 7, count: 300_000)
      let answer = try await nodes[0].fetch(JID("echo@pi")!, .make(.put, body: Body(body)))
      #expect(answer == body)
      #expect(nodes[0].status().streams == 1)
    }
  }

  /// As many uploads as a stream takes at once: their blocks wait for the socket, which is not filled with all windows. Who is
  /// one too many is told so, and the stream goes on.
  @Test func uploadsAtOnceDoNotBreakTheStream() async throws {
    try await Nodes.run(["laptop", "pi"]) { nodes in
      try await nodes[1].serve(
        try Door("sink", .public) { request, _, send in
          var count = 0
          for try await part in request.body { count += part.readableBytes }
          try await send(HTTPXResponse(HTTPResponse(status: .ok), body: Body(ByteBuffer(string: "\(count)"))))
        })
      let sink = try #require(await nodes[0].awaitOnline("sink@pi")).jid
      let body = ByteBuffer(repeating: 7, count: 400_000)
      let failures = await withTaskGroup(of: MeshError.Code?.self) { group in
        for _ in 0..<160 {
          group.addTask {
            do {
              let answer = try await nodes[0].fetch(sink, .make(.put, body: Body(body)))
              #expect(answer == ByteBuffer(string: "400000"))
              return nil
            } catch {
              return (error as? MeshError)?.code ?? .protocolError
            }
          }
        }
        return await group.reduce(into: [MeshError.Code?: Int]()) { $0[$1, default: 0] += 1 }
      }
      #expect(failures.keys.allSatisfy { $0 == nil || $0 == .limit }, "\(failures)")
      #expect(failures[nil, default: 0] >= 64, "\(failures)")
      #expect(nodes[0].status().streams == 1)
    }
  }

  /// What was meant for a device that the node has taken back is not for the one that the stream was opened to.
  @Test func whatIsGoneIsNotMistakenForAnother() async throws {
    try await Nodes.run(["laptop", "pi"]) { nodes in
      try await nodes[1].serve(try Self.named("tv"), try Self.named("lamp"))
      let (tv, lamp) = (JID("tv@pi")!, JID("lamp@pi")!)
      for jid in [tv, lamp] { _ = try #require(await nodes[0].awaitOnline(jid.text)) }
      _ = try await nodes[0].fetch(tv)
      // Not announced any more over there, and the goodbye has not come.
      let route = try nodes[0].route(to: lamp)
      #expect(nodes[1].unserve("lamp"))
      let error = await #expect(throws: MeshError.self) {
        try await nodes[0].send(.make(), along: route) { _ in Issue.record("another device answered") }
      }
      #expect(error?.code == .notHTTP)
      _ = await nodes[0].awaitDevice { $0.jid == lamp && $0.state == .gone }
      let later = await #expect(throws: MeshError.self) { try await nodes[0].fetch(lamp) }
      #expect(later?.code == .away)
    }
  }

  /// One device of a node is another friend's by its name: its node's stream is not for it.
  @Test func aDeviceThatIsPinnedToAnotherFriendIsRefused() async throws {
    let (anna, bob) = (try Identity.generate(name: "anna"), try Character("pi"))
    let laptop = try Character(
      "laptop", friends: [.init("anna", anna, devices: ["lamp@pi"]), .init("bob", bob.identity)])
    try await Nodes.run([laptop, bob]) { nodes in
      try await nodes[1].serve(try Self.named("tv"), try Self.named("lamp"))
      let (tv, lamp) = (JID("tv@pi")!, JID("lamp@pi")!)
      for jid in [tv, lamp] { _ = try #require(await nodes[0].awaitOnline(jid.text)) }
      _ = try await nodes[0].fetch(tv)
      for _ in 1...2 {
        let error = await #expect(throws: MeshError.self) { try await nodes[0].fetch(lamp) }
        #expect(error?.code == .changed)
      }
      #expect(nodes[0].device(lamp)?.standing == .changed(expected: anna.nodeID, seen: bob.id))
      #expect(try await nodes[0].fetch(tv) == ByteBuffer(string: "tv"))
      #expect(nodes[0].status().streams == 1)
    }
  }

  /// Each device that is asked over the stream belongs to the friend, also those that the stream was not opened to.
  @Test func allDevicesThatAreAskedArePinned() async throws {
    let bob = try Character("pi")
    let laptop = try Character("laptop", friends: [.init("bob", bob.identity)])
    try await Nodes.run([laptop, bob]) { nodes in
      try await nodes[1].serve(try Self.named("tv"), try Self.named("lamp"))
      let events = laptop.trustService.events()
      for name in ["tv@pi", "lamp@pi"] {
        _ = try #require(await nodes[0].awaitOnline(name))
        _ = try await nodes[0].fetch(JID(name)!)
        _ = await events.first { if case .pinned(JID(name)!, _)? = $0 { true } else { false } }
      }
      #expect(laptop.trustService.current.friend(bob.id)?.devices == [JID("tv@pi")!, JID("lamp@pi")!])
      #expect(nodes[0].status().streams == 1)
    }
  }

  @Test(arguments: ["here", "there"]) func theNextRequestIsJudgedAnew(_ place: String) async throws {
    let (laptop, pi) = (try Identity.generate(name: "laptop"), try Identity.generate(name: "pi"))
    let characters = [
      try Character("laptop", identity: laptop, friends: [.init("pi", pi)]),
      try Character("pi", identity: pi, friends: [.init("laptop", laptop)]),
    ]
    try await Nodes.run(characters) { nodes in
      let (tv, lamp) = (JID("tv@pi")!, JID("lamp@pi")!)
      try await nodes[1].serve(try Door("tv", .friends), try Door("lamp", .friends))
      for jid in [tv, lamp] {
        _ = try #require(await nodes[0].awaitOnline(jid.text))
        _ = try await nodes[0].fetch(jid)
      }
      #expect(nodes[0].status().streams == 1)
      switch place {
      case "here": try await characters[0].trustService.block("pi")
      default: try await characters[1].trustService.remove("laptop")
      }
      for jid in [lamp, tv] {
        let error = await #expect(throws: MeshError.self) { try await nodes[0].fetch(jid) }
        #expect(error?.code == .forbidden)
      }
      if place == "here" { #expect(nodes[0].device(lamp)?.standing == .blocked) }
    }
  }

  #if DEBUG
    @Test func aWarmRequestTakesOneLockOfTheDirectory() async throws {
      try await Nodes.run(["laptop", "pi"]) { nodes in
        try await nodes[1].serve(try Self.named("tv"))
        let tv = JID("tv@pi")!
        _ = try #require(await nodes[0].awaitOnline("tv@pi"))
        _ = try await nodes[0].fetch(tv)
        let before = nodes[0].directory.locks.load(ordering: .relaxed)
        for _ in 1...10 { _ = try await nodes[0].fetch(tv) }
        #expect(nodes[0].directory.locks.load(ordering: .relaxed) - before == 10)
      }
    }
  #endif
}
