import Codecs
import Testing

@Suite struct Base32Tests {
  /// RFC 4648 §10, without the padding.
  static let vectors = [
    ("", ""), ("f", "MY"), ("fo", "MZXQ"), ("foo", "MZXW6"), ("foob", "MZXW6YQ"), ("fooba", "MZXW6YTB"),
    ("foobar", "MZXW6YTBOI"),
  ]

  @Test(arguments: vectors) func vectorsOfTheRFC(plain: String, encoded: String) {
    let bytes = Array(plain.utf8)
    #expect(Base32.uppercase.encode(bytes) == encoded)
    #expect(Base32.uppercase.decode(encoded.utf8) == bytes)
    #expect(Base32.lowercase.encode(bytes) == encoded.lowercased())
    #expect(Base32.lowercase.decode(encoded.lowercased().utf8) == bytes)
  }

  @Test func everyByteComesBack() {
    for count in 0...40 {
      let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 * 37 + count) }
      #expect(Base32.lowercase.decode(Base32.lowercase.encode(bytes).utf8) == bytes)
    }
  }

  /// Another case, padding, characters or bits that are left over: each would be a second text for the same value.
  @Test(arguments: ["my", "MY======", "M", "MZX", "MZXW6Y", "MZ", "MZXR", "M0", "M1", "M8", "M ", "É", "MY\u{0}"])
  func everythingElseIsRefused(text: String) {
    #expect(Base32.uppercase.decode(text.utf8) == nil)
  }

  @Test func valuesAndCharactersAgree() {
    for value in 0..<32 {
      #expect(Base32.uppercase.value(of: Base32.uppercase.character(value)) == value)
      #expect(Base32.lowercase.value(of: Base32.lowercase.character(value)) == value)
    }
    #expect(
      String(decoding: (0..<32).map(Base32.uppercase.character), as: UTF8.self) == "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
  }
}
