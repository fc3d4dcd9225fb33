import HTTPEdge
import HTTPTypes
import HTTPX

/// What a caller is told when the app gave no response: one table (RFC 9110 §15.6, RFC 9209 §2.3).
struct ProxyFailure {
  let status: HTTPResponse.Status
  let failure: OriginFailure
  /// For the caller.
  let text: String

  init(_ error: HTTPClientError) {
    let (status, token, text): (HTTPResponse.Status, String, String) =
      switch error.code {
      case .refused: (.badGateway, "connection_refused", "The app behind this device is not running.")
      case .unresolved: (.badGateway, "dns_error", "The app behind this device has a name without address.")
      case .connectTimedOut: (.gatewayTimeout, "connection_timeout", "The app behind this device cannot be reached.")
      case .responseTimedOut:
        (.gatewayTimeout, "http_response_timeout", "The app behind this device gave \(error.message).")
      case .reset, .closedEarly:
        (.badGateway, "connection_terminated", "The app behind this device broke the connection off.")
      case .malformed:
        (
          .badGateway, "http_protocol_error",
          "The answer of the app behind this device cannot be passed on: \(error.message)."
        )
      case .untrusted:
        (.badGateway, "tls_certificate_error", "The app behind this device is not trusted: \(error.message).")
      case .tlsFailed:
        (.badGateway, "tls_protocol_error", "There is no TLS with the app behind this device: \(error.message).")
      case .tlsAlert: (.badGateway, "tls_alert_received", "The app behind this device refuses: \(error.message).")
      case .invalidRequest: (.badRequest, OriginFailure.requestError, "The request cannot be passed on.")
      case .limit: (.serviceUnavailable, "connection_limit_reached", "The app behind this device has too much to do.")
      }
    self.status = status
    self.text = text
    failure = OriginFailure(OriginFailure.Kind(error.code), error: token, reason: error.message)
  }

  /// A plain text; whoever serves the app says in `Proxy-Status` why.
  func response(to method: HTTPRequest.Method) -> HTTPXResponse {
    let fields: HTTPFields = status == .serviceUnavailable ? [.retryAfter: "\(OriginLimits.retryAfter)"] : [:]
    var response = HTTPXResponse.plain(status, text, fields, to: method)
    response.failure = failure
    return response
  }
}

extension OriginFailure.Kind {
  /// What TLS refuses is found out by being asked, not by a connection alone.
  fileprivate init(_ code: HTTPClientError.Code) {
    switch code {
    case .refused, .unresolved, .connectTimedOut: self = .unreachable
    case .responseTimedOut, .reset, .closedEarly, .untrusted, .tlsFailed, .tlsAlert: self = .silent
    case .malformed, .invalidRequest, .limit: self = .request
    }
  }
}
