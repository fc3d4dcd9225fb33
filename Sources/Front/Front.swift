import HTTPEdge
import HTTPTypes
import HTTPX
package import Logging
package import Mesh
package import NIOCore
import ServiceLifecycle
import XMPP

/// Where browsers and curl of this machine come in: 127.0.0.1 and ::1, never wider.
///
/// A reference, since each request takes it along.
package final class Front: Service {
  private let node: Node
  private let port: Int
  private let gateway: Gateway
  private let names = KnownNames()
  private let responder: any FrontResponder
  private let eventLoopGroup: any EventLoopGroup
  private let logger: Logger
  private let listening = AsyncStream<FrontAddress>.makeStream()

  /// - Parameters:
  ///   - port: TCP; 0: a free one.
  ///   - responder: answers at the front's own origin, and where no device does.
  package init(
    node: Node, port: Int, responder: any FrontResponder, eventLoopGroup: any EventLoopGroup, logger: Logger
  ) {
    self.node = node
    self.port = port
    self.gateway = Gateway(node: node, responder: responder, patience: FrontLimits.patience, logger: logger)
    self.responder = responder
    self.eventLoopGroup = eventLoopGroup
    self.logger = logger
  }

  /// Serves until the graceful shutdown.
  ///
  /// - Throws: `HTTPServerError` where the port cannot be listened on.
  package func run() async throws {
    defer { listening.continuation.finish() }
    let server = HTTPServer(
      .loopback(port: port), eventLoopGroup: eventLoopGroup, logger: logger,
      listening: { [self] addresses in
        listening.continuation.yield(FrontAddress(port: addresses.first?.port ?? port))
      }
    ) { request, reply in
      // With a capture list it would be taken for `@concurrent`, and run outside of the connection's isolation (Swift 6.3).
      try await self.respond(request, reply)
    }
    try await server.run()
  }

  /// Returns once requests are accepted, with where; nil once that has failed and `run` has thrown. To be called once.
  package func waitUntilListening() async -> FrontAddress? {
    for await front in listening.stream { return front }
    return nil
  }

  private func respond(_ request: Request, _ reply: ResponseWriter) async throws {
    let front = FrontAddress(port: port == 0 ? request.channel.localAddress?.port ?? port : port)
    switch answerer(of: request.head, at: front) {
    case .device(let device, let path, let origin):
      try await gateway.forward(request, to: device, path: path, origin: origin, reply)
    case .dashboard(let path, let origin):
      try await writeOwn(to: request, path, of: origin, at: front, reply)
    case .front(let response): try await reply.write(response)
    }
  }

  private enum Answerer {
    /// `origin` is nil for a client that knows `httpx`.
    case device(JID, path: String, origin: DeviceOrigin?)
    case dashboard(path: String, origin: String)
    case front(Response)
  }

  /// Apart, as is whatever a request need not keep while it waits: an asynchronous function holds all that is in it, what
  /// was inlined included, in memory that has to be allocated.
  @inline(never) private func answerer(of head: HTTPRequest, at front: FrontAddress) -> Answerer {
    let gate = HostGate(front: front, names: names, device: device(labelled:))
    switch gate.destination(of: head) {
    case .device(let jid, let path, let origin):
      return answerer(of: head, jid, path, of: origin, DeviceOrigin(of: jid, at: front, as: origin))
    case .absolute(let uri):
      return answerer(of: head, uri.jid, uri.path, of: "\(HTTPXURI.scheme)://\(uri.authority)", nil)
    case .dashboard(let path, let origin): return .dashboard(path: path, origin: origin)
    case .redirectToDashboard:
      return .front(Response(status: .found, headers: [.location: front.dashboard, .contentLength: "0"]))
    case .misdirected(let reason):
      return .front(responder.response(to: head, failing: .misdirected(reason), at: front))
    case .badRequest(let reason): return .front(responder.response(to: head, failing: .badRequest(reason), at: nil))
    case .notAProxy:
      let reason = "This is no proxy for other sites: it serves httpx: addresses, and the names of its devices."
      return .front(responder.response(to: head, failing: .forbidden(reason), at: nil))
    }
  }

  @inline(never) private func writeOwn(
    to request: Request, _ path: String, of origin: String, at front: FrontAddress, _ reply: ResponseWriter
  ) async throws {
    try await reply.write(ownResponse(to: request, path, of: origin, at: front))
  }

  /// Away from the event loop, since the responder waits for files and for the system's databases of users.
  @concurrent private func ownResponse(
    to request: Request, _ path: String, of origin: String, at front: FrontAddress
  ) async throws -> Response {
    try await withTaskExecutorPreference(globalConcurrentExecutor) {
      try await responder.response(to: request, path: path, of: origin, at: front)
    }
  }

  /// - Parameter origin: what the client takes the device's origin to be; `seen` is nil where it knows `httpx`.
  private func answerer(
    of head: HTTPRequest, _ device: JID, _ path: String, of origin: String, _ seen: DeviceOrigin?
  ) -> Answerer {
    switch CrossSiteGate.verdict(on: head, to: path, at: origin) {
    case .pass: return .device(device, path: path, origin: seen)
    case .ask:
      let error = FrontError.unconfirmed(device, origin: origin, path: path)
      return .front(responder.response(to: head, failing: error, at: nil))
    case .refuse(let reason):
      logger.notice("another site's request was refused", metadata: ["device": "\(device)"])
      return .front(responder.response(to: head, failing: .forbidden(reason), at: nil))
    }
  }

  /// What the label stands for, or, where that cannot be told, a known device that has it.
  private func device(labelled label: String) -> JID? {
    DeviceLabel.jid(ofLabel: label) ?? node.devices().first { DeviceLabel.label(of: $0.jid) == label }?.jid
  }
}
