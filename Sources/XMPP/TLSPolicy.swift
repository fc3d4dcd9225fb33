/// Whether a stream is to be encrypted. Decided here alone, never by what the other side offers: one in the middle could
/// strip that.
package enum TLSPolicy: Sendable, Hashable {
  /// Neither offered nor asked for: this side has no key.
  case none
  /// Where both sides can; otherwise the stream opens in plaintext.
  case preferred
  /// No stanza passes without, nor without a key of the other side.
  case required
}

/// Why a stream that was to be encrypted is not.
package enum Insecurity: Error, Sendable, Hashable {
  /// The other side's header is from before XMPP 1.0, which knows no TLS.
  case oldVersion
  /// Its features did not come within `StreamTimes.features`, or stanzas came before them.
  case noFeatures
  /// Its features came, and TLS is not among them.
  case notOffered
  /// It offered TLS, and then would not proceed.
  case refused
  /// It went on without the TLS that we require.
  case declined
  /// TLS is there, and the other side showed no key in it.
  case noKey
  /// The handshake failed, and why.
  case handshake(String)
}

extension Insecurity: CustomStringConvertible {
  /// For logs and for the peer's developer.
  package var description: String {
    switch self {
    case .oldVersion: "TLS is required, and the header has no version that knows it"
    case .noFeatures: "TLS is required, and no features came that offer it"
    case .notOffered: "TLS is required, and not offered"
    case .refused: "TLS was offered, and then refused"
    case .declined: "TLS is required, and was not begun"
    case .noKey: "a key is required, and none was shown"
    case .handshake(let reason): "the TLS handshake failed: \(reason)"
    }
  }
}
