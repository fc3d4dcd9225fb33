/// Why a connection has no TLS, or no longer.
package struct TLSError: Error, Hashable, Sendable, CustomStringConvertible {
  package enum Code: Hashable, Sendable {
    /// Our own key or certificate cannot be made, read or used.
    case unusableIdentity
    /// A host name, a fingerprint or a list of authorities cannot be used, or OpenSSL is out of memory.
    case unusableConfiguration
    case handshakeTimeout
    /// The other side hung up during the handshake.
    case handshakeEnded
    /// What came first is no TLS at all.
    case notTLS
    /// There is no version, cipher, group or signature that both sides accept.
    case nothingInCommon
    /// The certificate cannot be read, its key is of a kind that is not accepted, or it is not the expected one.
    case certificateRefused
    /// The handshake was not signed with the certificate's key.
    case wrongKey
    /// The other side refused us, with this alert (RFC 8446 §6.2).
    case alert(UInt8)
    /// The other side broke the protocol, or somebody changed what it sent.
    case violation
    /// The connection ended without `close_notify`: whether all has come cannot be told (RFC 8446 §6.1).
    case truncated
  }

  package let code: Code
  /// For logs and for the user.
  package let message: String

  package init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  package var description: String { message }
}

extension TLSError {
  static let handshakeTimeout = TLSError(.handshakeTimeout, "the TLS handshake took too long")
  static let handshakeEnded = TLSError(.handshakeEnded, "the other side hung up during the TLS handshake")
  static let truncated = TLSError(.truncated, "the connection ended without saying so in TLS; something may be missing")
}
