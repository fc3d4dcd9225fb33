import Control
import Front
import Logging
import Mesh
import ServiceLifecycle
import Trust

/// Says once that the daemon listens, and is announced or will be once that can be done: one log line, and the service manager
/// is told. What the node serves at its own machine needs no announcement.
///
/// Has to be started before the node, and so ends after it: only the node's end cuts its waiting short.
struct Readiness: Service {
  let node: Node
  let control: ControlServer
  let socket: String
  /// nil where no front runs.
  let front: Front?
  let notifier: ServiceNotifier
  let logger: Logger

  func run() async {
    await control.waitUntilListening()
    let address = await front?.waitUntilListening()
    // A front that does not come up says why itself, and ends the daemon.
    guard front == nil || address != nil else { return await untilTheEnd() }
    do {
      try await node.waitUntilReady()
    } catch {
      // The node has ended before, and says why itself.
      return await untilTheEnd()
    }
    let status = node.status()
    let problem = status.discoveryProblem ?? status.announcementProblem
    logger.notice(
      "ready",
      metadata: [
        "jid": "\(status.jid)", "node": "\(node.trustService.id.short)", "port": "\(status.port)",
        "socket": "\(socket)", "front": "\(address?.dashboard ?? "off")", "announced": "\(problem == nil)",
      ])
    notifier.ready("\(status.jid) on port \(status.port)" + (problem.map { ", not announced: \($0)" } ?? ""))
    await untilTheEnd()
  }

  /// A service that returns early would end the others.
  private func untilTheEnd() async {
    try? await gracefulShutdown()
  }
}
