import Codecs
import NIOCore
import Testing

@Suite struct BodyTests {
  private static func streaming(_ parts: [String], length: Int?) -> Body {
    let (stream, continuation) = AsyncThrowingStream.makeStream(of: ByteBuffer.self)
    for part in parts { continuation.yield(ByteBuffer(string: part)) }
    continuation.finish()
    return Body(stream, length: length)
  }

  @Test func aShortBodyIsCollected() async throws {
    #expect(try await Self.streaming(["ab", "c"], length: 3).whole(upTo: 3) == ByteBuffer(string: "abc"))
    #expect(try await Self.streaming(["ab", "c"], length: 3).whole(upTo: 2) == nil)
    #expect(try await Self.streaming(["ab", "c"], length: nil).whole(upTo: 9) == nil)
  }

  /// Else half a body would be sent as a whole one.
  @Test(arguments: [0, 2, 4]) func oneThatIsNotAsLongAsItSaysIsAnError(length: Int) async {
    await #expect(throws: BodyError.self) { _ = try await Self.streaming(["ab", "c"], length: length).whole(upTo: 9) }
  }
}
