import Bytestreams
import NIOCore
import TLS
import XMPP

/// SOCKS5 on a connection that this side has made.
final class SOCKS5ClientHandler: ChannelInboundHandler, RemovableChannelHandler {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private var machine: SOCKS5ClientMachine
  private var bytes = ByteBuffer()
  /// Takes it from there, with what has to follow in the pipeline.
  private let connected: (ChannelHandlerContext) throws -> Void
  private let failed: (any Error) -> Void

  /// - Parameter failed: called where `connected` is not, or throws.
  init(
    destination: String, connected: @escaping (ChannelHandlerContext) throws -> Void,
    failed: @escaping (any Error) -> Void
  ) {
    machine = SOCKS5ClientMachine(destination: destination)
    self.connected = connected
    self.failed = failed
  }

  /// To a channel that is connected.
  func handlerAdded(context: ChannelHandlerContext) {
    context.writeAndFlush(wrapOutboundOut(machine.greeting), promise: nil)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    bytes.writeImmutableBuffer(unwrapInboundIn(data))
    while true {
      switch machine.received(&bytes) {
      case .wait:
        if bytes.readableBytes > Limits.socksBytes { context.close(promise: nil) }
        return
      case .write(let message): context.writeAndFlush(wrapOutboundOut(message), promise: nil)
      case .fail: return context.close(promise: nil)
      case .connected: return goOn(context)
      }
    }
  }

  private func goOn(_ context: ChannelHandlerContext) {
    do {
      try connected(context)
      if bytes.readableBytes > 0 { context.fireChannelRead(wrapInboundOut(bytes)) }
      context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
    } catch {
      context.close(promise: nil)
    }
  }

  func channelInactive(context: ChannelHandlerContext) {
    failed(NoDataConnection(reason: "it was refused"))
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    failed(error)
    context.close(promise: nil)
  }
}

/// The same on a connection that has come in: only what is expected at the moment goes on.
final class SOCKS5ServerHandler: ChannelInboundHandler, RemovableChannelHandler {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private var machine = SOCKS5ServerMachine()
  private var bytes = ByteBuffer()
  private let connections: DataConnections
  private let tls: TLSConfiguration
  private let place: Admission.Ticket
  private var deadline: Scheduled<Void>?

  init(_ connections: DataConnections, _ tls: TLSConfiguration, place: Admission.Ticket) {
    self.connections = connections
    self.tls = tls
    self.place = place
  }

  func handlerAdded(context: ChannelHandlerContext) {
    deadline = context.eventLoop.assumeIsolated().scheduleTask(in: Timeouts.dataHandshake) {
      context.close(promise: nil)
    }
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    bytes.writeImmutableBuffer(unwrapInboundIn(data))
    while true {
      switch machine.received(&bytes) {
      case .wait:
        if bytes.readableBytes > Limits.socksBytes { context.close(promise: nil) }
        return
      case .write(let message): context.writeAndFlush(wrapOutboundOut(message), promise: nil)
      case .refuse(let message): return refuse(message, context)
      case .connect(let destination): return connect(destination, context)
      }
    }
  }

  private func refuse(_ message: ByteBuffer, _ context: ChannelHandlerContext) {
    context.writeAndFlush(wrapOutboundOut(message)).assumeIsolated().whenComplete { _ in context.close(promise: nil) }
  }

  private func connect(_ destination: String, _ context: ChannelHandlerContext) {
    guard let expected = connections.claim(destination), place.established(isKnown: expected.isKnown) else {
      return refuse(SOCKS5ServerMachine.refused(destination), context)
    }
    place.forgive()
    context.writeAndFlush(wrapOutboundOut(SOCKS5ServerMachine.accepted(destination)), promise: nil)
    do {
      if expected.isKnown { context.channel.read(upTo: Limits.receiveBuffer) }
      let ready = try expected.proof.map { try DataHandler.secure(context, tls, $0) } ?? DataHandler.plain(context)
      ready.whenSuccess(expected.connected)
      if bytes.readableBytes > 0 { context.fireChannelRead(wrapInboundOut(bytes)) }
      context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
    } catch {
      context.close(promise: nil)
    }
  }

  func handlerRemoved(context: ChannelHandlerContext) { deadline?.cancel() }
}

/// Tells streams from data connections, on the one port that takes both: by the first byte, which is 5 in SOCKS5 (RFC 1928 §3), and
/// in XML never.
final class FirstByteHandler: ChannelInboundHandler, RemovableChannelHandler {
  typealias InboundIn = ByteBuffer

  private let begin: (any Channel, _ isSOCKS: Bool) throws -> Void
  private var deadline: Scheduled<Void>?

  /// `begin` adds who takes it from there.
  init(_ begin: @escaping (any Channel, _ isSOCKS: Bool) throws -> Void) {
    self.begin = begin
  }

  func handlerAdded(context: ChannelHandlerContext) {
    deadline = context.eventLoop.assumeIsolated().scheduleTask(in: StreamTimes.negotiation) {
      context.close(promise: nil)
    }
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let bytes = unwrapInboundIn(data)
    guard let first = bytes.getInteger(at: bytes.readerIndex, as: UInt8.self) else { return }
    do {
      try begin(context.channel, first == SOCKS5.version)
      context.fireChannelRead(data)
      context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
    } catch {
      context.close(promise: nil)
    }
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if event as? ChannelEvent == .inputClosed { context.close(promise: nil) }
    context.fireUserInboundEventTriggered(event)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

  func handlerRemoved(context: ChannelHandlerContext) { deadline?.cancel() }
}
