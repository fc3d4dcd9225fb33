import Codecs
import HTTPTypes
import NIOCore
import XMPP

/// What goes on. Every method throws `ControlError`, or `CancellationError`.
extension ControlClient {
  /// In Prometheus's text format.
  package func metrics() async throws -> String {
    try await exchange(Self.request(.get, "/metrics"), body: nil) { response, body in
      guard response.status == .ok else { throw try await Self.failure(response, body) }
      return String(buffer: try await body.collect(upTo: ControlLimits.answerBytes))
    }
  }

  /// The newest first.
  package func recentRequests() async throws -> RequestLogResource {
    try await ask(.get, "/v1/recent", for: RequestLogResource.self)
  }

  /// Each stanza and request from now on, of one device or of all, until the daemon ends or `receive` throws.
  ///
  /// `ready` is called first: what it sets off is not missed.
  package func trace(
    _ device: String?, ready: () async throws -> Void = {}, receive: (TraceResource) async throws -> Void
  ) async throws {
    let query = device.map { "?device=\(PercentEncoding.encode($0, except: .authority))" } ?? ""
    try await exchange(Self.request(.get, "/v1/trace\(query)"), body: nil) { response, body in
      guard response.status == .ok else { throw try await Self.failure(response, body) }
      try await ready()
      try await Self.lines(body, of: TraceResource.self, receive: receive)
    }
  }
}
