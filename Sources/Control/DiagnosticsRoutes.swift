import FoundationEssentials
import HTTPEdge
import HTTPTypes
import Mesh
import NIOCore
import XMPP

/// The resources of the control socket that show what goes on.
struct DiagnosticsRoutes: Sendable {
  let node: any LocalNode
  let version: String

  /// Only who may change things may look there: they tell who opened what.
  static let ownersPaths = ["/v1/recent", "/v1/trace"]

  func add(to router: inout Router) {
    router.on(.get, "/metrics") { _ in Self.metrics(node.metrics(), version: version) }
    router.on(.get, "/v1/recent") { _ in
      try .json(RequestLogResource(requests: node.recentRequests().map(RequestResource.init)))
    }
    router.on(.get, "/v1/trace") { request in
      guard let text = request.query["device"] else { return trace(of: nil) }
      guard let device = JID(bare: text) else {
        throw ControlError(.invalid, "“\(text)” is no device: write its address, like printer@pi.")
      }
      return trace(of: device)
    }
  }

  static func metrics(_ metrics: NodeMetrics, version: String) -> RoutedResponse {
    let text = MetricsText.text(metrics, .current, version: version)
    return RoutedResponse(
      status: .ok, contentType: MetricsText.contentType, content: .whole(ByteBuffer(string: text)))
  }

  /// One line a stanza or request, until either side ends.
  private func trace(of device: JID?) -> RoutedResponse {
    // Before the head is sent, so that whoever has read that misses nothing.
    let events = node.traceEvents()
    return .lines { writer in
      for await event in events where device.map(event.concerns) ?? true {
        try await writer.write(try .line(TraceResource(event, at: Date())))
      }
    }
  }
}
