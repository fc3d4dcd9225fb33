import Account
import Control
import Logging
import Mesh
import NIOCore
import ServiceLifecycle
import XMPP

/// Runs this node as a component of a server, as `[component]` says.
struct ComponentRunner: Service {
  let component: ServerComponent
  let node: Node

  /// nil where its secret cannot be read: all else goes on without.
  init?(_ section: Configuration.ComponentSection, node: Node, on eventLoop: any EventLoop, logger: Logger) {
    do throws(ControlError) {
      let configuration = ComponentConfiguration(
        domain: section.domain, secret: try AccountBook.password(in: section.secretFile), server: section.server)
      component = ServerComponent(configuration, on: eventLoop, logger: logger)
    } catch {
      logger.error("the component is not used: \(error.message)", metadata: ["domain": "\(section.domain)"])
      return nil
    }
    self.node = node
  }

  func run() async {
    await cancelWhenGracefulShutdown {
      await withTaskGroup(of: Void.self) { group in
        group.addTask { await component.run() }
        group.addTask { await node.use(component: component) }
      }
    }
  }
}
