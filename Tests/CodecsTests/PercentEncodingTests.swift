import Codecs
import Testing

@Suite struct PercentEncodingTests {
  static let all = String(decoding: UInt8.min..<0x80, as: UTF8.self)

  /// Which characters of ASCII stay.
  @Test(arguments: [
    (ASCIISet.unreserved, "-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~"),
    (.authority, "!$&'()*+,-.0123456789;=@ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~"),
    (.fieldItem, "-.0123456789@ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~"),
    (.unquoted, "-.0123456789@ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"),
    (.visible, String(decoding: UInt8(0x21)...0x7E, as: UTF8.self)),
  ])
  func whatStays(plain: ASCIISet, characters: String) {
    #expect(String(Self.all.filter { PercentEncoding.encode(String($0), except: plain) == String($0) }) == characters)
  }

  @Test(arguments: [
    ("", ""), ("a b", "a%20b"), ("10%", "10%25"), ("küche", "k%C3%BCche"), ("\u{0}\u{7F}", "%00%7F"), ("a/b", "a%2Fb"),
    ("e\u{301}", "e%CC%81"),
  ])
  func encodedAndBack(plain: String, encoded: String) {
    #expect(PercentEncoding.encode(plain, except: .unreserved) == encoded)
    #expect(PercentEncoding.decodeText(encoded).map { Array($0.unicodeScalars) } == Array(plain.unicodeScalars))
  }

  @Test(arguments: [("%c3%bc", "ü"), ("+", "+"), ("%2B%2b", "++"), ("a%00", "a\u{0}"), ("%2525", "%25")])
  func isDecodedOnce(encoded: String, plain: String) {
    #expect(PercentEncoding.decodeText(encoded) == plain)
  }

  @Test(arguments: ["%", "%4", "a%", "%zz", "%+1", "%-1", "% 1", "%0x", "%\u{FF11}1", "%%41"])
  func whatBreaksOffIsRefused(text: String) {
    #expect(PercentEncoding.decode(text.utf8) == nil)
    #expect(PercentEncoding.decodeText(text) == nil)
  }

  @Test func bytesNeedBeNoText() {
    #expect(PercentEncoding.decode("%ff%C0".utf8) == [0xFF, 0xC0])
    #expect(PercentEncoding.encode([0xFF, 0x61, 0xC0], except: .unreserved) == "%FFa%C0")
    #expect(PercentEncoding.decodeText("%ff") == nil)
  }

  @Test(arguments: [("", []), ("00fF", [0, 0xFF]), ("aB", [0xAB])] as [(String, [UInt8])])
  func hexadecimal(text: String, bytes: [UInt8]) {
    #expect(Hexadecimal.decode(text) == bytes)
  }

  @Test(arguments: ["0", "0g", "abc", "+1", " 1", "0x", "\u{FF11}\u{FF11}"]) func noHexadecimal(text: String) {
    #expect(Hexadecimal.decode(text) == nil)
  }
}
