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
  /// Once it is known who is there, and that its work is not to be kept small. On the channel's event loop.
  func readFully() {
    // Both options are those of any socket; without them it would only be slower.
    try? syncOptions?.setOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: Limits.receiveBuffer))
    try? syncOptions?.setOption(.maxMessagesPerRead, value: Limits.readsInARow)
  }
}

extension SocketAddress {
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
