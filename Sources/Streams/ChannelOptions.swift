import NIOCore
import NIOPosix

/// What every stream's socket is set to, on either side. A peer that ends its half still gets our goodbye.
extension ClientBootstrap {
  func streamOptions() -> ClientBootstrap {
    channelOption(.allowRemoteHalfClosure, value: true)
      .channelOption(.socketOption(.so_keepalive), value: 1)
      .channelOption(.tcpOption(.tcp_nodelay), value: 1)
      .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: Limits.receiveBuffer))
      .channelOption(.writeBufferWaterMark, value: .stream)
  }
}

extension ServerBootstrap {
  func streamOptions() -> ServerBootstrap {
    childChannelOption(.allowRemoteHalfClosure, value: true)
      .childChannelOption(.socketOption(.so_keepalive), value: 1)
      .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
      .childChannelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: Limits.receiveBuffer))
      .childChannelOption(.writeBufferWaterMark, value: .stream)
  }
}

extension SocketAddress {
  /// The address without port and scope; an IPv4 address as such, also where an IPv6 socket took the connection
  /// (RFC 4291 §2.5.5.2).
  var host: String? {
    guard let address = ipAddress else { return nil }
    let mapped = "::ffff:"
    return address.hasPrefix(mapped) && address.contains(".") ? String(address.dropFirst(mapped.count)) : address
  }
}

extension ChannelOptions.Types.WriteBufferWaterMark {
  fileprivate static let stream = Self(low: Limits.writeBufferLow, high: Limits.writeBufferHigh)
}
