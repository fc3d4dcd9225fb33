import Foundation
import HTTPTypes
import HTTPX
import NIOCore
import Streams
import Synchronization
import TLS
import TestKit
import Testing
import Trust
import XMPP

@testable import Mesh

/// Nobody on the link takes more than its share of a node, and friends notice nothing.
@Suite(.timeLimit(.minutes(3))) struct ShareTests {
  private static func withFriend(
    _ doors: [Door], _ body: (_ pi: Node, _ friend: Node, _ stranger: Node) async throws -> Void
  ) async throws {
    let own = try Identity.generate(name: "laptop")
    let pi = try Character("pi", friends: [.init("laptop", own)])
    let laptop = try Character("laptop", identity: own)
    try await Nodes.run([pi, laptop, try Character("guest")]) { nodes in
      for door in doors { try await nodes[0].serve(door) }
      for node in nodes[1...] {
        for door in doors { _ = try #require(await node.awaitOnline("\(door.service.name)@pi")) }
      }
      try await body(nodes[0], nodes[1], nodes[2])
    }
  }

  /// 1,000 requests as fast as they go: a burst is answered, and the rest is told when to come back. The app is not asked.
  @Test func aStrangerHasARateOfRequests() async throws {
    let asked = Mutex(0)
    let door = try Door("house", .public) { _, caller, send in
      if case .stranger = caller.standing { asked.withLock { $0 += 1 } }
      try await send(HTTPXResponse(HTTPResponse(status: .ok)))
    }
    try await Self.withFriend([door]) { pi, friend, stranger in
      let house = JID("house@pi")!
      let start = ContinuousClock.now
      var heads: [HTTPResponse] = []
      for _ in 1...1000 {
        try await stranger.send(.make(), to: house) { heads.append($0.head) }
      }
      let seconds = (ContinuousClock.now - start) / .seconds(1)
      let refused = heads.filter { $0.status == .tooManyRequests }
      let answered = heads.count { $0.status == .ok }
      #expect(answered + refused.count == 1000)
      #expect(answered == asked.withLock { $0 })
      #expect(answered >= MeshLimits.requestBurst)
      #expect(Double(answered) <= Double(MeshLimits.requestBurst) + seconds / MeshLimits.requestInterval + 1)
      #expect(!refused.isEmpty)
      for head in refused {
        #expect(head.headerFields[.retryAfter] == "1")
        #expect(head.headerFields[.proxyStatus]?.hasPrefix("\"house@pi\"; error=http_request_denied") ?? false)
      }
      // It says nothing of the app.
      #expect(stranger.device(house)?.appFailure == nil)
      for _ in 1...1000 {
        try await friend.send(.make(), to: house) { #expect($0.head.status == .ok) }
      }
    }
  }

  /// Thirty strangers upload to an app that does not read: what they hold together stays in their quarter, and a friend is answered.
  @Test func strangersUploadsShareAQuarterOfTheMemory() async throws {
    let (gate, opened) = AsyncStream.makeStream(of: Void.self)
    let sink = try Door("sink", .public) { _, _, _ in for await _ in gate {} }
    try await Self.withFriend([sink, try Door("house", .friends)]) { pi, friend, _ in
      let limit = MemoryGuard(pi)
      let before = try residentBytes()
      let guests = try (1...30).map { try Identity.generate(name: "guest \($0)") }
      let peers = try await Self.upload(guests, to: pi) { peers in
        for _ in 1...20 {
          let start = ContinuousClock.now
          _ = try await friend.fetch(JID("house@pi")!)
          limit.note(ContinuousClock.now - start)
        }
      }
      #expect(limit.most <= 16 << 20, "\(limit.most) bytes")
      #expect(limit.most >= 12 << 20, "the strangers came to no limit: \(limit.most) bytes")
      let growth = try residentBytes() - before
      let text =
        "share: 30 uploads hold \(limit.most >> 10) KiB at most, the process has \(growth >> 10) KiB more, "
        + "a friend's request takes \(limit.median) in the median"
      FileHandle.standardError.write(Data((text + "\n").utf8))
      if ProcessInfo.processInfo.environment["HEARTH_MEMORY_TESTS"] != nil {
        #expect(growth < 128 << 20, "\(growth) bytes")
        #expect(limit.median < .milliseconds(50))
      }
      for peer in peers { peer.disappear() }
      opened.finish()
      try await eventually("held for strangers who are gone: \(pi.memory.held)") { pi.memory.held == (0, 0) }
    }
  }

  /// 3 MB each, in chunks, without minding any window.
  private static func upload(
    _ guests: [Identity], to pi: Node, _ meanwhile: ([ScriptedPeer]) async throws -> Void
  ) async throws -> [ScriptedPeer] {
    var peers: [ScriptedPeer] = []
    let part = String(repeating: "AAAA", count: 15_000)
    for (number, guest) in guests.enumerated() {
      let peer = try await ScriptedPeer.connect(to: pi.status().port, from: "127.0.3.\(number + 1)")
      try await peer.secure(as: guest, from: nil, to: "sink@pi")
      try await peer.send(
        "<iq type='set' id='up'><req xmlns='urn:xmpp:http' method='PUT' resource='/' version='1.1'>"
          + "<data><chunkedBase64 streamId='up'/></data></req></iq>")
      for nr in 0..<66 {
        peer.blurt(
          ByteBuffer(string: "<message><chunk xmlns='urn:xmpp:http' streamId='up' nr='\(nr)'>\(part)</chunk></message>")
        )
      }
      peers.append(peer)
    }
    try await meanwhile(peers)
    for peer in peers { try await peer.ping() }
    return peers
  }

  /// What strangers held at most, as often as somebody looked.
  private final class MemoryGuard: Sendable {
    private let node: Node
    private let state = Mutex((most: 0, times: [Duration]()))

    init(_ node: Node) { self.node = node }

    func note(_ time: Duration) {
      let held = node.memory.held.strangers
      state.withLock {
        $0.most = max($0.most, held)
        $0.times.append(time)
      }
    }

    var most: Int { state.withLock { $0.most } }
    var median: Duration { state.withLock { $0.times.sorted()[$0.times.count / 2] } }
  }
}
