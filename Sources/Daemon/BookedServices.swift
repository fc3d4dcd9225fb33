import Control
import Dashboard
import Mesh
import Trust
import XMPP

/// What the owner changes about services, by the control socket and on the dashboard alike: `ServiceBook`, and what the node
/// says of it.
struct BookedServices: Sendable {
  let node: Node
  let book: ServiceBook

  func serve(_ name: String, _ service: ServiceResource) async throws -> ServedResource {
    var served = try await book.add(try ServiceDefinition(name, service))
    // So that what is said is true: the name may be taken, and a moment later the device can be opened.
    let standing = await node.standing(of: name, within: DaemonLimits.announcement)
    if let jid = standing?.jid { served.jid = jid.text }
    if let problem = standing?.problem { served.warnings.append("it cannot be announced: \(problem)") }
    if standing?.jid == nil, standing?.problem == nil, let problem = node.status().discoveryProblem {
      served.warnings.append("it is announced when that can be done: \(problem)")
    }
    if case .down(let reason)? = standing?.health.health {
      served.warnings.append("nothing answers for it at the moment: \(reason)")
    }
    return served
  }
}

extension BookedServices: OwnedServices {
  func serve(
    _ name: String, target: String, title: String?, access: AccessPolicy.Access
  ) async throws(ServingError) {
    do {
      _ = try await serve(name, ServiceResource(target: target, title: title, access: AccessResource(access)))
    } catch {
      throw ServingError(error)
    }
  }

  func stop(_ name: String) async throws(ServingError) {
    do {
      try await book.remove(name)
    } catch {
      throw ServingError(error)
    }
  }

  func stoppable() async -> Set<String> { await book.addedNames }
}

extension ServingError {
  fileprivate init(_ error: any Error) {
    self.init((error as? ControlError)?.message ?? "\(error)")
  }
}
