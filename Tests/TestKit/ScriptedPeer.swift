package import NIOCore
import NIOPosix
import Synchronization
import TLS

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A peer that says what a test makes it say, byte for byte, over TCP on loopback.
package final class ScriptedPeer: Sendable {
  package let transcript = Transcript()
  let channel: any Channel
  /// Told once: who the other side is by TLS, or why that cannot be known.
  let handshake: EventLoopPromise<PeerCertificate?>

  /// On a channel that is being set up, on its event loop.
  init(on channel: any Channel) throws {
    self.channel = channel
    handshake = channel.eventLoop.makePromise()
    try channel.pipeline.syncOperations.addHandler(Listening(transcript, handshake))
  }

  /// - Parameter address: where it comes from; all of 127.0.0.0/8 is this machine.
  package static func connect(to port: Int, from address: String? = nil) async throws -> ScriptedPeer {
    let made = Mutex<ScriptedPeer?>(nil)
    var bootstrap = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
    if let address { bootstrap = bootstrap.bind(to: try SocketAddress(ipAddress: address, port: 0)) }
    _ =
      try await bootstrap
      .channelOption(.allowRemoteHalfClosure, value: true)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          let peer = try ScriptedPeer(on: channel)
          made.withLock { $0 = peer }
        }
      }
      .connect(host: "127.0.0.1", port: port).get()
    guard let peer = made.withLock({ $0 }) else { throw ChannelError.ioOnClosedChannel }
    return peer
  }

  // MARK: What it says

  package func send(_ text: String) async throws {
    try await send(ByteBuffer(string: text))
  }

  package func send(_ bytes: ByteBuffer) async throws {
    try await channel.writeAndFlush(bytes)
  }

  /// Sends without waiting until it is sent, for a listener that may have hung up.
  package func blurt(_ bytes: ByteBuffer) {
    channel.writeAndFlush(bytes, promise: nil)
  }

  /// Takes nothing more from the socket, as a peer that hangs or lost the network.
  package func stopListening() async throws {
    try await channel.setOption(.autoRead, value: false).get()
  }

  package func listenAgain() async throws {
    try await channel.setOption(.autoRead, value: true).get()
  }

  /// FIN, and reads on.
  package func endOutput() async throws {
    try await channel.close(mode: .output)
  }

  package func hangUp() async throws {
    try await channel.close()
  }

  /// The same, without waiting for it, or caring whether it has happened already.
  package func disappear() {
    channel.close(promise: nil)
  }

  /// RST.
  package func reset() async throws {
    try await (channel as? any SocketOptionProvider)?.setSoLinger(linger(l_onoff: 1, l_linger: 0)).get()
    try await channel.close()
  }

  // MARK: What it hears

  @discardableResult
  package func expect(_ text: String, within limit: Duration = .seconds(10)) async throws -> String {
    try await transcript.expect(text, within: limit)
  }

  /// Waits for the end of the connection, and gives what came before it.
  @discardableResult
  package func expectClose(within limit: Duration = .seconds(10)) async throws -> String {
    try await transcript.expectClose(within: limit)
  }

  /// Bytes that came, ever.
  package var heard: Int { transcript.total }
}

final class Listening: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  private let transcript: Transcript
  private let handshake: EventLoopPromise<PeerCertificate?>

  init(_ transcript: Transcript, _ handshake: EventLoopPromise<PeerCertificate?>) {
    self.transcript = transcript
    self.handshake = handshake
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    transcript.append(unwrapInboundIn(data).readableBytesView)
    context.fireChannelRead(data)
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if event as? ChannelEvent == .inputClosed { transcript.close() }
    if case .established(let certificate, _, _)? = event as? TLSEvent { handshake.succeed(certificate) }
    context.fireUserInboundEventTriggered(event)
  }

  func channelInactive(context: ChannelHandlerContext) {
    transcript.close()
    handshake.fail(ChannelError.eof)
    context.fireChannelInactive()
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    handshake.fail(ChannelError.eof)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    transcript.complain("\(error)")
    handshake.fail(error)
    context.close(promise: nil)
  }
}
