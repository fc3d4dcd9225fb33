import NIOCore
import NIOPosix

/// Waits for peers to connect, each of which a script answers.
package final class ScriptedListener: Sendable {
  private let channel: any Channel
  private let peers: AsyncStream<ScriptedPeer>

  package init() async throws {
    let (peers, continuation) = AsyncStream.makeStream(of: ScriptedPeer.self)
    self.peers = peers
    channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .childChannelOption(.allowRemoteHalfClosure, value: true)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture { _ = continuation.yield(try ScriptedPeer(on: channel)) }
      }
      .bind(host: "127.0.0.1", port: 0).get()
  }

  package var port: Int { channel.localAddress?.port ?? 0 }

  /// The next one that connects.
  package func accept(within limit: Duration = .seconds(10)) async throws -> ScriptedPeer {
    try await within(limit, "Nobody connected.") {
      for await peer in self.peers { return peer }
      throw CancellationError()
    }
  }

  package func close() async throws {
    try await channel.close()
  }
}
