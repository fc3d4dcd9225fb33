import Bytestreams
import EventLoops
import NIOCore
import NIOPosix
import Synchronization
import TestKit
import Testing
import XMPP

@testable import Streams

/// Bytes of a socket in blocks, and blocks as bytes of a socket.
@Suite(.timeLimit(.minutes(1))) struct InBandConnectionTests {
  /// What was sent, in order, and the answers that it waits for.
  private final class Peer: Sendable {
    private let state = Mutex<(said: [IBBElement], answers: [@Sendable (Bool) -> Void])>(([], []))

    var said: [IBBElement] { state.withLock { $0.said } }

    func receive(_ element: IBBElement, _ answered: @escaping @Sendable (Bool) -> Void) {
      state.withLock { state in
        state.said.append(element)
        state.answers.append(answered)
      }
    }

    func answerAll(_ isTaken: Bool = true) {
      let answers = state.withLock { state in
        defer { state.answers = [] }
        return state.answers
      }
      for answer in answers { answer(isTaken) }
    }
  }

  private static func with(_ body: (InBandConnection, Peer) async throws -> Void) async throws {
    let peer = Peer()
    let connection = try await InBandConnection.make(
      sid: "a", blockSize: 1000, eventLoop: MultiThreadedEventLoopGroup.singleton.next()
    ) { peer.receive($0, $1) }
    try await body(connection, peer)
    connection.channel.close(promise: nil)
    try await eventually("it says no <close/>: \(peer.said)") {
      peer.answerAll()
      return peer.said.contains(.close(sid: "a"))
    }
  }

  private static func answer(_ connection: InBandConnection, _ seq: UInt16, _ bytes: ByteBuffer) async -> StanzaError? {
    await withCheckedContinuation { continuation in
      connection.received(IBBBlock(sid: "a", seq: seq, bytes: bytes)) { continuation.resume(returning: $0) }
    }
  }

  @Test func whatIsWrittenGoesInBlocksAndNotMoreThanAreTaken() async throws {
    try await Self.with { connection, peer in
      let bytes = ByteBuffer(bytes: (0..<50_000).map { UInt8(truncatingIfNeeded: $0 &* 7) })
      connection.channel.writeAndFlush(bytes, promise: nil)
      try await eventually("no window") { peer.said.count >= Limits.inBandWindow }
      #expect(peer.said.count == Limits.inBandWindow)
      try await eventually("not all of it: \(peer.said.count)") {
        peer.answerAll()
        return peer.said.reduce(0) { $0 + $1.count } == bytes.readableBytes
      }
      var whole = ByteBuffer()
      for (index, element) in peer.said.enumerated() {
        guard case .data(let block) = element else { continue }
        #expect(block.seq == UInt16(index) && block.bytes.readableBytes <= 1000)
        whole.writeImmutableBuffer(block.bytes)
      }
      #expect(whole == bytes)
    }
  }

  @Test func blocksAreTakenInOrderAndOnce() async throws {
    try await Self.with { connection, _ in
      let part = ByteBuffer(repeating: 1, count: 10)
      #expect(await Self.answer(connection, 0, part) == nil)
      #expect(await Self.answer(connection, 1, part) == nil)
      // As a server does that resumed a stream.
      #expect(await Self.answer(connection, 0, part) == nil)
      #expect(await Self.answer(connection, 2, part) == nil)
    }
  }

  @Test func aGapOrALargerBlockEndsIt() async throws {
    try await Self.with { connection, _ in
      #expect(await Self.answer(connection, 1, ByteBuffer(repeating: 1, count: 10))?.condition == .unexpectedRequest)
      #expect(await Self.answer(connection, 0, ByteBuffer(repeating: 1, count: 10))?.condition == .itemNotFound)
    }
    try await Self.with { connection, _ in
      #expect(await Self.answer(connection, 0, ByteBuffer(repeating: 1, count: 1001))?.condition == .badRequest)
    }
  }

  @Test func itEndsWhereABlockIsNotTaken() async throws {
    let peer = Peer()
    let connection = try await InBandConnection.make(
      sid: "a", blockSize: 1000, eventLoop: MultiThreadedEventLoopGroup.singleton.next()
    ) { peer.receive($0, $1) }
    // Who reads from this end learns when the other one is closed.
    try await connection.channel.setOption(.allowRemoteHalfClosure, value: false).get()
    try await connection.channel.setOption(.autoRead, value: true).get()
    connection.channel.writeAndFlush(ByteBuffer(repeating: 1, count: 10), promise: nil)
    try await eventually("no block") { !peer.said.isEmpty }
    peer.answerAll(false)
    try await connection.channel.closeFuture.value()
  }
}

extension IBBElement {
  fileprivate var count: Int { if case .data(let block) = self { block.bytes.readableBytes } else { 0 } }
}
