import EventLoops
package import Logging
package import NIOCore
import NIOPosix
import ServiceLifecycle

/// An HTTP/1.1 server for this machine: on both loopback addresses, or on a unix socket.
///
/// Runs until it is cancelled or shut down gracefully: then it stops listening, lets responses in progress finish for
/// `limits.shutdown`, and cuts what is left.
package struct HTTPServer: Service {
  package enum Address: Sendable {
    /// 127.0.0.1, and ::1 where the machine has it; 0: a free port, the same on both.
    case loopback(port: Int)
    /// A socket file that only its owner may use; taken over where nobody listens on it any more.
    case unix(path: String)
  }

  /// Called once a request; returns when the response is written. What it throws breaks the connection off. It is
  /// cancelled when the client goes away.
  ///
  /// Runs on the event loop of the connection, and so does what it calls: work that blocks has to be sent away.
  package typealias Responder = @Sendable (Request, ResponseWriter) async throws -> Void

  private let address: Address
  private let limits: HTTPServerLimits
  private let group: any EventLoopGroup
  private let logger: Logger
  private let listening: @Sendable ([SocketAddress]) async -> Void
  private let responder: Responder

  /// `listening` is called once, when every address takes connections.
  package init(
    _ address: Address, limits: HTTPServerLimits = .init(), eventLoopGroup: any EventLoopGroup, logger: Logger,
    listening: @escaping @Sendable ([SocketAddress]) async -> Void = { _ in }, responder: @escaping Responder
  ) {
    self.address = address
    self.limits = limits
    self.group = eventLoopGroup
    self.logger = logger
    self.listening = listening
    self.responder = responder
  }

  /// Throws `HTTPServerError` where the address cannot be listened on.
  package func run() async throws {
    switch address {
    case .loopback(let port): try await serving { open in try await listenOnLoopback(port, open) }
    case .unix(let path): try await runUnix(path)
    }
  }

  private func listenOnLoopback(_ port: Int, _ open: OpenConnections) async throws {
    let v4 = try await listen(on: SocketAddress(ipAddress: "127.0.0.1", port: port), "127.0.0.1:\(port)", open)
    let port = v4.port ?? port
    do {
      let v6 = try await listen(on: SocketAddress(ipAddress: "::1", port: port), "[::1]:\(port)", open)
      await listening([v4, v6])
    } catch let error as HTTPServerError where error.code == .noSuchAddress {
      logger.notice("no IPv6 on this machine, listening on 127.0.0.1 only")
      await listening([v4])
    }
  }

  private func runUnix(_ path: String) async throws {
    let socket = try await UnixSocketFile.prepare(path, group)
    defer { socket.remove() }
    try await serving { open in
      _ = try await listen(on: SocketAddress(unixDomainSocketPath: socket.hiddenPath), path, open)
      try socket.publish()
      await listening([try SocketAddress(unixDomainSocketPath: path)])
    }
  }

  /// From the start of listening to the end of the last connection.
  private func serving(_ listen: (OpenConnections) async throws -> Void) async throws {
    let open = OpenConnections()
    do {
      try await listen(open)
    } catch {
      await end(open)
      throw error
    }
    await withTaskGroup { group in
      group.addTask { try? await gracefulShutdown() }
      // One that cannot accept any more closes by itself.
      for listener in open.listeners { group.addTask { try? await listener.closeFuture.value() } }
      await group.next()
      group.cancelAll()
    }
    await end(open)
  }

  private func end(_ open: OpenConnections) async {
    let cut = group.any().scheduleTask(in: TimeAmount(limits.shutdown)) { open.cut() }
    await withTaskCancellationHandler {
      open.quiesce()
      await open.waitUntilEnded()
    } onCancel: {
      open.cut()
    }
    cut.cancel()
  }

  /// Returns where it listens, which `name` stands for in errors.
  private func listen(on address: SocketAddress, _ name: String, _ open: OpenConnections) async throws -> SocketAddress
  {
    let (limits, responder, heads) = (limits, responder, HeadLog(logger))
    let bootstrap = ServerBootstrap(group: group)
      .serverChannelOption(.backlog, value: HTTPServerLimits.backlog)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .serverChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          let pipeline = channel.pipeline.syncOperations
          try pipeline.addHandler(AcceptPause { open.closeLongestIdle() })
          try pipeline.addHandler(AcceptLimit(limits.connections, open))
        }
      }
      .childChannelOption(.allowRemoteHalfClosure, value: true)
      .childChannelOption(.socketOption(.so_sndbuf), value: HTTPServerLimits.sendBuffer)
      .childChannelOption(.recvAllocator, value: ReceiveBuffers.make())
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture { try Self.prepare(channel, limits, responder, open, heads) }
      }
    do {
      let channel = try await bootstrap.bind(to: address).get()
      open.add(listener: channel)
      return channel.localAddress ?? address
    } catch {
      throw HTTPServerError(listeningOn: name, error)
    }
  }

  static func prepare(
    _ channel: any Channel, _ limits: HTTPServerLimits, _ responder: @escaping Responder, _ open: OpenConnections,
    _ heads: HeadLog? = nil
  ) throws {
    let pipeline = channel.pipeline.syncOperations
    let handler = ServerHandler(limits: limits)
    let connection = ServerConnection(
      channel, handler: NIOLoopBound(handler, eventLoop: channel.eventLoop), responder: responder, heads: heads,
      onEnd: open.ended)
    handler.connection = connection
    try pipeline.addHandler(handler)
    guard open.add(connection) else { throw ChannelError.alreadyClosed }
  }
}
