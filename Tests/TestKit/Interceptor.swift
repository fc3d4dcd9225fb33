package import NIOCore
import NIOPosix
import Synchronization

/// One in the middle of a connection: takes it, makes another to a port of this machine, and carries bytes between them, as
/// they are or changed. It hears all of it.
package final class Interceptor: Sendable {
  package enum Direction: Sendable { case there, back }

  /// Gives what is passed on instead.
  package typealias Edit = @Sendable (Direction, ByteBuffer) -> ByteBuffer

  private let channel: any Channel
  private let heard: Heard

  private final class Heard: Sendable {
    let there = Mutex<[UInt8]>([])
    let back = Mutex<[UInt8]>([])

    func of(_ direction: Direction) -> [UInt8] {
      switch direction {
      case .there: there.withLock { $0 }
      case .back: back.withLock { $0 }
      }
    }

    func append(_ bytes: ByteBuffer, _ direction: Direction) {
      switch direction {
      case .there: there.withLock { $0 += bytes.readableBytesView }
      case .back: back.withLock { $0 += bytes.readableBytesView }
      }
    }
  }

  package init(before port: Int, edit: @escaping Edit = { $1 }) async throws {
    let heard = Heard()
    self.heard = heard
    channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      // Nothing is read before there is somewhere to write it.
      .childChannelOption(.autoRead, value: false)
      .childChannelInitializer { near in
        ClientBootstrap(group: near.eventLoop)
          .channelOption(.autoRead, value: false)
          .connect(host: "127.0.0.1", port: port)
          .flatMapThrowing { far in
            let carry = { (direction: Direction) in
              { @Sendable (bytes: ByteBuffer) in
                heard.append(bytes, direction)
                return edit(direction, bytes)
              }
            }
            try splice(near, far, there: carry(.there), back: carry(.back))
          }
      }
      .bind(host: "127.0.0.1", port: 0).get()
  }

  package var port: Int { channel.localAddress?.port ?? 0 }

  /// All that was said so far in one direction, before it was changed.
  package func heard(_ direction: Direction) -> String {
    String(decoding: heard.of(direction), as: UTF8.self)
  }

  package func close() async throws {
    try await channel.close()
  }
}

/// On the event loop of both. Neither reads before.
private func splice(
  _ near: any Channel, _ far: any Channel, there: @escaping Carrier.Edit = { $0 },
  back: @escaping Carrier.Edit = { $0 }
) throws {
  try near.pipeline.syncOperations.addHandler(Carrier(to: far, there))
  try far.pipeline.syncOperations.addHandler(Carrier(to: near, back))
  for channel in [near, far] { try channel.syncOptions?.setOption(.autoRead, value: true) }
}

extension ScriptedPeer {
  /// Gives the connection to whoever listens at a port of this machine; `last` is said before.
  package func handOver(to port: Int, behind last: String) async throws {
    let near = channel
    try await near.setOption(.autoRead, value: false).get()
    _ = try await ClientBootstrap(group: near.eventLoop)
      .channelOption(.autoRead, value: false)
      .connect(host: "127.0.0.1", port: port)
      .flatMapThrowing { far in
        near.writeAndFlush(ByteBuffer(string: last), promise: nil)
        try splice(near, far)
      }
      .get()
  }
}

/// Takes what comes to where it goes.
private final class Carrier: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias Edit = @Sendable (ByteBuffer) -> ByteBuffer

  private let other: any Channel
  private let edit: Edit

  init(to other: any Channel, _ edit: @escaping Edit) {
    self.other = other
    self.edit = edit
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    other.writeAndFlush(edit(unwrapInboundIn(data)), promise: nil)
  }

  func channelInactive(context: ChannelHandlerContext) {
    other.close(promise: nil)
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    context.close(promise: nil)
  }
}

extension ByteBuffer {
  /// With each `old` taken out, and `new` in its place.
  package func replacing(_ old: String, with new: String) -> ByteBuffer {
    ByteBuffer(bytes: Array(readableBytesView).replacing(Array(old.utf8), with: Array(new.utf8)))
  }
}

/// Changes the first byte of what begins like this, on its way to the socket.
package final class Corruptor: ChannelOutboundHandler {
  package typealias OutboundIn = ByteBuffer
  package typealias OutboundOut = ByteBuffer

  private let start: [UInt8]

  package init(_ start: [UInt8]) {
    self.start = start
  }

  package func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    var bytes = Array(unwrapOutboundIn(data).readableBytesView)
    if let range = bytes.firstRange(of: start) { bytes[range.lowerBound] ^= 1 }
    context.write(wrapOutboundOut(ByteBuffer(bytes: bytes)), promise: promise)
  }
}
