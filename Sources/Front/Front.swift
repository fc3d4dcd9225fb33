import HTTPEdge
import HTTPTypes
import HTTPX
import HummingbirdCore
package import Logging
package import Mesh
package import NIOCore
import ServiceLifecycle
import XMPP

/// Where browsers and curl of this machine come in: 127.0.0.1 and ::1, never wider.
package struct Front: Service {
  /// Chosen in the hope that it is free; no meaning beyond that.
  package static let standardPort = 8332

  private let node: Node
  private let port: Int
  private let gate: HostGate
  private let gateway: Gateway
  private let dashboard: Dashboard
  private let eventLoopGroup: any EventLoopGroup
  private let logger: Logger

  package init(node: Node, port: Int, eventLoopGroup: any EventLoopGroup, logger: Logger) {
    self.node = node
    self.port = port
    self.gate = HostGate(port: port) { label in
      node.devices().first { DeviceLabel.label(of: $0.jid) == label }?.jid
    }
    self.gateway = Gateway(node: node, logger: logger)
    self.dashboard = Dashboard(port: port)
    self.eventLoopGroup = eventLoopGroup
    self.logger = logger
  }

  /// Serves until the graceful shutdown.
  ///
  /// - Throws: where the port is taken.
  package func run() async throws {
    let server = HTTPServer(.loopback(port: port), eventLoopGroup: eventLoopGroup, logger: logger) {
      request, writer, _ in try await respond(request, writer)
    }
    try await server.run()
  }

  private func respond(_ request: Request, _ writer: consuming ResponseWriter) async throws {
    switch gate.destination(of: request.head) {
    case .device(let jid, let path):
      try await gateway.forward(request, to: jid, path: path, writer: writer)
    case .dashboard:
      try await Reply(writer, to: request.head).write(dashboardResponse(to: request.head))
    case .redirectToDashboard:
      let location = "http://\(HostGate.dashboardLabel).\(HostGate.zone):\(port)/"
      try await Reply(writer, to: request.head).write(Response(status: .found, headers: [.location: location]))
    case .misdirected(let reason):
      try await refuse(request, .misdirectedRequest, reason, writer)
    case .badRequest(let reason):
      try await refuse(request, .badRequest, reason, writer)
    case .notAProxy:
      try await refuse(request, .forbidden, "This proxy serves httpx: addresses only.", writer)
    }
  }

  private func dashboardResponse(to request: HTTPRequest) -> Response {
    switch (request.method, request.path) {
    case (.get, "/"), (.head, "/"): dashboard.page(node.devices())
    case (.get, _), (.head, _): .own(.notFound, type: "text/plain", "There is only / here.\n")
    default: .own(.methodNotAllowed, type: "text/plain", "GET or HEAD.\n", fields: [.allow: "GET, HEAD"])
    }
  }

  private func refuse(
    _ request: Request, _ status: HTTPResponse.Status, _ reason: String, _ writer: consuming ResponseWriter
  ) async throws {
    let page = Page(status: status, title: status.reasonPhrase, body: "<p>\(Page.escaped(reason))</p>")
    try await Reply(writer, to: request.head).write(page.response())
  }
}
