package import NIOCore
import NIOPosix

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A peer that says what a test makes it say, byte for byte, over TCP on loopback.
package final class ScriptedPeer: Sendable {
  package let transcript: Transcript
  private let channel: any Channel

  fileprivate init(_ channel: any Channel, _ transcript: Transcript) {
    self.channel = channel
    self.transcript = transcript
  }

  package static func connect(to port: Int) async throws -> ScriptedPeer {
    let transcript = Transcript()
    let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .channelOption(.allowRemoteHalfClosure, value: true)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(Listening(transcript))
        }
      }
      .connect(host: "127.0.0.1", port: port).get()
    return ScriptedPeer(channel, transcript)
  }

  // MARK: What it says

  package func send(_ text: String) async throws {
    try await send(ByteBuffer(string: text))
  }

  package func send(_ bytes: ByteBuffer) async throws {
    try await channel.writeAndFlush(bytes)
  }

  /// Sends without waiting until it is sent, for a listener that may have hung up.
  package func blurt(_ bytes: ByteBuffer) {
    channel.writeAndFlush(bytes, promise: nil)
  }

  /// Takes nothing more from the socket, as a peer that hangs or lost the network.
  package func stopListening() async throws {
    try await channel.setOption(.autoRead, value: false).get()
  }

  package func listenAgain() async throws {
    try await channel.setOption(.autoRead, value: true).get()
  }

  /// FIN, and reads on.
  package func endOutput() async throws {
    try await channel.close(mode: .output)
  }

  package func hangUp() async throws {
    try await channel.close()
  }

  /// RST.
  package func reset() async throws {
    try await (channel as? any SocketOptionProvider)?.setSoLinger(linger(l_onoff: 1, l_linger: 0)).get()
    try await channel.close()
  }

  // MARK: What it hears

  @discardableResult
  package func expect(_ text: String, within limit: Duration = .seconds(10)) async throws -> String {
    try await transcript.expect(text, within: limit)
  }

  /// Waits for the end of the connection, and gives what came before it.
  @discardableResult
  package func expectClose(within limit: Duration = .seconds(10)) async throws -> String {
    try await transcript.expectClose(within: limit)
  }

  /// Bytes that came, ever.
  package var heard: Int { transcript.total }
}

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
        channel.eventLoop.makeCompletedFuture {
          let transcript = Transcript()
          try channel.pipeline.syncOperations.addHandler(Listening(transcript))
          continuation.yield(ScriptedPeer(channel, transcript))
        }
      }
      .bind(host: "127.0.0.1", port: 0).get()
  }

  package var port: Int { channel.localAddress?.port ?? 0 }

  /// The next one that connects.
  package func accept(within limit: Duration = .seconds(10)) async throws -> ScriptedPeer {
    try await withThrowingTaskGroup(of: ScriptedPeer.self) { group in
      defer { group.cancelAll() }
      group.addTask {
        for await peer in self.peers { return peer }
        throw CancellationError()
      }
      group.addTask {
        try await Task.sleep(for: limit)
        throw Transcript.Failure("Nobody connected.")
      }
      return try await group.next()!
    }
  }

  package func close() async throws {
    try await channel.close()
  }
}

private final class Listening: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  private let transcript: Transcript

  init(_ transcript: Transcript) {
    self.transcript = transcript
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    transcript.append(unwrapInboundIn(data).readableBytesView)
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if event as? ChannelEvent == .inputClosed { transcript.close() }
    context.fireUserInboundEventTriggered(event)
  }

  func channelInactive(context: ChannelHandlerContext) {
    transcript.close()
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    context.close(promise: nil)
  }
}
