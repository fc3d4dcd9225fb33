import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import TLS

/// Writes a long pattern while the channel takes it, and checks the one that comes. Done when both are through.
final class Streamer: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  static let total = 64 << 20
  private static let part = 48 << 10
  /// Longer than what is read at once by a whole part, so that any piece can be compared with a slice of it.
  private static let pattern: ByteBuffer = {
    let part = ByteBuffer(bytes: (0..<Streamer.part).lazy.map { UInt8(truncatingIfNeeded: $0 &* 167 &+ $0 >> 8) })
    var all = ByteBuffer()
    for _ in 0..<3 { all.writeImmutableBuffer(part) }
    return all
  }()

  struct Different: Error { let position: Int }

  private let done: EventLoopPromise<Void>
  /// Told once, how much was written, when the channel takes no more.
  private var stopped: EventLoopPromise<Int>?
  private var written = 0
  private var read = 0

  init(done: EventLoopPromise<Void>, stopped: EventLoopPromise<Int>? = nil) {
    self.done = done
    self.stopped = stopped
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if event is TLSEvent { write(context) }
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    write(context)
  }

  private func write(_ context: ChannelHandlerContext) {
    while context.channel.isWritable, written < Self.total {
      let length = min(Self.part, Self.total - written)
      guard let bytes = Self.pattern.getSlice(at: 0, length: length) else { return }
      written += length
      context.writeAndFlush(NIOAny(bytes), promise: nil)
    }
    if !context.channel.isWritable {
      stopped?.succeed(written)
      stopped = nil
    }
    finish()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let bytes = unwrapInboundIn(data)
    let expected = Self.pattern.getSlice(at: read % Self.part, length: bytes.readableBytes)
    guard bytes == expected else {
      done.fail(Different(position: read))
      return
    }
    read += bytes.readableBytes
    finish()
  }

  private func finish() {
    if written == Self.total, read == Self.total { done.succeed() }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    done.fail(error)
  }

  func channelInactive(context: ChannelHandlerContext) {
    done.fail(ChannelError.eof)
    stopped?.fail(ChannelError.eof)
  }

  static func dial(_ port: Int, _ configuration: TLSConfiguration) async throws -> EventLoopFuture<Void> {
    try await dialAndStop(port, configuration).done
  }

  static func dialAndStop(
    _ port: Int, _ configuration: TLSConfiguration
  ) async throws -> (done: EventLoopFuture<Void>, stopped: EventLoopFuture<Int>) {
    let loop = MultiThreadedEventLoopGroup.singleton.next()
    let (done, stopped) = (loop.makePromise(of: Void.self), loop.makePromise(of: Int.self))
    _ = try await ClientBootstrap(group: loop)
      .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 64 << 10))
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandlers(
            [TLSHandler(configuration), Streamer(done: done, stopped: stopped)] as [any ChannelHandler])
        }
      }
      .connect(host: "127.0.0.1", port: port).get()
    return (done.futureResult, stopped.futureResult)
  }
}

/// Accepts one connection with a streamer at its end.
struct StreamerServer: Sendable {
  let port: Int
  let streamers: AsyncStream<EventLoopFuture<Void>>
  private let channel: any Channel
  private let accepted: Accepted

  private final class Accepted: Sendable {
    let channel = Mutex<(any Channel)?>(nil)
  }

  /// `isPaused`: reads nothing once TLS is there, until it is resumed.
  init(_ configuration: TLSConfiguration, isPaused: Bool = false) async throws {
    let (streamers, continuation) = AsyncStream.makeStream(of: EventLoopFuture<Void>.self)
    self.streamers = streamers
    let accepted = Accepted()
    self.accepted = accepted
    channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .childChannelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 64 << 10))
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          let done = channel.eventLoop.makePromise(of: Void.self)
          accepted.channel.withLock { $0 = channel }
          let pipeline = channel.pipeline.syncOperations
          try pipeline.addHandler(TLSHandler(configuration))
          if isPaused { try pipeline.addHandler(Pause()) }
          try pipeline.addHandler(Streamer(done: done))
          continuation.yield(done.futureResult)
        }
      }
      .bind(host: "127.0.0.1", port: 0).get()
    port = try #require(channel.localAddress?.port)
  }

  func resume() async throws {
    let channel = try #require(accepted.channel.withLock { $0 })
    try await channel.setOption(.autoRead, value: true).get()
  }

  func close() async throws {
    accepted.channel.withLock { $0 }?.close(promise: nil)
    try await channel.close()
  }
}

/// Stops reading as soon as the handshake is done.
private final class Pause: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if event is TLSEvent { _ = try? context.channel.syncOptions?.setOption(.autoRead, value: false) }
    context.fireUserInboundEventTriggered(event)
  }
}
