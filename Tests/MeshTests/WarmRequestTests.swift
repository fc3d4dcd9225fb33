import Codecs
import EventLoops
import HTTPTypes
import HTTPX
import NIOCore
import NIOPosix
import Synchronization
import TestKit
import Testing
import XMPP

@testable import Mesh

/// What a small request costs in wake-ups once everything about its device is known.
@Suite(.timeLimit(.minutes(2))) struct WarmRequestTests {
  /// Each test has the process to itself where suites run one after the other; others' jobs would be counted else.
  private static let requests = 100

  /// To the stream's loop and back: two, and none where the caller is on that loop. The answering node adds none, since its
  /// requests run on the loop of the stream that brought them.
  @Test func crossesToTheStreamAndBack() async throws {
    try #require(GlobalPool.count())
    try await Nodes.run(["laptop", "pi"]) { nodes in
      nodes[1].serve(
        .answering("lamp") { _, _, send in
          try await send(HTTPXResponse(HTTPResponse(status: .ok), body: Body(ByteBuffer(string: "on"))))
        })
      let device = try #require(await nodes[0].awaitOnline("lamp@pi"))
      for _ in 0..<3 { _ = try await nodes[0].fetch(device.jid) }
      for loop in MultiThreadedEventLoopGroup.singleton.makeIterator().prefix(2) {
        let (hops, jobs) = try await Self.count(on: loop) { _ = try await nodes[0].fetch(device.jid) }
        #expect(hops <= 2 * Self.requests, "a request crosses \(Double(hops) / Double(Self.requests)) times")
        #expect(jobs < Self.requests / 10, "the cooperative pool was given \(jobs) jobs")
      }
    }
  }

  /// Hops to loops, and jobs of the cooperative pool, while `request` is done so often by a task of this loop.
  private static func count(
    on loop: any EventLoop, _ request: @escaping @Sendable () async throws -> Void
  ) async throws -> (hops: Int, jobs: Int) {
    try await Task(executorPreference: LoopExecutor.of(loop)) {
      let (hops, jobs) = (LoopExecutor.enqueued.hops, GlobalPool.jobs)
      for _ in 0..<requests { try await request() }
      return (LoopExecutor.enqueued.hops - hops, GlobalPool.jobs - jobs)
    }.value
  }
}
