package import HTTPTypes

extension HTTPRequest.Method {
  /// Doing it twice is doing it once (RFC 9110 §9.2.2).
  package var isIdempotent: Bool {
    switch self {
    case .get, .head, .options, .trace, .put, .delete: true
    default: false
    }
  }
}

extension HTTPResponse {
  /// False for those that have none, whatever their fields say (RFC 9112 §6.3).
  package func hasBody(answering method: HTTPRequest.Method) -> Bool {
    method != .head && status.hasBody
  }
}

extension HTTPResponse.Status {
  /// Whether a response has a body, but for the one to HEAD (RFC 9112 §6.3).
  package var hasBody: Bool { code >= 200 && code != 204 && code != 304 }
}
