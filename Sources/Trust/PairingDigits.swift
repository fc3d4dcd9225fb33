/// What is computed in pairing, from both nonces and both public keys; `a` is the initiator, `b` the responder.
///
/// Nonces have a fixed length and DER keys tell theirs, so no two inputs are written the same.
package struct PairingDigits: Sendable {
  private let sha256: @Sendable ([UInt8]) -> [UInt8]
  /// How many are shown: `TrustLimits.digits`, fewer only to simulate attacks. At most 18.
  private let count: Int

  package init(sha256: @escaping @Sendable ([UInt8]) -> [UInt8], count: Int = TrustLimits.digits) {
    self.sha256 = sha256
    self.count = count
  }

  /// SHA-256(Na ‖ SPKIa ‖ SPKIb).
  package func commitment(nonceA: [UInt8], keyA: [UInt8], keyB: [UInt8]) -> [UInt8] {
    sha256(nonceA + keyA + keyB)
  }

  /// The first 64 bits of SHA-256(Na ‖ Nb ‖ SPKIa ‖ SPKIb), as a number, mod 10⁶, with leading zeros.
  package func digits(nonceA: [UInt8], nonceB: [UInt8], keyA: [UInt8], keyB: [UInt8]) -> String {
    let number = sha256(nonceA + nonceB + keyA + keyB).prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    let modulus = (0..<count).reduce(UInt64(1)) { product, _ in product * 10 }
    let text = String(number % modulus)
    return String(repeating: "0", count: count - text.count) + text
  }
}
