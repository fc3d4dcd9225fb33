/// Base32 without padding, in letters of one case (RFC 4648 §6): one text a value.
package struct Base32: Sendable {
  /// As RFC 4648 writes it.
  package static let uppercase = Base32(firstLetter: UInt8(ascii: "A"))
  /// For DNS labels, which browsers show in small letters.
  package static let lowercase = Base32(firstLetter: UInt8(ascii: "a"))

  private let firstLetter: UInt8

  package func encode(_ bytes: [UInt8]) -> String {
    String(unsafeUninitializedCapacity: (bytes.count * 8 + 4) / 5) { characters in
      var (bits, count, length) = (UInt32(0), UInt32(0), 0)
      func append(_ value: UInt32) {
        characters[length] = character(Int(value & 31))
        length += 1
      }
      for byte in bytes {
        (bits, count) = (bits << 8 | UInt32(byte), count + 8)
        while count >= 5 {
          count -= 5
          append(bits >> count)
        }
      }
      if count > 0 { append(bits << (5 - count)) }
      return length
    }
  }

  /// nil where a character is outside the alphabet, or characters or bits are left over.
  package func decode(_ characters: some Sequence<UInt8>) -> [UInt8]? {
    var bytes: [UInt8] = []
    var (bits, count) = (UInt32(0), UInt32(0))
    for character in characters {
      guard let value = value(of: character) else { return nil }
      (bits, count) = (bits << 5 | UInt32(value), count + 5)
      guard count >= 8 else { continue }
      count -= 8
      bytes.append(UInt8(truncatingIfNeeded: bits >> count))
    }
    return count < 5 && bits & (1 << count - 1) == 0 ? bytes : nil
  }

  /// The character of a value from 0 to 31.
  package func character(_ value: Int) -> UInt8 {
    value < 26 ? firstLetter + UInt8(value) : UInt8(ascii: "2") + UInt8(value - 26)
  }

  package func value(of character: UInt8) -> Int? {
    switch character {
    case firstLetter...firstLetter + 25: Int(character - firstLetter)
    case UInt8(ascii: "2")...UInt8(ascii: "7"): Int(character - UInt8(ascii: "2")) + 26
    default: nil
    }
  }
}
