import NIOCore

/// Stops accepting while as many connections are open as may be; more wait in the kernel's backlog.
final class AcceptLimit: ChannelDuplexHandler {
  typealias InboundIn = any Channel
  typealias OutboundIn = Never

  private var room: Int
  private var isReadWanted = false
  private var context: ChannelHandlerContext?

  init(_ connections: Int) {
    room = connections
  }

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    self.context = nil
  }

  func read(context: ChannelHandlerContext) {
    if room > 0 { context.read() } else { isReadWanted = true }
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    room -= 1
    let closed = unwrapInboundIn(data).closeFuture.hop(to: context.eventLoop)
    closed.assumeIsolated().whenComplete { [self] _ in released() }
    context.fireChannelRead(data)
  }

  private func released() {
    room += 1
    guard isReadWanted, room > 0 else { return }
    isReadWanted = false
    context?.read()
  }
}
