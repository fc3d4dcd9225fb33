import COpenSSL

/// Which of two ciphers a side would rather use: the one that its processor is fast at. Neither is the weaker one.
///
/// AES-GCM costs least where the processor has instructions for it, and several times as much as ChaCha20-Poly1305 where it
/// has none, as in a Raspberry Pi 4. A client names its preference first; a server decides by its own, and follows a client
/// that would rather use ChaCha20. So one side without these instructions is enough.
enum CipherPreference: Hashable, Sendable {
  case aes, chaCha20

  static let ofThisProcessor: CipherPreference = {
    _ = Library.isReady
    return CipherPreference(capabilities: OPENSSL_info(OPENSSL_INFO_CPU_SETTINGS).map { String(cString: $0) })
  }()

  /// From OpenSSL's own words for what it uses of the processor (OPENSSL_info(3)), such as
  /// `OPENSSL_ia32cap=0xfffa3203078bffff:0x405fc6f1bf07ab`. What these environment variables switch off is then absent.
  /// AES is preferred where they tell nothing of it.
  init(capabilities: String?) {
    let setting = capabilities?.prefix { $0 != " " }.split(separator: "=") ?? []
    // The first word of a vector has all that counts.
    guard setting.count == 2, let word = setting[1].split(separator: ":").first, word.hasPrefix("0x"),
      let bits = UInt64(word.dropFirst(2), radix: 16), let needed = Self.bits[setting[0]]
    else {
      self = .aes
      return
    }
    self = bits & needed == needed ? .aes : .chaCha20
  }

  /// What AES-GCM takes: instructions for AES, and for products of polynomials.
  private static let bits: [Substring: UInt64] = [
    // AES-NI, and PCLMULQDQ: bits 25 and 1 of the second 32 (OPENSSL_ia32cap(3)).
    "OPENSSL_ia32cap": 1 << 57 | 1 << 33,
    // ARMV8_AES and ARMV8_PMULL (arm_arch.h of OpenSSL).
    "OPENSSL_armcap": 1 << 2 | 1 << 5,
  ]

  /// For TLS 1.3, the preferred one first.
  var suites: String {
    joined(["TLS_AES_128_GCM_SHA256"], ["TLS_CHACHA20_POLY1305_SHA256"], ["TLS_AES_256_GCM_SHA384"])
  }

  /// For TLS 1.2, likewise: forward secrecy and AEAD only.
  var ciphers: String {
    joined(
      ["ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256"],
      ["ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-RSA-CHACHA20-POLY1305"],
      ["ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-RSA-AES256-GCM-SHA384"])
  }

  private func joined(_ aes: [String], _ chaCha20: [String], _ last: [String]) -> String {
    let inOrder =
      switch self {
      case .aes: aes + chaCha20 + last
      case .chaCha20: chaCha20 + aes + last
      }
    return inOrder.joined(separator: ":")
  }
}
