import Codecs
import Front
import HTTPEdge
import HTTPTypes
package import Logging
package import Mesh
package import NIOCore
import ServiceLifecycle

/// `/metrics` on 127.0.0.1 and ::1, never wider, for a Prometheus of this machine: numbers, and nothing else.
///
/// A port that cannot be had keeps nothing else from running.
package struct MetricsServer: Service {
  private let port: Int
  private let node: any LocalNode
  private let version: String
  private let eventLoopGroup: any EventLoopGroup
  private let logger: Logger
  private let listening: @Sendable (Int) -> Void

  /// - Parameters:
  ///   - port: TCP; 0: a free one.
  ///   - listening: called once, with the port.
  package init(
    port: Int, node: any LocalNode, version: String, eventLoopGroup: any EventLoopGroup, logger: Logger,
    listening: @escaping @Sendable (Int) -> Void = { _ in }
  ) {
    (self.port, self.node, self.version) = (port, node, version)
    (self.eventLoopGroup, self.logger, self.listening) = (eventLoopGroup, logger, listening)
  }

  package func run() async {
    do {
      try await server.run()
    } catch {
      let why = (error as? HTTPServerError)?.message ?? "\(error)"
      logger.warning("no metrics: \(why) (listen under [metrics] in hearth.toml)", metadata: ["port": "\(port)"])
    }
    // What ends early would end the others.
    try? await gracefulShutdown()
  }

  private var server: HTTPServer {
    HTTPServer(
      .loopback(port: port), eventLoopGroup: eventLoopGroup, logger: logger,
      listening: { addresses in listening(addresses.first?.port ?? port) }
    ) { request, writer in
      try await writer.write(response(to: request.head))
    }
  }

  private func response(to head: HTTPRequest) -> Response {
    guard isHere(head) else { return Self.plain(.misdirectedRequest, "This is no name of this port.\n") }
    guard head.path == "/metrics" else { return Self.plain(.notFound, "Here are only /metrics.\n") }
    guard head.method == .get || head.method == .head else {
      return Self.plain(.methodNotAllowed, "GET or HEAD.\n", [.allow: "GET, HEAD"])
    }
    let text = MetricsText.text(node.metrics(), .current, version: version)
    return Self.plain(.ok, text, [.contentType: MetricsText.contentType])
  }

  /// Pages of a site whose name was rebound to this machine ask for another host, and those of others say where they are from.
  private func isHere(_ head: HTTPRequest) -> Bool {
    guard !head.headerFields.contains(.origin), let authority = head.authority else { return false }
    return LoopbackHost.names.contains(String(Authority.split(authority).host).lowercased())
  }

  private static func plain(_ status: HTTPResponse.Status, _ text: String, _ fields: HTTPFields = [:]) -> Response {
    var fields = fields
    if !fields.contains(.contentType) { fields[.contentType] = "text/plain; charset=utf-8" }
    fields[.contentLength] = "\(text.utf8.count)"
    return Response(HTTPResponse(status: status, headerFields: fields), body: Body(text))
  }
}
