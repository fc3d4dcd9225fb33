package import NIOCore

/// The same numbers in every run (xorshift).
package struct Dice: RandomNumberGenerator {
  private var state: UInt64
  package init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }
  package mutating func next() -> UInt64 {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return state
  }
}

extension ByteBuffer {
  package static func random(_ count: Int, _ dice: inout Dice) -> ByteBuffer {
    ByteBuffer(bytes: (0..<count).map { _ in UInt8.random(in: 0...255, using: &dice) })
  }
}
