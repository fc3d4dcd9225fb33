import EventLoops
import HTTPTypes
import NIOCore
import NIOPosix
import TLS

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// One open connection to an upstream, on its event loop.
actor ClientConnection: PooledConnection {
  nonisolated let id: Int
  nonisolated let channel: any Channel
  private nonisolated let executor: LoopExecutor
  private let handler: NIOLoopBound<ClientHandler>

  private init(id: Int, channel: any Channel, handler: NIOLoopBound<ClientHandler>) {
    self.id = id
    self.channel = channel
    executor = .of(channel.eventLoop)
    self.handler = handler
  }

  nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }
  nonisolated var loop: ObjectIdentifier { ObjectIdentifier(channel.eventLoop) }

  // MARK: Dialling

  /// Opens one; the connection is ready for its first request when the future is fulfilled.
  static func dial(_ upstream: Upstream, id: Int, on eventLoop: any EventLoop) -> EventLoopFuture<ClientConnection> {
    // A name makes a channel for each address that is tried. By the time that one is told to be connected, it may have
    // lost its handlers again.
    let candidates = NIOLoopBoundBox<[ObjectIdentifier: EventLoopFuture<ClientConnection>]>
      .makeBoxSendingValue([:], eventLoop: eventLoop)
    let bootstrap = ClientBootstrap(group: eventLoop).keepingAlive(upstream.address)
      .connectTimeout(upstream.limits.connect)
      .channelOption(.allowRemoteHalfClosure, value: true)
      .channelOption(.recvAllocator, value: ReceiveBuffers.make())
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          candidates.value[ObjectIdentifier(channel)] = try prepare(channel, for: upstream, id: id)
        }
      }
    return bootstrap.connect(to: upstream.address).flatMap { channel in
      candidates.value[ObjectIdentifier(channel)] ?? eventLoop.makeFailedFuture(ChannelError.ioOnClosedChannel)
    }.flatMapThrowing { connection in
      guard connection.channel.isActive else {
        throw connection.assumeIsolated { $0.handler.value.firstError }
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
    var established = channel.eventLoop.makeSucceededVoidFuture()
    if let tls = upstream.tls {
      try pipeline.addHandler(TLSHandler(tls.get()))
      let gate = HandshakeGate(upstream, eventLoop: channel.eventLoop)
      try pipeline.addHandler(gate)
      established = gate.established
    }
    let handler = ClientHandler(address: upstream.address, limits: limits, executor: .of(channel.eventLoop))
    try pipeline.addHandler(handler)
    let bound = NIOLoopBound(handler, eventLoop: channel.eventLoop)
    let connection = ClientConnection(id: id, channel: channel, handler: bound)
    return established.map { connection }
  }

  // MARK: Exchanges

  /// From now on it is closed when it is idle for too long. `onRelease`: it can carry another request.
  func opened(onRelease: @escaping @Sendable () -> Void) {
    handler.value.opened(onRelease: onRelease)
  }

  /// Sends a request, and waits for the head of its response. Cancellation closes the connection.
  ///
  /// Throws `ExchangeFailure`, `CancellationError`.
  func exchange(_ exchange: Int, _ head: HTTPRequest, body: ByteBuffer) async throws -> Answer {
    start(exchange, head, body: body)
    return try await answer(to: exchange)
  }

  /// Sends the head of a request; `write` and `finish` follow, unless all of its body is given.
  func start(_ exchange: Int, _ head: HTTPRequest, body: ByteBuffer? = nil) {
    handler.value.start(exchange, head, body)
  }

  /// Asks for a change of the protocol: `write` and `finish` follow once the response is 101.
  func upgrade(_ exchange: Int, _ head: HTTPRequest) async throws -> Answer {
    handler.value.start(exchange, head, ByteBuffer(), upgrading: true)
    return try await answer(to: exchange)
  }

  func answer(to exchange: Int) async throws -> Answer {
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { handler.value.waitForAnswer($0) }
    } onCancel: {
      leave(exchange)
    }
  }

  /// A part of the request's body; returns when the socket can take more.
  func write(_ bytes: ByteBuffer, of exchange: Int) async throws {
    try handler.value.write(bytes, of: exchange)
    guard !channel.isWritable else { return }
    await withTaskCancellationHandler {
      await withCheckedContinuation { handler.value.whenWritable($0) }
    } onCancel: {
      channel.eventLoop.execute { [handler] in handler.value.resumeWriting() }
    }
    try Task.checkCancellation()
  }

  func finish(_ exchange: Int) throws {
    try handler.value.finish(exchange)
  }

  /// Nobody waits for this exchange any more; where it is not over, the connection is closed.
  nonisolated func leave(_ exchange: Int) {
    channel.eventLoop.execute { [handler] in handler.value.leave(exchange) }
  }

  /// Breaks the exchange off for a reason that the reader of its response is told.
  func fail(_ error: HTTPClientError) {
    handler.value.fail(error)
  }
}

extension ClientBootstrap {
  /// Finds out that a host has gone without a word; a unix socket's other end cannot.
  fileprivate func keepingAlive(_ address: HTTPAddress) -> ClientBootstrap {
    if case .unix = address { return self }
    return channelOption(.socketOption(.so_keepalive), value: 1)
      .channelOption(.tcpOption(.init(rawValue: TCP_KEEPIDLE)), value: HTTPClientLimits.keepAliveIdle)
      .channelOption(.tcpOption(.init(rawValue: TCP_KEEPINTVL)), value: HTTPClientLimits.keepAliveInterval)
  }

  /// An IP literal is dialled as it is; names go through the resolver.
  func connect(to address: HTTPAddress) -> EventLoopFuture<any Channel> {
    switch address {
    case .unix(let path):
      connect(unixDomainSocketPath: path)
    case .tcp(let host, let port), .tls(let host, let port, _):
      if let literal = address.literal { connect(to: literal) } else { connect(host: host, port: port) }
    }
  }
}

/// Receive buffers that grow to a whole part.
enum ReceiveBuffers {
  static func make() -> AdaptiveRecvByteBufferAllocator {
    AdaptiveRecvByteBufferAllocator(minimum: 1024, initial: PartSize.initialReceive, maximum: PartSize.receive)
  }
}
