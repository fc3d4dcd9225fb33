import NIOCore
import NIOPosix
import Testing

@testable import Streams

/// What the kernel says of real connections, and is told of them.
@Suite(.timeLimit(.minutes(2))) struct ConnectionInfoTests {
  /// Counts what comes.
  private final class Counter: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private var missing: Int
    private let all: EventLoopPromise<Void>

    init(_ bytes: Int, _ all: EventLoopPromise<Void>) {
      missing = bytes
      self.all = all
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      missing -= unwrapInboundIn(data).readableBytes
      if missing == 0 { all.succeed() }
    }

    /// Nobody waits any more.
    func channelInactive(context: ChannelHandlerContext) { all.fail(ChannelError.eof) }
  }

  /// Two ends of a connection on loopback; `arrived` succeeds when the second has this many bytes.
  private static func connected(
    expecting bytes: Int = 1, _ body: (any Channel, any Channel, _ arrived: EventLoopFuture<Void>) async throws -> Void
  ) async throws {
    let loop = MultiThreadedEventLoopGroup.singleton.any()
    let (accepted, arrived) = (loop.makePromise(of: (any Channel).self), loop.makePromise(of: Void.self))
    let server = try await ServerBootstrap(group: loop)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(Counter(bytes, arrived))
          accepted.succeed(channel)
        }
      }
      .bind(host: "127.0.0.1", port: 0).get()
    let first = try await ClientBootstrap(group: loop).connect(to: server.localAddress!).get()
    let second = try await accepted.futureResult.get()
    try await body(first, second, arrived.futureResult)
    for channel in [first, second, server] { try? await channel.close() }
  }

  private static func progress(of channel: any Channel) async throws -> ConnectionProgress {
    try #require(try await channel.eventLoop.submit { channel.connectionProgress }.get())
  }

  @Test func whatIsSentMovesBothEnds() async throws {
    let bytes = 300_000
    try await Self.connected(expecting: bytes) { sender, receiver, arrived in
      let (sent, received) = (try await Self.progress(of: sender), try await Self.progress(of: receiver))
      try await sender.writeAndFlush(ByteBuffer(repeating: 1, count: bytes))
      try await arrived.get()
      // The kernel acknowledges once it is read.
      var now = try await Self.progress(of: sender)
      while now.acknowledged < sent.acknowledged + UInt64(bytes) { now = try await Self.progress(of: sender) }
      #expect(now.acknowledged == sent.acknowledged + UInt64(bytes))
      #expect(now.received == sent.received && now.sent > sent.sent)
      let then = try await Self.progress(of: receiver)
      #expect(then.received - received.received >= now.sent - now.repeated && then.sent == received.sent)
      #expect(then.acknowledged == received.acknowledged)
      #expect(now.hasMoved(since: sent) && then.hasMoved(since: received))
      for end in [now, then] { #expect(!end.isLossy && (.zero...(.seconds(5))).contains(end.sinceLastSegment)) }
    }
  }

  /// Data that acknowledges nothing new is a sign as well as an acknowledgement.
  @Test func theLastSegmentIsTheLastOfAnyKind() async throws {
    try await Self.connected { sender, receiver, arrived in
      // The kernel tells ages only.
      try await sender.eventLoop.scheduleTask(in: .milliseconds(200)) {}.futureResult.get()
      let sent = NIODeadline.now()
      try await sender.writeAndFlush(ByteBuffer(repeating: 1, count: 1))
      try await arrived.get()
      for end in [sender, receiver] {
        let age = try await Self.progress(of: end).sinceLastSegment
        #expect(age <= .now() - sent + .milliseconds(20))
      }
    }
  }

  @Test func pausesAreShort() async throws {
    try await Self.connected { channel, _, _ in
      try await channel.eventLoop.submit { channel.shortenPauses() }.get()
      let socket = try #require(channel as? any SocketOptionProvider)
      func value(_ option: NIOBSDSocket.Option) async throws -> CInt {
        try await socket.unsafeGetSocketOption(level: .tcp, name: option).get()
      }
      #expect(try await value(.userTimeout) == 300_000)
      #expect(try await value(.linearPauses) == 1)
      // A kernel before Linux 6.15 does not know it.
      if let longest = try? await value(.longestPause) { #expect(longest == 2000) }
    }
  }
}
