import Codecs
package import Dashboard
import HTTPTypes
import HTTPX
package import Mesh
import Synchronization
package import Trust

/// What the dashboard of a test's node serves: everything is answered with its target.
package final class TestServices: OwnedServices {
  private let node: Node
  private let names = Mutex<Set<String>>([])

  package init(node: Node) {
    self.node = node
  }

  package func serve(
    _ name: String, target: String, title: String?, access: AccessPolicy.Access
  ) async throws(ServingError) {
    guard name != "taken", let policy = try? AccessPolicy(access: access) else {
      throw ServingError("\"\(name)\" stands in hearth.toml.")
    }
    let handler = TestHandler { _, _, send in
      try await send(HTTPXResponse(HTTPResponse(status: .ok), body: Body(target)))
    }
    node.serve(HostedService(name: name, title: title, target: target, policy: policy, handler: handler))
    names.withLock { _ = $0.insert(name) }
  }

  package func stop(_ name: String) async throws(ServingError) {
    guard names.withLock({ $0.remove(name) }) != nil, node.unserve(name) else {
      throw ServingError("No service \"\(name)\" is served.")
    }
  }

  package func stoppable() async -> Set<String> { names.withLock { $0 } }
}
