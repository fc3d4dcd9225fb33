import Codecs
package import NIOCore
import NIOPosix

/// What every stream's socket is set to, on either side. A peer that ends its half still gets our goodbye.
extension ClientBootstrap {
  func streamOptions() -> ClientBootstrap {
    channelOption(.allowRemoteHalfClosure, value: true)
      .channelOption(.socketOption(.so_keepalive), value: 1)
      .channelOption(.tcpOption(.tcp_nodelay), value: 1)
      .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: Limits.receiveBuffer))
      .channelOption(.maxMessagesPerRead, value: Limits.readsInARow)
      .channelOption(.writeBufferWaterMark, value: .stream)
  }
}

extension ServerBootstrap {
  func streamOptions() -> ServerBootstrap {
    childChannelOption(.allowRemoteHalfClosure, value: true)
      .childChannelOption(.socketOption(.so_keepalive), value: 1)
      .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
      .childChannelOption(
        .recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: Limits.receiveBufferOfStranger)
      )
      .childChannelOption(.maxMessagesPerRead, value: Limits.readsInARowOfStranger)
      .childChannelOption(.writeBufferWaterMark, value: .stream)
  }
}

extension Channel {
  /// Where it is known who is there, and that its work is not to be kept small. On the channel's event loop.
  func read(upTo bytes: Int) {
    // Both options are those of any socket; without them it would only be slower.
    try? syncOptions?.setOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: bytes))
    let reads: UInt = bytes < Limits.receiveBuffer ? 1 : Limits.readsInARow
    try? syncOptions?.setOption(.maxMessagesPerRead, value: reads)
  }

  /// Where packets are lost TCP doubles its pauses, up to two minutes, and takes them for the time of a round trip: no body gets
  /// through, and no sign of life. What the kernel does not know stays as it is. On the channel's event loop.
  func shortenPauses() {
    guard let socket = self as? any SocketOptionProvider else { return }
    // First: short pauses would use up the kernel's 15 repetitions in half a minute.
    socket.set(.userTimeout, to: Timeouts.unacknowledged.milliseconds)
    socket.set(.longestPause, to: Timeouts.pause.milliseconds)
    socket.set(.linearPauses, to: 1)
  }
}

extension SocketOptionProvider {
  /// Has succeeded or failed when it returns, on the channel's event loop.
  fileprivate func set(_ option: NIOBSDSocket.Option, to value: CInt) {
    _ = unsafeSetSocketOption(level: .tcp, name: option, value: value)
  }
}

/// linux/tcp.h.
extension NIOBSDSocket.Option {
  /// `TCP_USER_TIMEOUT`, in milliseconds.
  static var userTimeout: Self { Self(rawValue: 18) }
  /// `TCP_RTO_MAX_MS`, since Linux 6.15.
  static var longestPause: Self { Self(rawValue: 44) }
  /// `TCP_THIN_LINEAR_TIMEOUTS`: the first six pauses are not doubled where few segments are under way.
  static var linearPauses: Self { Self(rawValue: 16) }
}

extension TimeAmount {
  fileprivate var milliseconds: CInt { CInt(nanoseconds / 1_000_000) }
}

extension SocketAddress {
  /// `IPAddress.bytes` of it.
  package var bytes: [UInt8]? { ipAddress.flatMap(IPAddress.bytes) }

  /// The address without port and scope; an IPv4 address as such, also where an IPv6 socket took the connection
  /// (RFC 4291 §2.5.5.2).
  package var host: String? {
    guard let address = ipAddress else { return nil }
    let mapped = "::ffff:"
    return address.hasPrefix(mapped) && address.contains(".") ? String(address.dropFirst(mapped.count)) : address
  }
}

extension ChannelOptions.Types.WriteBufferWaterMark {
  fileprivate static let stream = Self(low: Limits.writeBufferLow, high: Limits.writeBufferHigh)
}
