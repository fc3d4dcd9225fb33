import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import NIOHTTPTypes

/// One connection of a server: its parts, and the news that the client is gone.
final class ServerConnection: ServerChildChannelValue {
  let http: NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>
  let gone: EventLoopFuture<Void>

  var channel: any Channel { http.channel }

  init(http: NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>, gone: EventLoopFuture<Void>) {
    self.http = http
    self.gone = gone
  }

  /// HummingbirdCore's accept loop drops what it has accepted when it is cancelled, and NIO's writer traps when it is
  /// dropped before its channel was closed.
  deinit {
    http.channel.closeFuture.whenComplete { [http] _ in withExtendedLifetime(http) {} }
    http.channel.close(promise: nil)
  }
}

/// HummingbirdCore's request loop on a pipeline of ours.
///
/// Its own `HTTP1Channel` loses the authority of absolute-form targets and the client's version of HTTP, frames HEAD and
/// 304 as if they had bodies, and does not answer `Expect`.
struct ServerChannel: ServerChildChannel, HTTPChannelHandler {
  let responder: Responder
  let limits: HTTPServerLimits

  func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<ServerConnection> {
    channel.eventLoop.makeCompletedFuture {
      try channel.syncOptions?.setOption(.recvAllocator, value: ReceiveBuffers.make())
      let pipeline = channel.pipeline.syncOperations
      var encoder = HTTPResponseEncoder.Configuration()
      encoder.automaticallySetFramingHeaders = false
      try pipeline.configureHTTPServerPipeline(
        withPipeliningAssistance: false, withErrorHandling: false, withOutboundHeaderValidation: false,
        withEncoderConfiguration: encoder, withDecoderLimitConfiguration: limits.decoder)
      let gone = channel.eventLoop.makePromise(of: Void.self)
      try pipeline.addHandler(ServerHandler(limits: limits, gone: gone))
      let http = try NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>(
        wrappingChannelSynchronously: channel,
        configuration: .init(
          backPressureStrategy: .init(lowWatermark: PartsInFlight.low, highWatermark: PartsInFlight.high),
          isOutboundHalfClosureEnabled: true))
      return ServerConnection(http: http, gone: gone.futureResult)
    }
  }

  /// Returns when the connection is closed. What still works on a request is cancelled when its client goes away.
  func handle(value connection: ServerConnection, logger: Logger) async {
    await withTaskGroup { group in
      group.addTask { await handleHTTP(asyncChannel: connection.http, logger: logger) }
      group.addTask { try? await connection.gone.get() }
      await group.next()
      group.cancelAll()
    }
  }
}

extension HTTPServerLimits {
  fileprivate var decoder: NIOHTTPDecoderLimitConfiguration {
    var configuration = NIOHTTPDecoderLimitConfiguration()
    configuration.maxHeaderFieldSize = fieldSize
    configuration.maxHeaderListSize = fieldsSize
    configuration.maxHeaderFieldCount = fieldCount
    return configuration
  }
}
