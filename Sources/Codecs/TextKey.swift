/// What tells a short text from others in a table: of up to 32 bytes it is all of them, of longer ones most.
///
/// A stanza has some thirty names: public, since of what is `package` nothing is inlined in another module (Swift 6.3).
public struct TextKey: Sendable, Equatable {
  /// Eight bytes each: the first two and the last two. Of up to sixteen bytes the first and the last, of fewer than eight all in
  /// the first; then the others are 0.
  @usableFromInline var (first, second, third, last): (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
  /// Of the text, in bytes.
  public let count: Int

  /// The longest text that it says all of, in bytes.
  @inlinable public static var whole: Int { 32 }

  @inlinable public init(_ bytes: UnsafeRawBufferPointer) {
    count = bytes.count
    guard count >= 8 else {
      if count >= 4 {
        first =
          UInt64(bytes.loadUnaligned(as: UInt32.self)) << 32
          | UInt64(bytes.loadUnaligned(fromByteOffset: count - 4, as: UInt32.self))
      } else {
        for byte in bytes { first = first << 8 | UInt64(byte) }
      }
      return
    }
    first = bytes.loadUnaligned(as: UInt64.self)
    last = bytes.loadUnaligned(fromByteOffset: count - 8, as: UInt64.self)
    guard count > 16 else { return }
    second = bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
    third = bytes.loadUnaligned(fromByteOffset: count - 16, as: UInt64.self)
  }

  @inlinable public static func == (a: TextKey, b: TextKey) -> Bool {
    a.first == b.first && a.count == b.count && a.last == b.last && a.second == b.second && a.third == b.third
  }

  /// Where to look first in a table of 256 slots. Odd numbers with ones all over spread the bytes.
  @inlinable public var slot: Int {
    let mixed = (first &* 0x9E37_79B9_7F4A_7C15) ^ (last &* 0xC2B2_AE3D_27D4_EB4F) &+ UInt64(count)
    let spread = (mixed ^ (mixed >> 32)) &* 0x9E37_79B9_7F4A_7C15
    return Int(spread >> 56)
  }
}
