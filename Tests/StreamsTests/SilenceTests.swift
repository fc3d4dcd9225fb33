import NIOCore
import Streams
import TestKit
import Testing

/// Streams that were silent for a while are proved before they are used again (XEP-0199). In memory, where time passes.
@Suite(.timeLimit(.minutes(2))) struct SilenceTests {
  /// Where streams in memory say that they go: the peer is where it was.
  private static let unmoved: Set = ["127.0.0.1"]

  private static func silent(
    _ body: @escaping @Sendable (any Speaker, PeerStream, Performance) async throws -> Void
  ) async throws {
    try await Performance.run(on: .memory) { performance in
      let romeo = try await performance.connect()
      try await romeo.greet()
      try await performance.pass(.seconds(11))
      try await body(romeo, await performance.first(), performance)
    }
  }

  @Test func onlyASilentStreamIsAsked() async throws {
    try await Performance.run(on: .memory) { performance in
      let romeo = try await performance.connect()
      try await romeo.greet()
      try await performance.pass(.seconds(9))
      try await performance.first().verifyLiveness(at: Self.unmoved)
      #expect(romeo.transcript.rest == "")
    }
  }

  @Test(arguments: ["type='result'", "type='error'"]) func anyAnswerIsAProof(type: String) async throws {
    try await Self.silent { romeo, stream, _ in
      async let proof: Void = stream.verifyLiveness(at: Self.unmoved)
      try await romeo.transcript.expect("type='get' id='1'><ping")
      try await romeo.send("<iq \(type) id='1'/>")
      try await proof
      #expect(stream.isOpen)
      // He has just been heard.
      try await stream.verifyLiveness(at: Self.unmoved)
    }
  }

  @Test func noAnswerEndsTheStream() async throws {
    try await Self.silent { romeo, stream, performance in
      let proof = Task { try await stream.verifyLiveness(at: Self.unmoved) }
      try await romeo.transcript.expect("<ping")
      try await performance.pass(.seconds(3))
      await #expect(throws: StreamFailure.self) { try await proof.value }
      #expect(!stream.isOpen)
      try await romeo.transcript.expect("</stream:stream>")
    }
  }

  /// Whoever goes away while he waits says nothing about the peer.
  @Test func aProofThatIsCancelledLeavesTheStreamAlone() async throws {
    try await Self.silent { romeo, stream, _ in
      let proof = Task { try await stream.verifyLiveness(at: Self.unmoved) }
      try await romeo.transcript.expect("<ping")
      proof.cancel()
      await #expect(throws: CancellationError.self) { try await proof.value }
      #expect(stream.isOpen)
      try await stream.idle()
    }
  }
}
