import Control
import Logging
import Mesh
import ServiceLifecycle

/// Says once that the daemon listens and is announced: one log line, and the service manager is told.
struct Readiness: Service {
  let node: Node
  let control: ControlServer
  let socket: String
  let frontPort: Int?
  let notifier: ServiceNotifier
  let logger: Logger

  func run() async throws {
    try await withGracefulShutdownHandler {
      guard try await isReady() else { return }
      let status = node.status()
      logger.notice(
        "ready",
        metadata: [
          "jid": "\(status.jid)", "port": "\(status.port)", "socket": "\(socket)",
          "front": frontPort.map { "http://hearth.localhost:\($0)/" } ?? "off",
        ])
      notifier.ready("\(status.jid) on port \(status.port)")
      try? await gracefulShutdown()
    } onGracefulShutdown: {
      notifier.stopping()
    }
  }

  /// False where the daemon is told to end before.
  private func isReady() async throws -> Bool {
    do {
      try await cancelWhenGracefulShutdown {
        await control.waitUntilListening()
        try await node.waitUntilReady()
      }
      return !Task.isShuttingDownGracefully
    } catch is CancellationError {
      return false
    }
  }
}
