import NIOCore

/// `struct tcp_info` of linux/tcp.h, up to the last field that is read here, in words of 64 bits; libc's own ends before it. The
/// kernel has had them since 5.4, and fills in as much as is asked for.
private struct ConnectionInfo {
  // 232 bytes.
  private var words: InlineArray<29, UInt64> = .init(repeating: 0)

  private func half(at offset: Int) -> UInt32 {
    UInt32(truncatingIfNeeded: words[offset / 8] >> UInt64(offset % 8 * 8))
  }

  var progress: ConnectionProgress {
    ConnectionProgress(
      acknowledged: words[15], received: half(at: 152),
      // Of those with data, and of acknowledgements: data that acknowledges nothing new is none.
      sinceLastSegment: .milliseconds(Int64(min(half(at: 52), half(at: 56)))),
      sent: half(at: 156), repeated: half(at: 100), early: half(at: 224))
  }
}

extension Channel {
  /// How far the connection is; nil where it is none of TCP. Costs a system call. On the channel's event loop.
  var connectionProgress: ConnectionProgress? {
    guard let socket = self as? any SocketOptionProvider else { return nil }
    var progress: ConnectionProgress?
    let info: EventLoopFuture<ConnectionInfo> = socket.unsafeGetSocketOption(level: .tcp, name: Self.info)
    // Known at once where the loop is this one.
    info.assumeIsolated().whenSuccess { progress = $0.progress }
    return progress
  }

  /// linux/tcp.h: `TCP_INFO`.
  private static var info: NIOBSDSocket.Option { NIOBSDSocket.Option(rawValue: 11) }
}
