import Control
import Front
import Logging
import Mesh
import XMPP

extension ControlAnswers {
  /// What the daemon answers: the node's devices, the services of the book, and the mesh through the gateway.
  init(node: Node, book: ServiceBook, logger: Logger) {
    let gateway = Gateway(node: node, logger: logger)
    self.init(
      devices: { node.devices() }, deviceChanges: { node.deviceChanges() }, status: { node.status() },
      serve: { name, service in
        var served = try await book.add(
          ServiceDefinition(
            name: name, target: service.target, title: service.title, description: service.description,
            plaintext: service.plaintext))
        // So that what is said is true: the name may be taken, and a moment later the device can be opened.
        let standing = await node.standing(of: name, within: CLILimits.announcement)
        if let jid = standing?.jid { served.jid = jid.text }
        if let problem = standing?.problem { served.warnings.append("it cannot be announced: \(problem)") }
        return served
      },
      unserve: { try await book.remove($0) },
      proxy: { request, writer, _ in try await gateway.forward(request, writer: writer) })
  }
}
