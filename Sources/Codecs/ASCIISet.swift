/// A set of ASCII characters; no byte beyond ASCII is in it.
///
/// Asked for each byte: public, since of what is `package` nothing is inlined in another module (Swift 6.3).
public struct ASCIISet: Sendable, Hashable {
  /// A bit each for bytes 0 to 63 and 64 to 127.
  @usableFromInline var low: UInt64 = 0
  @usableFromInline var high: UInt64 = 0

  /// Characters beyond ASCII are left out.
  package init(_ characters: String) {
    for byte in characters.utf8 { insert(byte) }
  }

  package init(_ range: ClosedRange<UInt8>) {
    for byte in range { insert(byte) }
  }

  package static let letters = ASCIISet("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
  package static let digits = ASCIISet("0123456789")

  @inlinable public func contains(_ byte: UInt8) -> Bool {
    byte < 64 ? low >> UInt64(byte) & 1 == 1 : byte < 128 && high >> UInt64(byte - 64) & 1 == 1
  }

  package func union(_ other: ASCIISet) -> ASCIISet {
    var union = self
    union.low |= other.low
    union.high |= other.high
    return union
  }

  private mutating func insert(_ byte: UInt8) {
    if byte < 64 {
      low |= 1 << UInt64(byte)
    } else if byte < 128 {
      high |= 1 << UInt64(byte - 64)
    }
  }
}
