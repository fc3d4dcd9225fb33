package import NIOCore
import NIOPosix

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Bytes to and from a socket, without any HTTP of ours.
package final class RawConnection {
  private var inbound: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
  package let outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
  package let channel: any Channel
  private var received: [UInt8] = []

  package init(
    _ inbound: NIOAsyncChannelInboundStream<ByteBuffer>, _ outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>,
    _ channel: any Channel
  ) {
    self.inbound = inbound.makeAsyncIterator()
    self.outbound = outbound
    self.channel = channel
  }

  package func write(_ text: String) async throws {
    try await outbound.write(ByteBuffer(string: text))
  }

  package func write(_ bytes: some Sequence<UInt8> & Sendable) async throws {
    try await outbound.write(ByteBuffer(bytes: bytes))
  }

  /// Everything up to and including `mark`, or to the end.
  package func read(to mark: String) async throws -> String {
    while true {
      if let range = received.firstRange(of: Array(mark.utf8)) {
        return String(decoding: take(range.upperBound), as: UTF8.self)
      }
      guard try await more() else { return String(decoding: take(received.count), as: UTF8.self) }
    }
  }

  /// This many bytes, or fewer where the connection ends before.
  package func read(bytes count: Int) async throws -> [UInt8] {
    while received.count < count, try await more() {}
    return take(min(count, received.count))
  }

  package func readToEnd() async throws -> String {
    while try await more() {}
    return String(decoding: take(received.count), as: UTF8.self)
  }

  private func more() async throws -> Bool {
    guard let bytes = try await inbound.next(isolation: #isolation) else { return false }
    received += bytes.readableBytesView
    return true
  }

  private func take(_ count: Int) -> [UInt8] {
    defer { received.removeFirst(count) }
    return Array(received.prefix(count))
  }

  /// Ends the output only.
  package func halfClose() {
    outbound.finish()
  }

  /// With a reset instead of an orderly end.
  package func reset() async throws {
    try await (channel as! any SocketOptionProvider).setSoLinger(linger(l_onoff: 1, l_linger: 0)).get()
    try await channel.close()
  }
}

/// A client that speaks bytes.
package func withRawClient<Result: Sendable>(
  _ address: SocketAddress, _ body: (RawConnection) async throws -> sending Result
) async throws -> Result {
  let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
    .channelOption(.allowRemoteHalfClosure, value: true)
    .connect(to: address) { channel in channel.eventLoop.makeCompletedFuture { try rawBytes(channel) } }
  return try await channel.executeThenClose { inbound, outbound in
    try await body(RawConnection(inbound, outbound, channel.channel))
  }
}

package func rawBytes(_ channel: any Channel) throws -> NIOAsyncChannel<ByteBuffer, ByteBuffer> {
  try NIOAsyncChannel(
    wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true))
}
