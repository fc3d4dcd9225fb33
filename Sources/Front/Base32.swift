/// Base32 in small letters and without padding (RFC 4648 §6): all that a DNS label has room for.
enum Base32 {
  private static let alphabet = Array("abcdefghijklmnopqrstuvwxyz234567".utf8)

  static func encode(_ bytes: [UInt8]) -> String {
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
    return String(decoding: characters, as: UTF8.self)
  }

  /// nil where a character is outside the alphabet. Does not mind bits that belong to no byte.
  static func decode(_ text: Substring) -> [UInt8]? {
    var bytes: [UInt8] = []
    var (bits, count) = (UInt32(0), 0)
    for character in text.utf8 {
      guard let value = alphabet.firstIndex(of: character) else { return nil }
      (bits, count) = (bits << 5 | UInt32(value), count + 5)
      guard count >= 8 else { continue }
      count -= 8
      bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
    }
    return bytes
  }
}
