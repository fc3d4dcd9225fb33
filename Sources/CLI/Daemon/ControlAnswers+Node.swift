import Control
import Front
import Logging
import Mesh

extension ControlAnswers {
  /// What the daemon answers: the node's devices, the services of the book, and the mesh through the gateway.
  init(node: Node, book: ServiceBook, logger: Logger) {
    let gateway = Gateway(node: node, logger: logger)
    self.init(
      devices: { node.devices() }, deviceChanges: { node.deviceChanges() }, status: { node.status() },
      serve: { name, service in
        try await book.add(
          ServiceDefinition(
            name: name, target: service.target, title: service.title, description: service.description,
            plaintext: service.plaintext))
      },
      unserve: { try await book.remove($0) },
      proxy: { request, writer, _ in try await gateway.forward(request, writer: writer) })
  }
}
