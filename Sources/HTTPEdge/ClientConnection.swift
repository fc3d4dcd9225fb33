import HTTPTypes
import NIOCore
import NIOHTTP1
import NIOPosix
import TLS

/// One open connection to an upstream, as tasks see it.
final class ClientConnection: Sendable, Identifiable {
  let id: Int
  let channel: any Channel
  private let handler: NIOLoopBound<ClientHandler>

  private init(id: Int, channel: any Channel, handler: ClientHandler) {
    self.id = id
    self.channel = channel
    self.handler = NIOLoopBound(handler, eventLoop: channel.eventLoop)
  }

  /// Opens one; the connection is ready for its first request when the future is fulfilled.
  static func dial(_ upstream: Upstream, id: Int, on eventLoop: any EventLoop) -> EventLoopFuture<ClientConnection> {
    // A name makes a channel for each address that is tried. By the time that one is told to be connected, it may have
    // lost its handlers again.
    let candidates = NIOLoopBoundBox<[ObjectIdentifier: EventLoopFuture<ClientConnection>]>
      .makeBoxSendingValue([:], eventLoop: eventLoop)
    let bootstrap = ClientBootstrap(group: eventLoop)
      .connectTimeout(upstream.limits.connect)
      .channelOption(.recvAllocator, value: ReceiveBuffers.make())
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          candidates.value[ObjectIdentifier(channel)] = try prepare(channel, for: upstream, id: id)
        }
      }
    let connected =
      switch upstream.address {
      case .tcp(let host, let port), .tls(let host, let port, _): bootstrap.connect(host: host, port: port)
      case .unix(let path): bootstrap.connect(unixDomainSocketPath: path)
      }
    return connected.flatMap { channel in
      candidates.value[ObjectIdentifier(channel)] ?? eventLoop.makeFailedFuture(ChannelError.ioOnClosedChannel)
    }.flatMapThrowing { connection in
      guard connection.channel.isActive else {
        throw connection.handler.value.firstError
          ?? HTTPClientError(.closedEarly, upstream.address, "the connection ended at once")
      }
      return connection
    }
  }

  /// Fulfilled when the channel is ready for HTTP, once it is connected.
  private static func prepare(
    _ channel: any Channel, for upstream: Upstream, id: Int
  ) throws -> EventLoopFuture<ClientConnection> {
    let (pipeline, limits) = (channel.pipeline.syncOperations, upstream.limits)
    let handler = ClientHandler(address: upstream.address, limits: limits, eventLoop: channel.eventLoop)
    let connection = ClientConnection(id: id, channel: channel, handler: handler)
    var ready = channel.eventLoop.makeSucceededFuture(connection)
    if let tls = upstream.tls {
      try pipeline.addHandler(TLSHandler(tls.get()))
      let gate = HandshakeGate(upstream, eventLoop: channel.eventLoop)
      try pipeline.addHandler(gate)
      ready = gate.established.map { connection }
    }
    try pipeline.addHandler(HTTPRequestEncoder(configuration: .verbatim))
    try pipeline.addHandler(ByteToMessageHandler(HTTPResponseDecoder(limitConfiguration: limits.decoder)))
    try pipeline.addHandler(handler)
    return ready
  }

  /// To be called on the event loop. `release`: the connection can carry another request.
  func setRelease(_ release: @escaping @Sendable () -> Void) {
    handler.value.onRelease = release
  }

  /// Sends a request, with all of its body where that is given; otherwise `write` and `finish` follow.
  func start(_ exchange: Int, _ head: HTTPRequestHead, body: ByteBuffer?) -> EventLoopFuture<Answer> {
    let promise = channel.eventLoop.makePromise(of: Answer.self)
    channel.eventLoop.execute { [handler] in
      handler.value.start(exchange, head, body, answer: promise)
    }
    return promise.futureResult
  }

  /// Waits for the head of a response. Cancellation closes the connection. Throws `ExchangeFailure`.
  func answer(_ coming: EventLoopFuture<Answer>, to exchange: Int) async throws -> Answer {
    try await withTaskCancellationHandler {
      try await coming.get()
    } onCancel: {
      leave(exchange)
    }
  }

  func exchange(_ exchange: Int, _ head: HTTPRequestHead, body: ByteBuffer) async throws -> Answer {
    try await answer(start(exchange, head, body: body), to: exchange)
  }

  /// A part of the request's body; returns when the socket has taken it.
  func write(_ bytes: ByteBuffer, of exchange: Int) async throws {
    try await channel.eventLoop.flatSubmit { [handler] in handler.value.write(bytes, of: exchange) }.get()
  }

  func finish(_ exchange: Int) async throws {
    try await channel.eventLoop.flatSubmit { [handler] in handler.value.finish(exchange) }.get()
  }

  /// Nobody waits for this exchange any more; where it is not over, the connection is closed.
  func leave(_ exchange: Int) {
    channel.eventLoop.execute { [handler] in handler.value.leave(exchange) }
  }

  /// Breaks the exchange off for a reason that the reader of its response is told.
  func fail(_ error: HTTPClientError) {
    channel.eventLoop.execute { [handler] in handler.value.fail(error) }
  }
}

/// Receive buffers that grow to a whole part.
enum ReceiveBuffers {
  static func make() -> AdaptiveRecvByteBufferAllocator {
    AdaptiveRecvByteBufferAllocator(minimum: 1024, initial: PartSize.initialReceive, maximum: PartSize.receive)
  }
}

extension HTTPRequestEncoder.Configuration {
  /// Framing fields are set by us, from what is known about the body.
  fileprivate static var verbatim: Self {
    var configuration = Self()
    configuration.automaticallySetFramingHeaders = false
    return configuration
  }
}

extension HTTPClientLimits {
  fileprivate var decoder: NIOHTTPDecoderLimitConfiguration {
    var configuration = NIOHTTPDecoderLimitConfiguration()
    configuration.maxHeaderFieldSize = fieldSize
    configuration.maxHeaderListSize = fieldsSize
    configuration.maxHeaderFieldCount = fieldCount
    return configuration
  }
}
