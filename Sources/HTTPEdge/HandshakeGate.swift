import NIOCore
import TLS

/// Tells when TLS stands on a new connection, or why it never will. Stands next to the `TLSHandler`.
final class HandshakeGate: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  private let upstream: Upstream
  private var deadline: Scheduled<Void>?
  private var promise: EventLoopPromise<Void>?
  /// Fails with `HTTPClientError`.
  let established: EventLoopFuture<Void>

  init(_ upstream: Upstream, eventLoop: any EventLoop) {
    self.upstream = upstream
    let promise = eventLoop.makePromise(of: Void.self)
    self.promise = promise
    established = promise.futureResult
  }

  func channelActive(context: ChannelHandlerContext) {
    deadline = context.eventLoop.assumeIsolated().scheduleTask(in: upstream.limits.connect) { [self] in
      fail(HTTPClientError(.connectTimedOut, upstream.address, "no TLS handshake in time"))
      context.close(promise: nil)
    }
    context.fireChannelActive()
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case TLSEvent.established = event { settle { $0.succeed() } }
    context.fireUserInboundEventTriggered(event)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    fail(HTTPClientError(exchanging: error, with: upstream.address))
    context.fireErrorCaught(error)
  }

  /// For one that was never added.
  deinit {
    promise?.fail(ChannelError.ioOnClosedChannel)
  }

  /// Every other comes here in the end.
  func handlerRemoved(context: ChannelHandlerContext) {
    fail(HTTPClientError(.closedEarly, upstream.address, "the connection ended before the TLS handshake"))
  }

  private func fail(_ error: HTTPClientError) {
    settle { $0.fail(error) }
  }

  private func settle(_ tell: (EventLoopPromise<Void>) -> Void) {
    deadline?.cancel()
    deadline = nil
    promise.map(tell)
    promise = nil
  }
}
