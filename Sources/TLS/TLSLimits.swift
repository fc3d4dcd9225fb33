package import NIOCore

/// What a peer may cost before and after it is known. Numbers, units, reasons; nothing else decides them.
enum TLSLimits {
  /// Bytes of a certificate list from a peer that nobody knows yet: one self-signed certificate has some 500.
  static let certificateListBytes = 16 * 1024
  /// Bits of an RSA key: fewer can be broken, more cost the verifier too much.
  static let rsaBits = 2048...8192
  /// Plaintext that is handed on at once, in bytes: what is read from a socket at once.
  static let plaintextBytes = 64 * 1024
  /// The largest plaintext of one record, in bytes (RFC 8446 §5.1). Smaller writes are gathered up to it.
  static let recordBytes = 16 * 1024
  /// What encryption adds to a record, in bytes: its header, the nonce of TLS 1.2, the inner type of 1.3 and the tag.
  static let recordOverhead = 5 + 8 + 1 + 16
  /// A buffer for ciphertext that grew beyond this many bytes is not kept for the next write.
  static let keptBuffer = 128 * 1024
  /// Bytes that a peer may make us send after the handshake without a write of ours (refusals of renegotiation, at
  /// 31 bytes each). One who asks and does not read the answers would fill our memory with them.
  static let unaskedBytes = 16 * 1024
  /// Characters of a common name (RFC 5280 appendix A.1, `ub-common-name`).
  static let commonName = 64
}

/// How long things may take.
package enum TLSTimes {
  /// From the connection to the end of the handshake. A Raspberry Pi needs 20 ms, a lossy Wi-Fi a second.
  package static let handshake = TimeAmount.seconds(10)
}
