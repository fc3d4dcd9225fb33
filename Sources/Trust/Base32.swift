/// Base32 in capital letters and without padding (RFC 4648 §6).
enum Base32 {
  static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".utf8)

  static func encode(_ bytes: [UInt8]) -> [UInt8] {
    var characters: [UInt8] = []
    var (bits, count) = (UInt32(0), 0)
    for byte in bytes {
      (bits, count) = (bits << 8 | UInt32(byte), count + 8)
      while count >= 5 {
        count -= 5
        characters.append(alphabet[Int(bits >> UInt32(count)) & 31])
      }
    }
    if count > 0 { characters.append(alphabet[Int(bits << UInt32(5 - count)) & 31]) }
    return characters
  }

  /// nil where a character is outside the alphabet, or characters or bits are over: so one text a value.
  static func decode(_ characters: some Sequence<UInt8>) -> [UInt8]? {
    var bytes: [UInt8] = []
    var (bits, count) = (UInt32(0), 0)
    for character in characters {
      guard let value = value(of: character) else { return nil }
      (bits, count) = (bits << 5 | UInt32(value), count + 5)
      guard count >= 8 else { continue }
      count -= 8
      bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
    }
    return count < 5 && bits & (1 << UInt32(count) - 1) == 0 ? bytes : nil
  }

  static func value(of character: UInt8) -> Int? {
    switch character {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): Int(character - UInt8(ascii: "A"))
    case UInt8(ascii: "2")...UInt8(ascii: "7"): Int(character - UInt8(ascii: "2")) + 26
    default: nil
    }
  }
}
