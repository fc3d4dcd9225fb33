package import NIOCore

/// Stops accepting for a moment where that fails: out of file descriptors (EMFILE, ENFILE) it would fail again at once, and
/// for ever. For each listening socket.
///
/// (NIO's `AcceptBackoffHandler` delays reads that are asked for; after an error the listening socket asks for none.)
package final class AcceptPause: ChannelInboundHandler {
  package typealias InboundIn = any Channel

  private let onFailure: @Sendable () -> Void

  /// `onFailure`: called each time, to give back what can be spared.
  package init(onFailure: @escaping @Sendable () -> Void = {}) {
    self.onFailure = onFailure
  }

  package func errorCaught(context: ChannelHandlerContext, error: any Error) {
    guard let options = context.channel.syncOptions, error is IOError else { return context.fireErrorCaught(error) }
    try? options.setOption(.autoRead, value: false)
    onFailure()
    context.eventLoop.assumeIsolated().scheduleTask(in: EventLoopLimits.acceptPause) {
      try? options.setOption(.autoRead, value: true)
    }
  }
}
