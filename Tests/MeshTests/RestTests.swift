import CMalloc
import Foundation
import Mesh
import NIOPosix
import TLS
import TestKit
import Testing

/// What becomes of memory once streams have ended on which nobody asked for anything.
@Suite(.timeLimit(.minutes(3))) struct RestTests {
  /// Strangers with open streams at once: as many as a node takes from four addresses.
  private static let streams = 120

  @Test(
    .enabled(
      if: ProcessInfo.processInfo.environment["HEARTH_MEMORY_TESTS"] != nil,
      "measures the whole process: scripts/test runs it alone"))
  func memoryComesBackAfterStreamsWithoutRequests() async throws {
    let (rests, rest) = AsyncStream.makeStream(of: Void.self)
    let node = try Node(
      configuration: NodeConfiguration(name: "node", machine: "pi", port: nil, version: "test"),
      trustService: try Character("pi").trustService, discovery: Link().join(),
      eventLoopGroup: MultiThreadedEventLoopGroup.singleton, logger: .silent,
      whenQuiet: {
        CMalloc_trim()
        rest.yield()
      })
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await node.run() }
      try await node.waitUntilReady()
      let identity = try Identity.generate(name: "stranger")
      try await Self.storm(node.status().port, identity, streams: 1)
      for await _ in rests { break }
      let before = try residentBytes()
      let peak = try await Self.storm(node.status().port, identity, streams: Self.streams)
      for await _ in rests { break }
      let after = try residentBytes()
      FileHandle.standardError.write(
        Data("streams without requests: \(before >> 10) KiB, at the peak \(peak >> 10), at rest \(after >> 10)\n".utf8))
      #expect(peak - before > 2 << 20, "the storm was none")
      #expect(after - before < (peak - before) / 2)
      group.cancelAll()
    }
  }

  /// They open streams, have pings answered, and go away; what was resident before they did.
  @discardableResult
  private static func storm(_ port: Int, _ identity: Identity, streams: Int) async throws -> Int {
    var peers: [ScriptedPeer] = []
    for number in 0..<streams {
      let peer = try await ScriptedPeer.connect(to: port, from: "127.0.3.\(number % 4 + 1)")
      try await peer.secure(as: identity, from: nil, to: "node@pi")
      try await peer.ping()
      peers.append(peer)
    }
    let peak = try residentBytes()
    for peer in peers { peer.disappear() }
    return peak
  }
}
