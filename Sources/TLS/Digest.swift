import COpenSSL

package enum Digest {
  /// 32 bytes.
  package static func sha256(_ bytes: [UInt8]) -> [UInt8] {
    _ = Library.isReady
    return [UInt8](unsafeUninitializedCapacity: Int(EVP_MAX_MD_SIZE)) { digest, count in
      var length: UInt32 = 0
      let status = EVP_Digest(bytes, bytes.count, digest.baseAddress, &length, EVP_sha256(), nil)
      // It fails where OpenSSL has no SHA-256 or no memory; ids and tokens would compare as equal if we went on.
      precondition(status == 1, "OpenSSL cannot compute SHA-256")
      count = Int(length)
    }
  }
}

/// What SCRAM computes with (RFC 5802 §2.2), in the two functions that it is spoken with.
package enum HashFunction: Hashable, Sendable {
  case sha1, sha256

  private var method: OpaquePointer? {
    _ = Library.isReady
    return switch self {
    case .sha1: EVP_sha1()
    case .sha256: EVP_sha256()
    }
  }

  /// Bytes of what it gives.
  package var length: Int {
    switch self {
    case .sha1: 20
    case .sha256: 32
    }
  }

  package func digest(_ bytes: [UInt8]) -> [UInt8] {
    filled { digest in EVP_Digest(bytes, bytes.count, digest, nil, method, nil) == 1 }
  }

  /// RFC 2104.
  package func hmac(key: [UInt8], _ bytes: [UInt8]) -> [UInt8] {
    filled { digest in HMAC(method, key, Int32(key.count), bytes, bytes.count, digest, nil) != nil }
  }

  /// PBKDF2 with HMAC (RFC 8018 §5.2), as long as the hash. It takes as long as there are iterations: a million, half a second
  /// and more.
  package func derivedKey(_ password: [UInt8], salt: [UInt8], iterations: Int) -> [UInt8] {
    let password = password.map { CChar(bitPattern: $0) }
    return filled { key in
      PKCS5_PBKDF2_HMAC(
        password, Int32(password.count), salt, Int32(salt.count), Int32(clamping: iterations), method, Int32(length),
        key)
        == 1
    }
  }

  private func filled(_ fill: (UnsafeMutablePointer<UInt8>?) -> Bool) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: length) { bytes, count in
      // As with `Digest`: there is no safe way on.
      precondition(fill(bytes.baseAddress), "OpenSSL cannot compute \(self)")
      count = length
    }
  }
}

package enum SecureRandom {
  /// For keys, tokens and nonces: nobody can guess them.
  package static func bytes(_ count: Int) -> [UInt8] {
    _ = Library.isReady
    return [UInt8](unsafeUninitializedCapacity: count) { bytes, filled in
      // It fails where the system has no randomness; there is no safe way on.
      precondition(RAND_priv_bytes(bytes.baseAddress, Int32(count)) == 1, "OpenSSL has no random bytes")
      filled = count
    }
  }
}
