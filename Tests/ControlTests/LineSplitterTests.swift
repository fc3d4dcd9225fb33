import NIOCore
import Testing

@testable import Control

@Suite(.timeLimit(.minutes(1))) struct LineSplitterTests {
  private static func lines(_ parts: [String], limit: Int = 100) throws -> [String] {
    var splitter = LineSplitter(limit: limit)
    return try parts.flatMap { try splitter.feed(ByteBuffer(string: $0)).map { String(buffer: $0) } }
  }

  @Test func linesComeInPartsOfAnySize() throws {
    let text = "one\n\ntwo two\nthree\n"
    let lines = ["one", "", "two two", "three"]
    #expect(try Self.lines([text]) == lines)
    #expect(try Self.lines(text.map { String($0) }) == lines)
    #expect(try Self.lines(["one\n\ntw", "o two\nthr", "ee\nand what has no end"]) == lines)
    #expect(throws: ControlError.self) { try Self.lines(["abc", "d"], limit: 3) }
    #expect(try Self.lines(["abc", "\nd"], limit: 3) == ["abc"])
  }

  /// What was looked through is not looked through again at each part, nor copied.
  @Test func aLongLineInSmallPartsCostsNoMoreThanInLargeOnes() throws {
    var splitter = LineSplitter(limit: 4 << 20)
    let part = ByteBuffer(repeating: UInt8(ascii: "a"), count: 32)
    for _ in 0..<(2 << 20) / 32 { #expect(try splitter.feed(part).isEmpty) }
    #expect(try splitter.feed(ByteBuffer(string: "\n")).map(\.readableBytes) == [2 << 20])
  }
}
