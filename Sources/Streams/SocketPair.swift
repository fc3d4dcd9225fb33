import EventLoops
import Glibc
import NIOCore
import NIOPosix

/// Two sockets that the kernel has connected: what speaks TCP on a link has one of them, and a handler of this program the other, which
/// carries elsewhere what is written to it.
enum SocketPair {
  /// - Parameter handler: at the near end, which is read from when it asks for it, once up to so many bytes.
  /// - Returns: the far end, which is not read from by itself.
  /// - Throws: `IOError` where there are no descriptors left.
  static func connect<Handler: ChannelHandler>(
    _ handler: NIOLoopBound<Handler>, readingUpTo capacity: Int, eventLoop: any EventLoop
  ) async throws -> any Channel {
    var pair: [CInt] = [-1, -1]
    guard socketpair(AF_UNIX, CInt(SOCK_STREAM.rawValue) | O_CLOEXEC, 0, &pair) == 0 else {
      throw IOError(errnoCode: errno, reason: "socketpair")
    }
    let near = ClientBootstrap(group: eventLoop).channelOption(.autoRead, value: false)
      .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: capacity))
      .channelOption(.maxMessagesPerRead, value: 1)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(handler.value) }
      }
      .withConnectedSocket(pair[0])
    let far = ClientBootstrap(group: eventLoop).channelOption(.autoRead, value: false)
      .channelOption(.allowRemoteHalfClosure, value: true).withConnectedSocket(pair[1])
    do {
      return try await near.and(far).map { $0.1 }.value()
    } catch {
      for future in [near, far] { future.whenSuccess { $0.close(promise: nil) } }
      throw error
    }
  }
}
