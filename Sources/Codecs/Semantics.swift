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
    // Read once: it is kept as text.
    let status = status
    return method != .head && status != .noContent && status != .notModified && status.kind != .informational
  }
}
