import HTTPEdge
import HTTPTypes
import HTTPX

/// What a caller is told when the app gave no response: one table (RFC 9110 §15.6, RFC 9209 §2.3).
struct ProxyFailure {
  let status: HTTPResponse.Status
  /// RFC 9209's name of the error.
  let token: String
  let reason: String

  init(_ error: HTTPClientError) {
    switch error.code {
    case .refused: self.init(.badGateway, "connection_refused", "The app behind this device is not running.")
    case .unresolved: self.init(.badGateway, "dns_error", "The app behind this device has a name without address.")
    case .connectTimedOut:
      self.init(.gatewayTimeout, "connection_timeout", "The app behind this device cannot be reached.")
    case .responseTimedOut:
      self.init(.gatewayTimeout, "http_response_timeout", "The app behind this device did not answer in time.")
    case .reset, .closedEarly:
      self.init(.badGateway, "connection_terminated", "The app behind this device broke the connection off.")
    case .malformed:
      self.init(
        .badGateway, "http_protocol_error",
        "The answer of the app behind this device cannot be passed on: \(error.message).")
    case .untrusted:
      self.init(.badGateway, "tls_certificate_error", "The app behind this device is not trusted: \(error.message).")
    case .tlsFailed:
      self.init(.badGateway, "tls_protocol_error", "There is no TLS with the app behind this device: \(error.message).")
    case .tlsAlert:
      self.init(.badGateway, "tls_alert_received", "The app behind this device refuses: \(error.message).")
    case .invalidRequest: self.init(.badRequest, "http_request_error", "The request cannot be passed on.")
    case .limit:
      self.init(.serviceUnavailable, "connection_limit_reached", "The app behind this device has too much to do.")
    }
  }

  private init(_ status: HTTPResponse.Status, _ token: String, _ reason: String) {
    self.status = status
    self.token = token
    self.reason = reason
  }

  /// A plain text, and `Proxy-Status` for programs.
  func response(to method: HTTPRequest.Method) -> HTTPXResponse {
    .plain(status, reason, [.proxyStatus: "hearth; error=\(token)"], to: method)
  }
}
