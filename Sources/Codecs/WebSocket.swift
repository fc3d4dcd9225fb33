package import HTTPTypes

extension HTTPRequest {
  /// Asks for a WebSocket (RFC 6455 §4.1), the one change of protocol that is carried from end to end.
  ///
  /// `Connection`, which has to name `Upgrade` on each hop of HTTP/1.1, does not count here.
  package var asksForWebSocket: Bool {
    method == .get && headerFields.value(of: .upgrade)?.asciiLowercased == "websocket"
  }
}
