import COpenSSL

/// A secret that the two ends of one TLS connection share with nobody else, for one other connection between them: where both have
/// it, that one's handshake goes without certificates (RFC 8446 §2.2). Keys are exchanged all the same (`psk_dhe_ke`), so that it does
/// not help whoever learns it later to read what passed.
package struct SharedKey: Sendable {
  /// By which the handshake names it, in the clear.
  let name: [UInt8]
  let secret: [UInt8]

  /// Private use (RFC 5705 §4).
  fileprivate static let label = "EXPERIMENTAL-urn:hearth:data:1"
  /// Bytes: of the hash that the key is used with.
  fileprivate static let secretBytes = 32
  /// TLS_AES_128_GCM_SHA256; of its cipher only the hash counts, which all that are preferred have in common (RFC 8446 §4.2.11).
  fileprivate static let cipher: [UInt8] = [0x13, 0x01]
}

extension TLSSession {
  /// The exporter's value for this name (RFC 8446 §7.5): another one for each. nil with TLS 1.2, whose handshakes have no use for it.
  ///
  /// Only after the handshake.
  func sharedKey(for name: [UInt8]) -> SharedKey? {
    guard version == .v13 else { return nil }
    defer { ErrorQueue.clear() }
    var secret = [UInt8](repeating: 0, count: SharedKey.secretBytes)
    let label = SharedKey.label
    let result = SSL_export_keying_material(ssl, &secret, secret.count, label, label.utf8.count, name, name.count, 1)
    return result == 1 ? SharedKey(name: name, secret: secret) : nil
  }

  /// Whether the handshake went by the key that it was given. Other sessions are never gone on with (`TLSContext`).
  var isShared: Bool { SSL_session_reused(ssl) == 1 }
}

/// A shared key where OpenSSL's callbacks find it; lives as long as the session that it is for.
final class SharedKeyBox {
  private let key: SharedKey
  /// OpenSSL reads it until the handshake is over.
  private let name: UnsafeMutableBufferPointer<UInt8>

  init(_ key: SharedKey) {
    self.key = key
    name = .allocate(capacity: key.name.count)
    _ = name.initialize(from: key.name)
  }

  deinit { name.deallocate() }

  func use(in ssl: OpaquePointer, _ role: TLSConfiguration.Role) {
    _ = SSL_set_ex_data(ssl, 0, Unmanaged.passUnretained(self).toOpaque())
    switch role {
    case .client: SSL_set_psk_use_session_callback(ssl, Self.offer)
    case .server:
      SSL_set_psk_find_session_callback(ssl, Self.find)
      // Where it asks for certificates a server wants this, to know its own sessions by; of those here there is one.
      _ = SSL_set_session_id_context(ssl, SharedKey.cipher, UInt32(SharedKey.cipher.count))
    }
  }

  private static func of(_ ssl: OpaquePointer) -> SharedKeyBox? {
    SSL_get_ex_data(ssl, 0).map { Unmanaged<SharedKeyBox>.fromOpaque($0).takeUnretainedValue() }
  }

  /// At a client. Without a session the handshake goes by certificates.
  private static let offer: SSL_psk_use_session_cb_func = { ssl, hash, name, length, session in
    session?.pointee = nil
    // Asked again, where the server wants another group, it is for the hash that the server has chosen.
    guard let ssl, let box = of(ssl), hash == nil || EVP_MD_get_type(hash) == NID_sha256, let made = box.session(ssl)
    else { return 1 }
    name?.pointee = UnsafePointer(box.name.baseAddress)
    length?.pointee = box.name.count
    session?.pointee = made
    return 1
  }

  /// At a server, likewise.
  private static let find: SSL_psk_find_session_cb_func = { ssl, name, length, session in
    session?.pointee = nil
    guard let ssl, let box = of(ssl), UnsafeBufferPointer(start: name, count: length).elementsEqual(box.name)
    else { return 1 }
    session?.pointee = box.session(ssl)
    return 1
  }

  /// OpenSSL takes it over.
  private func session(_ ssl: OpaquePointer) -> OpaquePointer? {
    guard let session = SSL_SESSION_new() else { return nil }
    guard let cipher = SSL_CIPHER_find(ssl, SharedKey.cipher),
      SSL_SESSION_set1_master_key(session, key.secret, key.secret.count) == 1,
      SSL_SESSION_set_cipher(session, cipher) == 1,
      SSL_SESSION_set_protocol_version(session, TLS1_3_VERSION) == 1
    else {
      SSL_SESSION_free(session)
      return nil
    }
    return session
  }
}
