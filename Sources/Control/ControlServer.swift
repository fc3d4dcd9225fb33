import HTTPEdge
import HTTPTypes
import Hummingbird
import HummingbirdCore
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
    defer { listening.continuation.finish() }
    let router = routes.router().buildResponder()
    // The server's own words on listening are nothing to a user, who reads of the socket in the ready line.
    var quiet = logger
    quiet.logLevel = max(logger.logLevel, .notice)
    let server = HTTPServer(
      .unix(path: socket), eventLoopGroup: eventLoopGroup, logger: quiet,
      listening: { _ in
        // Root's own group is not whom the rights are about.
        if geteuid() == 0, let group = rights.group { chown(socket, 0, group) }
        chmod(socket, 0o660)
        listening.continuation.finish()
      }
    ) { request, writer, channel in
      do throws(ControlError) {
        try await check(request, on: channel)
      } catch {
        let refused = Self.failure(error, status: error.code.status)
        return try await writer.write(response: refused.head, body: refused.body)
      }
      guard request.head.path?.hasPrefix("/") == true else {
        return try await daemon.forward(request, writer: writer)
      }
      let response = await Self.respond(to: request, by: router, on: channel, logger: logger)
      try await writer.write(response: response.head, body: response.body)
    }
    do {
      try await server.run()
    } catch let error as HTTPServerError {
      throw ControlError(.conflict, "The control socket cannot be used: \(error.message) (--socket).")
    }
  }

  /// Returns once requests are accepted, or once that has failed and `run` has thrown.
  package func waitUntilListening() async {
    for await _ in listening.stream {}
  }

  private func check(_ request: Request, on channel: any Channel) async throws(ControlError) {
    do throws(ControlError) {
      guard request.headers[.origin] == nil
      else { throw ControlError(.notPermitted, "The control socket is not for web pages.") }
      let peer = await PeerCredentials.of(channel)
      try rights.check(request.method, by: peer)
    } catch {
      logger.notice("refused on the control socket", metadata: ["path": "\(request.uri.path)", "why": "\(error)"])
      throw error
    }
  }

  private static func respond<Responder: HTTPResponder>(
    to request: Request, by router: Responder, on channel: any Channel, logger: Logger
  ) async -> Response where Responder.Context == BasicRequestContext {
    do {
      let context = BasicRequestContext(source: ApplicationRequestContextSource(channel: channel, logger: logger))
      return try await router.respond(to: request, context: context)
    } catch let error as ControlError {
      return failure(error, status: error.code.status)
    } catch let error as TrustError {
      let error = ControlError(error)
      return failure(error, status: error.code.status)
    } catch let error as MeshError {
      let error = ControlError(error)
      return failure(error, status: error.code.status)
    } catch let error as HTTPError {
      let known = error.status == .notFound || error.status == .methodNotAllowed
      return failure(ControlError(known ? .notFound : .failed, "No such resource."), status: error.status)
    } catch {
      logger.error("request failed", metadata: ["path": "\(request.uri.path)", "error": "\(error)"])
      return failure(ControlError(.failed, "\(error)"), status: .internalServerError)
    }
  }

  private static func failure(_ error: ControlError, status: HTTPResponse.Status) -> Response {
    let body = ErrorResource(
      code: error.code, error: error.message, nextStep: error.nextStep.map(NextStepResource.init))
    return (try? .json(body, status: status)) ?? Response(status: status)
  }
}
