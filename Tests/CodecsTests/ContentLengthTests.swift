import Codecs
import HTTPTypes
import Testing

/// RFC 9110 §8.6.
@Suite struct ContentLengthTests {
  private func read(_ values: [String]) -> ContentLength {
    var fields = HTTPFields()
    for value in values { fields.append(HTTPField(name: .contentLength, value: value)) }
    return ContentLength(fields)
  }

  @Test(
    arguments: [
      ([], .absent), (["0"], .bytes(0)), (["42"], .bytes(42)), (["042"], .bytes(42)), (["5, 5"], .bytes(5)),
      (["5", "5"], .bytes(5)), (["5,5", "5\t,5"], .bytes(5)), (["9223372036854775807"], .bytes(.max)),
    ] as [([String], ContentLength)])
  func oneNumber(values: [String], length: ContentLength) {
    #expect(read(values) == length)
  }

  @Test(arguments: [
    [""], ["x"], ["-1"], ["+1"], ["0x10"], ["1e3"], ["1.0"], ["5 5"], ["5,"], [",5"], ["5,6"], ["5", "6"], ["5", ""],
    ["x", "5"], ["5", "x", "5"], ["9223372036854775808"], ["\u{663}"],
  ])
  func anythingElseIsInvalid(values: [String]) {
    #expect(read(values) == .invalid)
    #expect(read(values).value == nil)
  }
}
