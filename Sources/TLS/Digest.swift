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
