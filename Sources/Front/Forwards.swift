package import HTTPEdge
import HTTPTypes
package import Logging
package import Mesh
package import NIOCore
import ServiceLifecycle
import Synchronization

/// The forwards of this node: for each an HTTP server of its own on 127.0.0.1 and ::1, never wider.
package final class Forwards: Service {
  private let gateway: Gateway
  /// Where devices are that answers speak of, and the dashboard.
  private let front: FrontAddress
  private let responder: any FrontResponder
  private let eventLoopGroup: any EventLoopGroup
  private let logger: Logger
  private let listeners = Mutex<[Int: ForwardListener]>([:])
  private let opened = AsyncStream<ForwardListener>.makeStream()

  package init(
    node: Node, front: FrontAddress, responder: any FrontResponder, eventLoopGroup: any EventLoopGroup, logger: Logger
  ) {
    gateway = Gateway(node: node, responder: responder, patience: FrontLimits.patience, logger: logger)
    self.front = front
    self.responder = responder
    self.eventLoopGroup = eventLoopGroup
    self.logger = logger
  }

  /// Serves what was opened, and what will be, until the graceful shutdown.
  package func run() async {
    await withDiscardingTaskGroup { group in
      for await listener in opened.stream.cancelOnGracefulShutdown() {
        group.addTask { await self.run(listener) }
      }
      opened.continuation.finish()
      for listener in listeners.withLock({ Array($0.values) }) { listener.settle() }
    }
    for listener in listeners.withLock({ Array($0.values) }) { listener.abandon() }
  }

  /// Listens as soon as this runs. The port must be that of no other one here.
  package func open(_ forward: Forward) {
    let listener = ForwardListener(forward)
    listeners.withLock { $0[forward.port] = listener }
    if case .terminated = opened.continuation.yield(listener) { listener.abandon() }
  }

  /// Returns once the port is free again, or at once where there is none.
  package func close(_ port: Int) async {
    guard let listener = listeners.withLock({ $0.removeValue(forKey: port) }) else { return }
    listener.close()
    await listener.waitUntilClosed()
  }

  /// Waits until the port is listened on; why it is not, where that is so.
  package func problem(afterOpening port: Int) async -> HTTPServerError? {
    let listener = listeners.withLock { $0[port] }
    await listener?.waitUntilSettled()
    return listener?.problem
  }

  /// Why the port is not listened on, where that is so.
  package func problem(with port: Int) -> HTTPServerError? { listeners.withLock { $0[port] }?.problem }

  private func run(_ listener: ForwardListener) async {
    let forward = listener.forward
    await listener.run(server(of: listener))
    guard let problem = listener.problem else { return }
    logger.warning(
      "cannot be forwarded",
      metadata: ["device": "\(forward.device)", "port": "\(forward.port)", "why": "\(problem.message)"])
  }

  private func server(of listener: ForwardListener) -> HTTPServer {
    let forward = listener.forward
    return HTTPServer(
      .loopback(port: forward.port), eventLoopGroup: eventLoopGroup, logger: logger,
      listening: { _ in
        self.logger.info("forwarding", metadata: ["device": "\(forward.device)", "port": "\(forward.port)"])
        listener.settle()
      }
    ) { request, reply in
      try await self.respond(request, of: forward, reply)
    }
  }

  private func respond(_ request: Request, of forward: Forward, _ reply: ResponseWriter) async throws {
    let passage: ForwardGate.Passage
    do throws(FrontError) {
      passage = try ForwardGate(forward: forward).admit(request.head)
    } catch {
      return try await reply.write(refusal(error, of: request.head, by: forward))
    }
    let origin = DeviceOrigin(of: forward.device, at: front, as: passage.origin)
    try await gateway.forward(request, to: forward.device, path: passage.path, origin: origin, reply)
  }

  private func refusal(_ error: FrontError, of request: HTTPRequest, by forward: Forward) -> Response {
    logger.notice(
      "refused at a forward",
      metadata: ["device": "\(forward.device)", "port": "\(forward.port)", "why": "\(error.reason)"])
    return responder.response(to: request, failing: error, at: nil)
  }
}
