import NIOCore
import NIOPosix
import Testing

@testable import HTTPEdge

/// Readers on other threads than the body's loop.
@Suite(.timeLimit(.minutes(1))) struct BodyStreamTests {
  /// What comes, or ends, between the look at what is there and the wait for more is not missed.
  @Test(arguments: 0..<50) func nothingIsMissed(_: Int) async throws {
    let loop = MultiThreadedEventLoopGroup.singleton.next()
    let stream = BodyStream(on: loop) {}
    async let writer: Void = {
      for number in 0..<100 {
        try await loop.submit { stream.assumeIsolated { $0.append(ByteBuffer(integer: UInt8(number))) } }.get()
      }
      try await loop.submit { stream.assumeIsolated { $0.finish() } }.get()
    }()
    var read: [UInt8] = []
    for try await part in stream { read += part.readableBytesView }
    try await writer
    #expect(read == Array(0..<100))
  }
}
