import Glibc
import HTTPX
import LinkLocal
import Mesh
import NIOCore
import NIOPosix
import TestKit
import Testing
import Trust
import XMPP

/// The beginning and the end of a node, in good order and in bad.
@Suite(.timeLimit(.minutes(2))) struct NodeLifeTests {
  private static func node(_ machine: String, on link: Link, port: Int? = nil) throws -> Node {
    try .make(machine, try .fresh(machine), on: link, port: port)
  }

  @Test func aNodeThatNeverRunsIsNoTrouble() throws {
    _ = try Self.node("pi", on: Link())
  }

  /// Whatever an owner wants of a device that nobody knows: where nothing is heard of, the reason is told.
  @Test func withoutDiscoveryEachVerbSaysWhy() async throws {
    let node = try Self.node("pi", on: Link())
    let jid = try #require(JID("lamp@attic"))
    let owner = OwnerActions(of: node, requiringNames: false)
    let line = "httpx://lamp@attic/invite/\(node.trustService.id)/qqh4yup52nwkq42qi6vn5kz2bm"
    let verbs: [@Sendable () async throws -> Void] = [
      { _ = try node.route(to: jid) },
      { _ = try await node.report(of: jid) },
      { _ = try await owner.ask(jid, petname: nil, greeting: nil) },
      { try await owner.befriend(jid, petname: nil) },
      { try await owner.befriend(jid, appearing: .shown(id: "x"), petname: nil) },
      { _ = try await node.join(InviteLine(line), petname: nil) },
    ]
    for verb in verbs {
      let error = await #expect(throws: MeshError.self) { try await verb() }
      #expect(error?.code == .notDiscovered && error?.message.contains("none is heard of: not started") == true)
    }
  }

  @Test func aPortThatIsTakenEndsTheRun() async throws {
    let link = Link()
    let squatter = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .bind(host: "::", port: 0).get()
    let port = try #require(squatter.localAddress?.port)
    let node = try Self.node("pi", on: link, port: port)
    await #expect(throws: NodeError.cannotListen(port: port, code: EADDRINUSE)) { try await node.run() }
    await #expect(throws: (any Error).self) { try await node.waitUntilReady() }
    // Nobody is left to wait for.
    await #expect(throws: MeshError.self) { _ = try await node.fetch(JID("lamp@attic")!) }
    try await squatter.close()
  }

  @Test func goodbyeComesFirstAndThreeSecondsAreEnough() async throws {
    let link = Link()
    try await Nodes.run(["laptop"], on: link) { nodes in
      let pi = try Self.node("pi", on: link)
      pi.serve(.echo())
      let device = try await ScriptedDevice(on: link)
      let start = try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await pi.run() }
        try await pi.waitUntilReady()
        _ = await nodes[0].awaitOnline("echo@pi")
        // One of laptop's streams; one that came in from a peer that never answers the end tag; one that is being dialled.
        _ = try await nodes[0].fetch(JID("echo@pi")!)
        let mute = try await ScriptedPeer.connect(to: pi.status().port)
        try await mute.greet()
        group.addTask { _ = try? await pi.fetch(ScriptedDevice.jid) }
        _ = try await device.listener.accept()
        group.cancelAll()
        try await mute.expect("</stream:stream>")
        // Gone from the link before the stream ends: the goodbye was first.
        #expect(!link.lists("echo@pi"))
        _ = await nodes[0].awaitDevice { $0.jid.text == "echo@pi" && $0.state == .gone }
        return ContinuousClock.now
      }
      #expect(ContinuousClock.now - start < .seconds(3))
    }
  }

  private static func watchBriefly(_ node: Node) async {
    await withTaskGroup(of: Void.self) { group in
      let (seen, eye) = AsyncStream.makeStream(of: Void.self)
      group.addTask { for await _ in node.deviceChanges() { eye.yield() } }
      _ = await seen.first { _ in true }
      group.cancelAll()
    }
  }

  /// A watch that ends while devices change must not stop the node.
  @Test(.timeLimit(.minutes(1))) func watchesEndWhileDevicesChange() async throws {
    let link = Link()
    try await Nodes.run(["pi"], on: link) { nodes in
      let node = nodes[0]
      await withTaskGroup(of: Void.self) { group in
        group.addTask {
          var port = 0
          while !Task.isCancelled {
            port = port % 60000 + 1
            link.haunt(JID("lamp@attic")!, port: port)
            _ = await node.awaitDevice { $0.endpoints.contains { $0.port == port } }
          }
        }
        await withTaskGroup(of: Void.self) { watchers in
          for _ in 1...4 {
            watchers.addTask {
              for _ in 1...2000 { await Self.watchBriefly(node) }
            }
          }
        }
        group.cancelAll()
      }
      #expect(node.device(JID("lamp@attic")!) != nil)
    }
  }

  @Test func whatWaitsForADialFailsWhenTheNodeStops() async throws {
    let link = Link()
    let pi = try Self.node("pi", on: link)
    let device = try await ScriptedDevice(on: link)
    let running = Task { try await pi.run() }
    try await pi.waitUntilReady()
    link.haunt(ScriptedDevice.jid, port: device.listener.port)
    _ = await pi.awaitOnline("lamp@attic")
    let waiting = Task { try await pi.fetch(ScriptedDevice.jid) }
    _ = try await device.listener.accept()
    running.cancel()
    await #expect(throws: MeshError.self) { _ = try await waiting.value }
    try await running.value
    await #expect(throws: MeshError.self) { _ = try await pi.fetch(ScriptedDevice.jid) }
  }

  @Test func refusedAndUnknownAndSilentDevicesHaveTheirOwnErrors() async throws {
    let link = Link()
    try await Nodes.run(["laptop"], on: link) { nodes in
      await Self.expect(.notDiscovered, nodes[0], JID("nobody@nowhere")!)
      // A port that was free a moment ago.
      let listener = try await ScriptedListener()
      let port = listener.port
      try await listener.close()
      link.haunt(JID("off@attic")!, port: port)
      _ = await nodes[0].awaitOnline("off@attic")
      await Self.expect(.refused, nodes[0], JID("off@attic")!)
      #expect(nodes[0].device(JID("off@attic")!)?.state == .away)
      // Somebody hangs up at once, as chat programs do that do not know us.
      let rude = try await ScriptedListener()
      link.haunt(JID("rude@attic")!, port: rude.port)
      _ = await nodes[0].awaitOnline("rude@attic")
      async let failure: Void = Self.expect(.connectionLost, nodes[0], JID("rude@attic")!)
      try await rude.accept().hangUp()
      await failure
    }
  }

  private static func expect(
    _ code: MeshError.Code, _ node: Node, _ jid: JID, _ location: SourceLocation = #_sourceLocation
  ) async {
    do {
      _ = try await node.fetch(jid)
      Issue.record("“\(jid)” answered", sourceLocation: location)
    } catch {
      #expect((error as? MeshError)?.code == code, "\(error)", sourceLocation: location)
    }
  }
}
