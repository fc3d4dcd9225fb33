import Codecs
import EventLoops
import HTTPEdge
import HTTPTypes
package import Logging
import Mesh
package import NIOCore
import ServiceLifecycle
import Trust

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Answers the command line on a unix socket, mode 0660.
///
/// Paths are resources of the control API; requests in absolute form go out to the mesh. Requests with an `Origin`
/// come from a browser, which has no business here: 403. So do requests that change something, from users who may only
/// look (`ControlRights`).
package struct ControlServer: Service {
  private let socket: String
  private let daemon: any ControlledDaemon
  private let routes: ControlRoutes
  private let eventLoopGroup: any EventLoopGroup
  private let logger: Logger
  var rights = ControlRights.ofThisProcess
  private let listening = AsyncStream<Never>.makeStream()

  /// `frontPort` is nil where no front runs. The folder of the socket must exist.
  package init(
    socket: String, daemon: any ControlledDaemon, version: String, frontPort: Int?,
    eventLoopGroup: any EventLoopGroup, logger: Logger
  ) {
    self.socket = socket
    self.daemon = daemon
    routes = ControlRoutes(daemon: daemon, version: version, frontPort: frontPort)
    self.eventLoopGroup = eventLoopGroup
    self.logger = logger
  }

  /// Listens until shutdown. Throws `ControlError` where the socket is another daemon's, or cannot be made.
  package func run() async throws {
    let shutdown = eventLoopGroup.any().makePromise(of: Void.self)
    defer {
      listening.continuation.finish()
      shutdown.succeed()
    }
    let server = makeServer(until: shutdown.futureResult)
    do {
      try await withGracefulShutdownHandler {
        try await server.run()
      } onGracefulShutdown: {
        shutdown.succeed()
      }
    } catch let error as HTTPServerError {
      throw ControlError(.conflict, "The control socket cannot be used: \(error.message) (--socket).")
    }
  }

  private func makeServer(until shutdown: EventLoopFuture<Void>) -> HTTPServer {
    let router = routes.router()
    return HTTPServer(
      .unix(path: socket), eventLoopGroup: eventLoopGroup, logger: logger,
      listening: { _ in
        // Root's own group is not whom the rights are about.
        if geteuid() == 0, let group = rights.group { chown(socket, 0, group) }
        chmod(socket, 0o660)
        listening.continuation.finish()
      }
    ) { request, writer in
      // The routes wait for files and for the system's databases, which must not hold up the event loop.
      try await withTaskExecutorPreference(globalConcurrentExecutor) {
        try await answer(request, writer, router, shutdown)
      }
    }
  }

  /// Returns once requests are accepted, or once that has failed and `run` has thrown.
  package func waitUntilListening() async {
    for await _ in listening.stream {}
  }

  @concurrent private func answer(
    _ request: HTTPEdge.Request, _ writer: HTTPEdge.ResponseWriter, _ router: Router,
    _ shutdown: EventLoopFuture<Void>
  ) async throws {
    do throws(ControlError) {
      try await check(request)
    } catch {
      return try await Self.write(Self.failure(error, status: error.code.status), writer, until: shutdown)
    }
    guard request.head.path?.hasPrefix("/") == true else { return try await daemon.forward(request, writer) }
    try await Self.write(await respond(to: request, by: router), writer, until: shutdown)
  }

  /// Lines that would go on for ever end with the daemon: what writes them is cancelled, which ends them in good order.
  private static func write(
    _ response: RoutedResponse, _ writer: HTTPEdge.ResponseWriter, until shutdown: EventLoopFuture<Void>
  ) async throws {
    switch response.content {
    case .whole(let bytes): try await writer.write(response.head, Body(bytes))
    case .lines(let write):
      try await writer.begin(response.head)
      try await withThrowingTaskGroup(of: Void.self) { group in
        defer { group.cancelAll() }
        group.addTask {
          try await write(writer)
          try await writer.finish()
        }
        group.addTask { try? await shutdown.value() }
        try await group.next()
      }
    }
  }

  private func check(_ request: HTTPEdge.Request) async throws(ControlError) {
    do throws(ControlError) {
      guard request.headers[.origin] == nil
      else { throw ControlError(.notPermitted, "The control socket is not for web pages.") }
      let peer = await PeerCredentials.of(request.channel)
      try rights.check(request.method, request.head.path ?? "", by: peer)
    } catch {
      logger.notice(
        "refused on the control socket", metadata: ["path": "\(Self.path(of: request))", "why": "\(error)"])
      throw error
    }
  }

  private func respond(
    to request: HTTPEdge.Request, by router: Router
  ) async -> RoutedResponse {
    do {
      switch router.match(request) {
      case .handler(let handler, let request): return try await handler(request)
      case .otherMethods(let methods):
        let allowed = methods.map(\.rawValue).sorted().joined(separator: ", ")
        return Self.failure(
          ControlError(.notFound, "This resource has no such method, only \(allowed)."), status: .methodNotAllowed)
      case .nothing: return Self.failure(ControlError(.notFound, "No such resource."), status: .notFound)
      }
    } catch let error as ControlError {
      return Self.failure(error, status: error.code.status)
    } catch let error as TrustError {
      let error = ControlError(error)
      return Self.failure(error, status: error.code.status)
    } catch let error as MeshError {
      let error = ControlError(error)
      return Self.failure(error, status: error.code.status)
    } catch {
      logger.error("request failed", metadata: ["path": "\(Self.path(of: request))", "error": "\(error)"])
      return Self.failure(ControlError(.failed, "\(error)"), status: .internalServerError)
    }
  }

  /// For the log, without its query.
  private static func path(of request: HTTPEdge.Request) -> Substring { (request.head.path ?? "").prefix { $0 != "?" } }

  private static func failure(_ error: ControlError, status: HTTPResponse.Status) -> RoutedResponse {
    let body = ErrorResource(
      code: error.code, error: error.message, nextStep: error.nextStep.map(NextStepResource.init))
    return (try? .json(body, status: status))
      ?? RoutedResponse(status: status, contentType: nil, content: .whole(ByteBuffer()))
  }
}
