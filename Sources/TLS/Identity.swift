import COpenSSL

/// Who this node is: a P-256 key, and a self-signed certificate that carries it.
///
/// The key counts and the certificate does not, so that a certificate may be renewed.
package struct Identity: Sendable {
  let key: Key
  let certificate: Certificate
  /// DER of the SubjectPublicKeyInfo (RFC 5280 §4.1.2.7): what a node id is made of.
  package let spki: [UInt8]

  init(key: Key, certificate: Certificate) {
    self.key = key
    self.certificate = certificate
    spki = certificate.spki
  }

  /// A new key. `name` is told to whoever connects, as the certificate's common name; the first 64 characters count.
  ///
  /// The certificate is valid from 1970 to 9999: between nodes dates decide nothing, and to other peers it holds whatever
  /// the clock of a board says that just woke up.
  ///
  /// - Throws: `TLSError` with `unusableIdentity` where the name is empty.
  package static func generate(name: String) throws(TLSError) -> Identity {
    try generate(name: name, validity: .always)
  }

  static func generate(name: String, validity: Validity) throws(TLSError) -> Identity {
    ErrorQueue.clear()
    guard let pointer = COpenSSL_generate_P256() else {
      throw ErrorQueue.error(.unusableIdentity, "no key could be made")
    }
    let key = Key(owning: pointer)
    return Identity(key: key, certificate: try .selfSigned(by: key, name: name, validity: validity))
  }

  /// The same key with a certificate for another name.
  package func renamed(_ name: String) throws(TLSError) -> Identity {
    Identity(key: key, certificate: try .selfSigned(by: key, name: name, validity: .always))
  }
}

/// As it is kept in a file.
extension Identity {
  /// Reads what `pem` gave: a key without passphrase, and its certificate, in any order.
  ///
  /// - Throws: `TLSError` with `unusableIdentity` where either is missing, damaged or not of P-256, or where they do
  ///   not belong together.
  package init(pem: [UInt8]) throws(TLSError) {
    ErrorQueue.clear()
    // Without an answer of ours OpenSSL would ask for a passphrase at the terminal.
    guard let key = Self.read(pem, { PEM_read_bio_PrivateKey($0, nil, { _, _, _, _ in -1 }, nil) }) else {
      throw ErrorQueue.error(.unusableIdentity, "the file holds no private key that can be read")
    }
    guard let certificate = Self.read(pem, { PEM_read_bio_X509($0, nil, { _, _, _, _ in -1 }, nil) }) else {
      EVP_PKEY_free(key)
      throw ErrorQueue.error(.unusableIdentity, "the file holds no certificate that can be read")
    }
    self.init(key: Key(owning: key), certificate: Certificate(owning: certificate))
    try check()
  }

  /// Key and certificate in PEM: a secret.
  package var pem: [UInt8] {
    guard let memory = MemoryBIO(),
      PEM_write_bio_PrivateKey(memory.pointer, key.pointer, nil, nil, 0, nil, nil) == 1,
      PEM_write_bio_X509(memory.pointer, certificate.pointer) == 1
    else {
      // Out of memory. Half a file would be a lost identity.
      preconditionFailure("the key cannot be written")
    }
    return memory.written
  }

  private func check() throws(TLSError) {
    guard KeyKind(key.pointer, spki: spki) == .p256 else {
      throw TLSError(.unusableIdentity, "the key is not on the curve P-256")
    }
    guard X509_check_private_key(certificate.pointer, key.pointer) == 1 else {
      throw ErrorQueue.error(.unusableIdentity, "the certificate belongs to another key")
    }
    // The step before compares public parts only.
    let probe: [UInt8] = Array("probe".utf8)
    guard Self.verify(try sign(probe), of: probe, spki: spki) else {
      throw TLSError(.unusableIdentity, "the key is damaged: its private part does not belong to its public part")
    }
  }

  private static func read(_ pem: [UInt8], _ reader: (OpaquePointer) -> OpaquePointer?) -> OpaquePointer? {
    pem.withUnsafeBufferPointer { bytes in
      guard let memory = MemoryBIO(reading: bytes) else { return nil }
      return reader(memory.pointer)
    }
  }
}

/// Statements of a key, outside of TLS.
extension Identity {
  /// ECDSA with SHA-256, in DER.
  package func sign(_ statement: [UInt8]) throws(TLSError) -> [UInt8] {
    ErrorQueue.clear()
    let context = EVP_MD_CTX_new()
    defer { EVP_MD_CTX_free(context) }
    var length = Int(EVP_PKEY_get_size(key.pointer))
    var signature = [UInt8](repeating: 0, count: length)
    guard EVP_DigestSignInit(context, nil, EVP_sha256(), nil, key.pointer) == 1,
      EVP_DigestSign(context, &signature, &length, statement, statement.count) == 1
    else { throw ErrorQueue.error(.unusableIdentity, "the key cannot sign") }
    return Array(signature.prefix(length))
  }

  /// Whether the owner of the key in `spki` signed this statement. False for a key that no node may have.
  package static func verify(_ signature: [UInt8], of statement: [UInt8], spki: [UInt8]) -> Bool {
    defer { ErrorQueue.clear() }
    guard let key = Key(spki: spki), let kind = KeyKind(key.pointer, spki: spki) else { return false }
    let context = EVP_MD_CTX_new()
    defer { EVP_MD_CTX_free(context) }
    return EVP_DigestVerifyInit(context, nil, kind.digest, nil, key.pointer) == 1
      && EVP_DigestVerify(context, signature, signature.count, statement, statement.count) == 1
  }
}
