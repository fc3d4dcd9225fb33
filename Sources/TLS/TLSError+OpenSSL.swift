import COpenSSL

/// What OpenSSL says about a connection, in our terms.
extension TLSError {
  /// The error that ended a session, from the thread's error queue, which is empty afterwards.
  ///
  /// `refusal` says what is wrong with the peer's certificate, where that was it.
  static func session(refusal: @autoclosure () -> String) -> TLSError {
    let entries = ErrorQueue.drain()
    guard let entry = entries.first(where: { $0.library == ERR_LIB_SSL }) else {
      return TLSError(.violation, "TLS failed (\(entries.first?.text ?? "OpenSSL does not say why"))")
    }
    if let alert = alert(entry) { return alert }
    switch entry.reason {
    case SSL_R_CERTIFICATE_VERIFY_FAILED: return TLSError(.certificateRefused, refusal())
    case SSL_R_BAD_SIGNATURE: return TLSError(.wrongKey, "the handshake was not signed with the certificate's key")
    case _ where foreign.contains(entry.reason):
      return TLSError(.notTLS, "the other side does not speak TLS (\(entry.text))")
    case _ where incompatible.contains(entry.reason):
      return TLSError(.nothingInCommon, "no TLS that both sides accept; 1.2 is the least here (\(entry.text))")
    case _ where damaged.contains(entry.reason):
      return TLSError(.certificateRefused, "the other side's certificate cannot be used (\(entry.text))")
    default: return TLSError(.violation, "the other side broke the TLS protocol (\(entry.text))")
    }
  }

  private static let foreign: Set<Int32> = [SSL_R_HTTP_REQUEST, SSL_R_HTTPS_PROXY_REQUEST, SSL_R_WRONG_VERSION_NUMBER]

  private static let incompatible: Set<Int32> = [
    SSL_R_UNSUPPORTED_PROTOCOL, SSL_R_VERSION_TOO_LOW, SSL_R_NO_PROTOCOLS_AVAILABLE, SSL_R_UNSUPPORTED_SSL_VERSION,
    SSL_R_WRONG_SSL_VERSION, SSL_R_NO_SHARED_CIPHER, SSL_R_NO_SUITABLE_KEY_SHARE, SSL_R_WRONG_SIGNATURE_TYPE,
    SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM, SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS,
  ]

  /// For a certificate that cannot be read OpenSSL names the layer that could not.
  private static let damaged: Set<Int32> = [
    Int32(ERR_R_ASN1_LIB), Int32(ERR_R_X509_LIB), Int32(ERR_R_EVP_LIB), SSL_R_CERT_LENGTH_MISMATCH, SSL_R_BAD_ECPOINT,
    SSL_R_EXCESSIVE_MESSAGE_SIZE, SSL_R_UNABLE_TO_FIND_PUBLIC_KEY_PARAMETERS, SSL_R_UNKNOWN_CERTIFICATE_TYPE,
  ]

  /// OpenSSL numbers the alerts that it receives from 1000.
  private static func alert(_ entry: ErrorQueue.Entry) -> TLSError? {
    guard let alert = UInt8(exactly: entry.reason - SSL_AD_REASON_OFFSET) else { return nil }
    return TLSError(.alert(alert), "the other side refused TLS with us (\(entry.text))")
  }
}
