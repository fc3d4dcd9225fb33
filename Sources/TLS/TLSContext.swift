import COpenSSL

/// The only owner of an `SSL_CTX`: what the sessions of one configuration have in common.
///
/// It is set up before anyone else sees it and not changed afterwards; OpenSSL then lets any thread make sessions of it.
final class TLSContext: Sendable {
  nonisolated(unsafe) let pointer: OpaquePointer
  /// Lives as long as `pointer`, whose callback looks at it.
  private let box: RuleBox

  var rule: CertificateRule { box.rule }

  init(
    rule: CertificateRule, newest: TLSVersion = .v13, preferring preference: CipherPreference = .ofThisProcessor
  ) throws(TLSError) {
    ErrorQueue.clear()
    guard let pointer = SSL_CTX_new(TLS_method()) else {
      throw ErrorQueue.error(.unusableConfiguration, "OpenSSL gives no TLS")
    }
    self.pointer = pointer
    box = RuleBox(rule)
    try setProtocol(newest: newest, preference)
    setBehaviour()
    setVerification()
  }

  deinit {
    SSL_CTX_free(pointer)
  }

  // MARK: What every session has

  /// What the keys that nodes may have can sign with; see `KeyKind`.
  static let nodeSignatures = [
    "ECDSA+SHA256", "ed25519", "RSA-PSS+SHA256", "RSA-PSS+SHA384", "RSA-PSS+SHA512", "RSA+SHA256", "RSA+SHA384",
    "RSA+SHA512",
  ].joined(separator: ":")

  private func setProtocol(newest: TLSVersion, _ preference: CipherPreference) throws(TLSError) {
    // 112 bits of security, whatever the system's configuration says.
    SSL_CTX_set_security_level(pointer, 2)
    guard COpenSSL_SSL_CTX_set_versions(pointer, TLSVersion.v12.code, newest.code) == 1,
      SSL_CTX_set_ciphersuites(pointer, preference.suites) == 1,
      SSL_CTX_set_cipher_list(pointer, preference.ciphers) == 1,
      COpenSSL_SSL_CTX_set_groups(pointer, "X25519:P-256:P-384") == 1
    else { throw ErrorQueue.error(.unusableConfiguration, "OpenSSL lacks what is needed for TLS") }
  }

  private func setBehaviour() {
    _ = COpenSSL_SSL_CTX_set_options(pointer)
    // A ticket would prove who the peer was, for as long as it is kept; `SharedKey` ends with the connection that it is from.
    _ = COpenSSL_SSL_CTX_disable_session_cache(pointer)
    SSL_CTX_set_num_tickets(pointer, 0)
    _ = COpenSSL_SSL_CTX_set_write_mode(pointer)
    COpenSSL_SSL_CTX_set_read_ahead(pointer)
  }

  private func setVerification() {
    switch rule {
    case .any: SSL_CTX_set_verify(pointer, SSL_VERIFY_NONE, nil)
    case .authorities: SSL_CTX_set_verify(pointer, SSL_VERIFY_PEER, nil)
    // A server asks for a certificate, and goes on without; a client has one of its server in any case (RFC 8446 §4.4.2).
    case .anyNode, .fingerprint:
      SSL_CTX_set_verify(pointer, SSL_VERIFY_PEER, nil)
      SSL_CTX_set_cert_verify_callback(pointer, Self.verify, Unmanaged.passUnretained(box).toOpaque())
    }
  }

  /// Takes the place of OpenSSL's own check of a chain.
  private static let verify: @convention(c) (OpaquePointer?, UnsafeMutableRawPointer?) -> Int32 = { store, box in
    guard let store, let box else { return 0 }
    let rule = Unmanaged<RuleBox>.fromOpaque(box).takeUnretainedValue().rule
    let result = rule.check(X509_STORE_CTX_get0_cert(store))
    X509_STORE_CTX_set_error(store, result)
    return result == X509_V_OK ? 1 : 0
  }

  // MARK: What some have

  func require(signatures: String, certificateListBytes: Int) throws(TLSError) {
    _ = COpenSSL_SSL_CTX_set_max_cert_list(pointer, certificateListBytes)
    guard COpenSSL_SSL_CTX_set_signature_algorithms(pointer, signatures) == 1 else {
      throw ErrorQueue.error(.unusableConfiguration, "OpenSSL lacks a kind of signature")
    }
  }

  func use(_ identity: Identity) throws(TLSError) {
    guard SSL_CTX_use_certificate(pointer, identity.certificate.pointer) == 1,
      SSL_CTX_use_PrivateKey(pointer, identity.key.pointer) == 1
    else { throw ErrorQueue.error(.unusableIdentity, "OpenSSL does not take this node's key") }
  }

  func trust(authorities file: String?, for host: String, isAddress: Bool) throws(TLSError) {
    let isLoaded =
      if let file { SSL_CTX_load_verify_file(pointer, file) } else { SSL_CTX_set_default_verify_paths(pointer) }
    guard isLoaded == 1 else {
      throw ErrorQueue.error(.unusableConfiguration, "no certificate authorities can be read")
    }
    let parameters = SSL_CTX_get0_param(pointer)
    X509_VERIFY_PARAM_set_hostflags(parameters, UInt32(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS))
    let isSet =
      isAddress
      ? X509_VERIFY_PARAM_set1_ip_asc(parameters, host)
      : X509_VERIFY_PARAM_set1_host(parameters, host, host.utf8.count)
    guard isSet == 1, !host.isEmpty else {
      throw ErrorQueue.error(.unusableConfiguration, "“\(host)” is no host that a certificate can name")
    }
  }
}

/// An address for a C callback to find the rule at.
private final class RuleBox: Sendable {
  let rule: CertificateRule

  init(_ rule: CertificateRule) {
    self.rule = rule
  }
}
