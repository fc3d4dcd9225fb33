import COpenSSL

/// Which certificates of the other side a session accepts. That the other side has the key is proved by the handshake
/// whatever the rule says.
enum CertificateRule: Sendable {
  /// Any that is signed with the key that it carries, of a kind that nodes may have. Dates do not count.
  case anyNode
  /// The one with this SHA-256. Dates do not count.
  case fingerprint([UInt8])
  /// Those that an authority has signed for the host, within their dates.
  case authorities
  case any

  /// What is wrong with a certificate, as one of OpenSSL's codes, which choose the alert for the other side.
  private enum Fault {
    static let kindOfKey = X509_V_ERR_CERT_REJECTED
    static let notSelfSigned = X509_V_ERR_CERT_SIGNATURE_FAILURE
    static let otherCertificate = X509_V_ERR_APPLICATION_VERIFICATION
  }

  /// `X509_V_OK`, or what is wrong.
  func check(_ certificate: OpaquePointer?) -> Int32 {
    // What a refused certificate leaves behind would hide why it was refused.
    defer { ErrorQueue.clear() }
    switch self {
    case .anyNode:
      guard let certificate, let key = X509_get0_pubkey(certificate),
        KeyKind(key, spki: Certificate.spki(certificate)) != nil
      else { return Fault.kindOfKey }
      return X509_verify(certificate, key) == 1 ? X509_V_OK : Fault.notSelfSigned
    case .fingerprint(let digest):
      let isExpected = certificate.map { Digest.sha256(Certificate.der($0)) == digest } ?? false
      return isExpected ? X509_V_OK : Fault.otherCertificate
    case .authorities, .any: return X509_V_OK
    }
  }

  /// For logs and for the user; `code` is from `check`, or from OpenSSL's own check for authorities.
  func message(_ code: Int) -> String {
    switch (self, Int32(clamping: code)) {
    case (.anyNode, Fault.kindOfKey):
      "the certificate's key is of a kind that is not accepted: P-256, Ed25519 and RSA with 2048 to 8192 bits are"
    case (.anyNode, Fault.notSelfSigned): "the certificate is not signed with its own key"
    case (.fingerprint, Fault.otherCertificate): "the certificate has another fingerprint than the configured one"
    default:
      "the certificate is refused (\(String(cString: X509_verify_cert_error_string(code)))); pin its fingerprint to trust it"
    }
  }
}
