import Codecs
import HTTPTypes
import NIOCore
import Testing

struct FieldsTests {
  @Test(arguments: [
    ("Connection", true), ("CONNECTION", true), ("te", true), ("TE", true),
    // The length or the initial of one that is, or both.
    ("Content-Typ", false), ("ta", false), ("Xonnection", false), ("Connexions", false), ("T", false),
  ])
  func aNameIsInTheSetInWhateverCase(_ name: String, _ isIn: Bool) throws {
    #expect(FieldNameSet(["connection", "te", "trailer"]).contains(try #require(HTTPField.Name(name))) == isIn)
  }

  @Test func longNamesAreCompared() throws {
    let long = String(repeating: "a", count: 70)
    let set = FieldNameSet([long])
    #expect(set.contains(try #require(HTTPField.Name(long))))
    #expect(!set.contains(try #require(HTTPField.Name(long + "b"))))
  }

  @Test func theValueOfOneOrMoreFields() {
    let fields: HTTPFields = [.accept: "a", .contentType: "text/plain", .accept: "b"]
    #expect(fields.value(of: .contentType) == "text/plain")
    #expect(fields.value(of: .accept) == "a, b")
    #expect(fields.value(of: .location) == nil)
  }

  @Test(arguments: [("", ""), ("a", "a"), (" a", "a"), ("a\t", "a"), (" \t ", ""), ("a b", "a b")])
  func trimmed(_ text: String, _ trimmed: String) {
    #expect(text.trimmed == trimmed)
  }

  @Test func piecesFollowEachOther() {
    var buffer = ByteBuffer(string: "a")
    let pieces: (StaticString, StaticString, StaticString) = ("bc", "", "d")
    buffer.write(pieces.0.bytes, pieces.1.bytes, pieces.2.bytes, pieces.0.bytes, pieces.2.bytes)
    #expect(buffer == ByteBuffer(string: "abcdbcd"))
  }
}
