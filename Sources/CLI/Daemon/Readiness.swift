import Control
import Logging
import Mesh
import ServiceLifecycle

/// Says once that the daemon listens and is announced: one log line, and the service manager is told.
///
/// Has to be started before the node, and so ends after it: only the node's end cuts its waiting short.
struct Readiness: Service {
  let node: Node
  let control: ControlServer
  let socket: String
  let frontPort: Int?
  let notifier: ServiceNotifier
  let logger: Logger

  func run() async {
    await control.waitUntilListening()
    do {
      try await node.waitUntilReady()
    } catch {
      // The node has ended before, and says why itself.
      return await untilTheEnd()
    }
    let status = node.status()
    logger.notice(
      "ready",
      metadata: [
        "jid": "\(status.jid)", "port": "\(status.port)", "socket": "\(socket)",
        "front": frontPort.map { "http://hearth.localhost:\($0)/" } ?? "off",
      ])
    notifier.ready("\(status.jid) on port \(status.port)")
    await untilTheEnd()
  }

  /// A service that returns early would end the others.
  private func untilTheEnd() async {
    try? await gracefulShutdown()
  }
}
