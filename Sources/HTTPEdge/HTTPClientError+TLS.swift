import TLS

extension HTTPClientError {
  /// Of TLS on a connection, before or after the end of its handshake.
  init(_ error: TLSError, with address: HTTPAddress) {
    let code: Code =
      switch error.code {
      case .certificateRefused, .wrongKey: .untrusted
      case .alert: .tlsAlert
      case .handshakeTimeout: .connectTimedOut
      // An end that anybody can have made: the same as one inside a response (RFC 9112 §9.8).
      case .truncated: .closedEarly
      case .notTLS, .nothingInCommon, .handshakeEnded, .violation, .unusableIdentity, .unusableConfiguration: .tlsFailed
      }
    self.init(code, address, error.message)
  }
}
