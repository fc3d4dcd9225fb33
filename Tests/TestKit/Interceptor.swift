package import NIOCore
import NIOPosix
import Synchronization

/// One in the middle of a connection: takes it, makes another to a port of this machine, and carries bytes between them, as
/// they are or changed. It hears all of it.
package final class Interceptor: Sendable {
  package enum Direction: Sendable { case there, back }

  /// Gives what is passed on instead.
  package typealias Edit = @Sendable (Direction, ByteBuffer) -> ByteBuffer

  /// What becomes of a connection.
  package enum Passage: Sendable {
    case open
    /// Taken, and nothing comes of it.
    case silent
    /// Closed at once.
    case closed
    /// Carried to another port.
    case to(Int)
  }

  private let channel: any Channel
  private let heard: Heard

  private final class Heard: Sendable {
    let there = Mutex<[UInt8]>([])
    let back = Mutex<[UInt8]>([])
    let connections = Mutex<[any Channel]>([])

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

  /// - Parameters:
  ///   - host: where it listens, and at which port; 0: any.
  ///   - isHeard: whether what passes is kept.
  ///   - hasHalves: whether the end of one direction leaves the other open.
  ///   - passage: what becomes of each connection, the first of which is 0.
  package init(
    before port: Int, at host: String = "127.0.0.1", _ own: Int = 0, isHeard: Bool = true, hasHalves: Bool = false,
    passage: @escaping @Sendable (Int) -> Passage = { _ in .open },
    edit: @escaping Edit = { $1 }
  ) async throws {
    let heard = Heard()
    self.heard = heard
    channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      // Nothing is read before there is somewhere to write it.
      .childChannelOption(.autoRead, value: false)
      .childChannelOption(.allowRemoteHalfClosure, value: hasHalves)
      .childChannelInitializer { near in
        let number = heard.connections.withLock { connections in
          connections.append(near)
          return connections.count - 1
        }
        var port = port
        switch passage(number) {
        case .open: break
        case .to(let other): port = other
        case .silent: return near.eventLoop.makeSucceededVoidFuture()
        case .closed: return near.close()
        }
        return ClientBootstrap(group: near.eventLoop)
          .channelOption(.autoRead, value: false)
          .channelOption(.allowRemoteHalfClosure, value: hasHalves)
          .connect(host: "127.0.0.1", port: port)
          .flatMapThrowing { far in
            let carry = { (direction: Direction) in
              { @Sendable (bytes: ByteBuffer) in
                if isHeard { heard.append(bytes, direction) }
                return edit(direction, bytes)
              }
            }
            try splice(near, far, there: carry(.there), back: carry(.back))
          }
      }
      .bind(host: host, port: own).get()
  }

  package var port: Int { channel.localAddress?.port ?? 0 }

  /// All that was said so far in one direction, before it was changed.
  package func heard(_ direction: Direction) -> String {
    String(decoding: heard.of(direction), as: UTF8.self)
  }

  /// Connections so far.
  package var count: Int { heard.connections.withLock { $0.count } }

  /// Ends one of them.
  package func cut(_ number: Int) {
    heard.connections.withLock { $0[number] }.close(promise: nil)
  }

  /// Nobody is let in any more; what is open stays.
  package func stopListening() async throws { try await channel.close() }

  package func close() async throws {
    for connection in heard.connections.withLock({ $0 }) { connection.close(promise: nil) }
    if channel.isActive { try await channel.close() }
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

  /// Nothing is kept in the middle: who sends has to wait as without it.
  func channelWritabilityChanged(context: ChannelHandlerContext) {
    try? other.syncOptions?.setOption(.autoRead, value: context.channel.isWritable)
    context.fireChannelWritabilityChanged()
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if event as? ChannelEvent == .inputClosed {
      // Behind what is on its way there. Where the other direction has ended before, nothing is left.
      other.close(mode: .output).whenFailure { [other] _ in other.close(promise: nil) }
    }
    context.fireUserInboundEventTriggered(event)
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
