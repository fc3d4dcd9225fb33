package import HummingbirdCore
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

  /// Called once a request, with the connection's channel; returns when the response is written. What it throws breaks
  /// the connection off. It is cancelled when the client goes away.
  package typealias Responder = HTTPChannelHandler.Responder

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
    case .loopback(let port): try await runLoopback(port)
    case .unix(let path): try await runUnix(path)
    }
  }

  private func runLoopback(_ port: Int) async throws {
    try await serving { servers in
      let v4 = try await start(.hostname("127.0.0.1", port: port), "127.0.0.1:\(port)", in: &servers)
      let port = v4.port ?? port
      do {
        let v6 = try await start(.hostname("::1", port: port), "[::1]:\(port)", in: &servers)
        await listening([v4, v6])
        return 2
      } catch let error as HTTPServerError where error.code == .noSuchAddress {
        logger.notice("no IPv6 on this machine, listening on 127.0.0.1 only")
        await listening([v4])
        return 1
      }
    }
  }

  private func runUnix(_ path: String) async throws {
    let socket = try await UnixSocketFile.prepare(path, group)
    defer { socket.remove() }
    try await serving { servers in
      _ = try await start(.unixDomainSocket(path: socket.hiddenPath), path, in: &servers)
      try socket.publish()
      await listening([try SocketAddress(unixDomainSocketPath: path)])
      return 1
    }
  }

  private enum Ended {
    case neverRan
    case server
    case deadline
  }

  /// Runs the servers that `start` adds and counts, until all have shut down or the deadline for it is over.
  private func serving(
    _ start: (inout ThrowingTaskGroup<Ended, any Error>) async throws -> Int
  ) async throws {
    try await withThrowingTaskGroup(of: Ended.self) { servers in
      var running = try await start(&servers)
      servers.addTask {
        try? await gracefulShutdown()
        try? await Task.sleep(for: limits.shutdown)
        return .deadline
      }
      while let ended = try await servers.next() {
        if case .server = ended { running -= 1 }
        if case .deadline = ended { running = 0 }
        if running == 0 { servers.cancelAll() }
      }
    }
  }

  /// Adds a server to the group and waits until it listens.
  private func start(
    _ address: BindAddress, _ name: String, in servers: inout ThrowingTaskGroup<Ended, any Error>
  ) async throws -> SocketAddress {
    let (running, source) = AsyncThrowingStream.makeStream(of: SocketAddress.self)
    let server = Server(
      childChannelSetup: ServerChannel(
        responder: { request, writer, channel in
          try await responder(request.answeringExpectation(on: channel), writer, channel)
        }, limits: limits),
      configuration: ServerConfiguration(
        address: address, availableConnectionsDelegate: .maximum(limits.connections, logger: logger)),
      onServerRunning: { channel in
        if let address = channel.localAddress { source.yield(address) }
      }, eventLoopGroup: group, logger: logger)
    servers.addTask {
      do {
        try await server.run()
        source.finish()
        return .server
      } catch {
        source.finish(throwing: HTTPServerError(listeningOn: name, error))
        return .neverRan
      }
    }
    for try await address in running { return address }
    throw CancellationError()
  }
}
