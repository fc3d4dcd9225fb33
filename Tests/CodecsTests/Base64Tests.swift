import Codecs
import NIOCore
import TestKit
import Testing

@Suite struct Base64Tests {
  /// RFC 4648 §10.
  static let vectors = [
    ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
    ("foobar", "Zm9vYmFy"),
  ]

  @Test(arguments: vectors) func vectorsOfTheRFC(plain: String, encoded: String) {
    #expect(Base64.encode(bytes(plain)) == encoded)
    #expect(Base64.decode(encoded) == bytes(plain))
    #expect(Base64.encodedLength(of: plain.utf8.count) == encoded.utf8.count)
  }

  @Test func everyCharacterOfTheAlphabet() {
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    // Each character at each place of a group, however wide: 65 has no divisor in common with 64.
    let text = String(repeating: alphabet + "A", count: 64)
    let decoded = Base64.decode(text)
    #expect(decoded.map(Base64.encode) == text)
    #expect(decoded.map { slowEncode(Array($0.readableBytesView)) } == text)
  }

  /// Against an encoder too simple to be wrong, at every length around the widths of the fast paths.
  @Test func everyLengthAgreesWithASlowEncoder() {
    var dice = Dice(seed: 1)
    for count in 0..<200 {
      let plain = ByteBuffer.random(count, &dice)
      let encoded = Base64.encode(plain)
      #expect(encoded == slowEncode(Array(plain.readableBytesView)))
      #expect(Base64.decode(encoded) == plain)
    }
  }

  @Test func encodesBehindWhatABufferHoldsAndFromTheMiddleOfAnother() {
    var source = bytes("--Zoo")
    source.moveReaderIndex(forwardBy: 2)
    var target = bytes("x")
    Base64.encode(source, into: &target)
    #expect(target == bytes("xWm9v"))
    #expect(source.readableBytes == 3)
  }

  @Test(arguments: ["Zg", "Zm8", " Z\tm\r\n9v ", "Zg\n=\n=\n", "Zm9vYg"])
  func whiteSpaceAndMissingPaddingAreAccepted(text: String) throws {
    let decoded = try #require(Base64.decode(text))
    #expect(String(buffer: decoded) == ["f", "fo", "foo", "foob"].first { $0.utf8.count == decoded.readableBytes })
  }

  @Test(arguments: [
    "=", "==", "====", "=AAA", "BBBB=CCC", "Z===", "Zg=", "Zg===", "Zm8==", "Zm9v=", "Zm9v====", "Z", "Zm9vY",
    "Zg==Zg==",
    "Zh==", "Zm9=", "Zm-v", "Zm_v", "Zm9v\u{0}", "Zm9v\u{B}", "Zm9v\u{A0}", "Zm9vé", "!", "Zm9v.Zm9v",
  ])
  func everythingElseIsRefused(text: String) {
    #expect(Base64.decode(text) == nil)
  }

  @Test(arguments: vectors) func theCanonicalSpellingIsTheEncoders(plain: String, encoded: String) {
    #expect(Base64.encode(Array(plain.utf8)) == encoded)
    #expect(Base64.decodeCanonical(encoded) == Array(plain.utf8))
  }

  @Test(arguments: ["Zg", "Zg=", " Zg==", "Zm9v\n", "Zh==", "Z", "=", "Zm-v"])
  func anyOtherSpellingIsNotCanonical(text: String) {
    #expect(Base64.decodeCanonical(text) == nil)
  }

  @Test func everyByteOutsideTheAlphabetIsRefusedAtEveryPlace() {
    let allowed = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/ \t\r\n".utf8)
    for byte in UInt8.min...UInt8.max {
      // 32 characters are decoded at once where enough follow, four at a time otherwise.
      for place in 0..<72 {
        var text = [UInt8](repeating: UInt8(ascii: "A"), count: 72)
        text[place] = byte
        var decoder = Base64Decoder()
        var out = ByteBuffer()
        let isRead = decoder.decode(ByteBuffer(bytes: text), into: &out)
        // A pad passes where only padding can follow; what follows is then refused.
        let isTail = byte == UInt8(ascii: "=") && place == 71
        #expect(isRead == (allowed.contains(byte) || isTail), "byte \(byte) at \(place)")
      }
    }
  }

  @Test func anySplitGivesTheSameBytes() {
    var dice = Dice(seed: 2)
    for round in 0..<300 {
      let plain = ByteBuffer.random(Int.random(in: 0...300, using: &dice), &dice)
      var text = Array(Base64.encode(plain).utf8)
      for _ in 0..<Int.random(in: 0...5, using: &dice) {
        text.insert(0x0A, at: Int.random(in: 0...text.count, using: &dice))
      }
      var decoder = Base64Decoder()
      var out = ByteBuffer()
      var rest = text[...]
      var isValid = true
      while !rest.isEmpty {
        let piece = rest.prefix(Int.random(in: 1...99, using: &dice))
        isValid = isValid && decoder.decode(ByteBuffer(bytes: piece), into: &out)
        rest = rest.dropFirst(piece.count)
      }
      isValid = isValid && decoder.finish(into: &out)
      #expect(isValid, "round \(round)")
      #expect(out == plain, "round \(round)")
    }
  }

  private func slowEncode(_ bytes: [UInt8]) -> String {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
    let bits = bytes.flatMap { byte in (0..<8).reversed().map { byte >> UInt8($0) & 1 } }
    var text = stride(from: 0, to: bits.count, by: 6).map { start in
      alphabet[(0..<6).reduce(0) { $0 << 1 | (start + $1 < bits.count ? Int(bits[start + $1]) : 0) }]
    }
    while text.count % 4 != 0 { text.append("=") }
    return String(text)
  }
}

private func bytes(_ text: String) -> ByteBuffer { ByteBuffer(string: text) }
