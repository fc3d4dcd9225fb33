import NIOCore

/// Stops accepting while a server has as many connections as it may; more wait in the kernel's backlog, and for them the
/// connection that has been idle for the longest time is closed.
final class AcceptLimit: ChannelDuplexHandler {
  typealias InboundIn = any Channel
  typealias OutboundIn = Never

  private let limit: Int
  private let open: OpenConnections
  private var isReadWanted = false
  /// A timer runs.
  private var isLooking = false
  private var context: ChannelHandlerContext?

  init(_ limit: Int, _ open: OpenConnections) {
    self.limit = limit
    self.open = open
  }

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    self.context = nil
  }

  func read(context: ChannelHandlerContext) {
    guard open.accepted >= limit else { return context.read() }
    isReadWanted = true
    if !isLooking { makeRoom(context) }
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let closed = open.accept(unwrapInboundIn(data)).hop(to: context.eventLoop)
    closed.assumeIsolated().whenComplete { [self] _ in readWhereThereIsRoom() }
    context.fireChannelRead(data)
  }

  /// Where no connection is idle, one will be: looks for it again from time to time.
  private func makeRoom(_ context: ChannelHandlerContext) {
    open.closeLongestIdle()
    isLooking = true
    context.eventLoop.assumeIsolated().scheduleTask(in: HTTPServerLimits.fullServer) { [self] in
      isLooking = false
      readWhereThereIsRoom()
      if isReadWanted, let context = self.context { makeRoom(context) }
    }
  }

  private func readWhereThereIsRoom() {
    guard isReadWanted, open.accepted < limit else { return }
    isReadWanted = false
    context?.read()
  }
}
