package import XMPP

/// What cannot be read as an HTTP message, or as an `httpx` URI.
package struct HTTPXError: Error, Sendable, Hashable {
  package enum Code: String, Sendable {
    /// No `httpx` URI.
    case uri
    /// No HTTP message as XEP-0332 carries it.
    case malformed
    /// The other side does not speak HTTP.
    case notHTTP
    /// The other side carries no WebSockets.
    case noUpgrade
    /// Within the rules, beyond `HTTPXLimits`.
    case limit
  }

  package let code: Code
  /// One sentence; for a URI it says what to write instead.
  package let message: String

  package init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  /// How a request that cannot be read is answered.
  package var stanzaError: StanzaError {
    switch code {
    case .uri, .malformed, .notHTTP, .noUpgrade: StanzaError(.badRequest, message)
    case .limit: StanzaError(.resourceConstraint, message)
    }
  }
}
