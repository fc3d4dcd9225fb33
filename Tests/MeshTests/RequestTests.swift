import Codecs
import HTTPTypes
import HTTPX
import Mesh
import NIOCore
import TestKit
import Testing

@Suite(.timeLimit(.minutes(2))) struct RequestTests {
  @Test func smallBodiesBothWays() async throws {
    try await Nodes.run(["laptop", "pi"]) { nodes in
      nodes[1].serve(.echo())
      let device = try #require(await nodes[0].awaitOnline("echo@pi"))
      var answer: ByteBuffer?
      try await nodes[0].send(.make(.put, body: Body("hello")), to: device.jid) { response in
        #expect(response.head.status == .ok)
        answer = try await response.body.whole(upTo: 100)
      }
      #expect(answer == ByteBuffer(string: "hello"))
    }
  }

  @Test(arguments: [0, 1, 65_535, 65_536, 65_537, 300_000, 5_000_000])
  func bytesOfAnySizeComeBack(size: Int) async throws {
    let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
    try await Nodes.run(["laptop", "pi"]) { nodes in
      nodes[1].serve(.echo())
      let device = try #require(await nodes[0].awaitOnline("echo@pi"))
      for body in [Body(ByteBuffer(bytes: bytes)), Body(Parts(bytes, size: 10_000))] {
        var received: [UInt8] = []
        try await nodes[0].send(.make(.put, body: body), to: device.jid) { response in
          for try await part in response.body { received += part.readableBytesView }
        }
        let isWhole = received == bytes
        #expect(isWhole, "\(received.count) of \(size) bytes")
      }
    }
  }
}

/// Bytes in parts, as a body of unknown length.
struct Parts: AsyncSequence, Sendable {
  typealias Element = ByteBuffer
  typealias Failure = any Error

  private let parts: [ByteBuffer]

  init(_ bytes: [UInt8], size: Int) {
    parts = stride(from: 0, to: bytes.count, by: size).map { start in
      ByteBuffer(bytes: bytes[start..<Swift.min(start + size, bytes.count)])
    }
  }

  struct AsyncIterator: AsyncIteratorProtocol {
    var rest: ArraySlice<ByteBuffer>

    mutating func next() async throws -> ByteBuffer? { rest.popFirst() }
  }

  func makeAsyncIterator() -> AsyncIterator { AsyncIterator(rest: parts[...]) }
}
