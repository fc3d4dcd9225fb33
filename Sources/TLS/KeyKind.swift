import COpenSSL

/// The kinds of keys that a node may have.
enum KeyKind: Hashable {
  case p256, ed25519, rsa

  /// Nil for any other kind, for RSA keys out of bounds, and for other encodings of the same kind (explicit curves,
  /// compressed points): one key has one SPKI, so that it has one node id.
  init?(_ key: OpaquePointer, spki: [UInt8]) {
    switch EVP_PKEY_get_base_id(key) {
    case EVP_PKEY_EC where spki.count == 91 && spki.starts(with: Self.p256Prefix): self = .p256
    case EVP_PKEY_ED25519 where spki.count == 44 && spki.starts(with: Self.ed25519Prefix): self = .ed25519
    case EVP_PKEY_RSA where TLSLimits.rsaBits.contains(Int(EVP_PKEY_get_bits(key))): self = .rsa
    default: return nil
    }
  }

  /// SubjectPublicKeyInfo of `id-ecPublicKey` on `prime256v1` up to the coordinates of an uncompressed point
  /// (RFC 5480 §2).
  private static let p256Prefix: [UInt8] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
    0x3d,
    0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04,
  ]

  /// The same of `id-Ed25519` (RFC 8410 §4).
  private static let ed25519Prefix: [UInt8] = [
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
  ]

  /// Ed25519 digests by itself.
  var digest: OpaquePointer? {
    switch self {
    case .p256, .rsa: EVP_sha256()
    case .ed25519: nil
    }
  }
}
