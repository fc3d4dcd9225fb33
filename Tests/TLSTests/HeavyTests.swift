import Foundation
import NIOCore
import TestKit
import Testing

@testable import TLS

/// What looks at the memory of the whole process, or takes much of it: one after the other.
@Suite(
  .serialized,
  .enabled(
    if: ProcessInfo.processInfo.environment["HEARTH_MEMORY_TESTS"] != nil,
    "measures the whole process: scripts/test runs it alone"))
struct HeavyTests {
  /// After a warm-up memory must not grow with the number of handshakes, successful or not.
  @Test func tenThousandHandshakesLeaveNothingBehind() throws {
    let client = try TLSConfiguration.node(Known.alice.get(), role: .client)
    let server = try TLSConfiguration.node(Known.bob.get(), role: .server)
    let guest = try TLSConfiguration.upstream(host: "pi", trust: .insecure)
    let impostor = try TLSConfiguration.node(
      Forged.identity(of: Known.bob.get(), signedBy: Known.alice.get()), role: .client)
    func run(_ count: Int) throws {
      for number in 0..<count {
        switch number % 5 {
        case 0:
          let pair = try Pair(guest, server)
          try pair.shakeHands()
          #expect(pair.bob.peer == nil)
        case 1: #expect(code { try Pair(impostor, server).shakeHands() } == .certificateRefused)
        case 2:
          let session = try TLSSession(server)
          session.receive(ByteBuffer(string: "GET / HTTP/1.1\r\n\r\n"))
          #expect(code { _ = try session.handshake() } == .notTLS)
        default:
          let pair = try Pair(client, server)
          try pair.shakeHands()
          _ = try pair.carry(ByteBuffer(repeating: 0, count: 1000))
        }
      }
    }
    try run(1000)
    let before = try residentBytes()
    try run(10_000)
    let growth = try residentBytes() - before
    // A leak of a certificate alone would be 5 MiB, one of a session 100.
    #expect(growth < 3 << 20, "\(growth) bytes")
  }

  /// 64 MiB each way at once; either side writes while the channel takes it.
  @Test(.timeLimit(.minutes(2)), arguments: [TLSVersion.v12, .v13])
  func muchGoesThroughBothWays(_ version: TLSVersion) async throws {
    let (a, b) = (try Known.alice.get(), try Known.bob.get())
    let server = try await StreamerServer(.node(b, role: .server, newest: version))
    let alice = try await Streamer.dial(server.port, .node(a, role: .client, newest: version))
    let bob = await server.streamers.first { _ in true }
    let before = try residentBytes()
    try await alice.get()
    try await bob?.get()
    // What was asked for in one go would have been 128 MiB.
    #expect(try residentBytes() - before < 16 << 20)
    try await server.close()
  }

  @Test(.timeLimit(.minutes(1)))
  func aReaderThatPausesStopsTheWriter() async throws {
    let (a, b) = (try Known.alice.get(), try Known.bob.get())
    let server = try await StreamerServer(.node(b, role: .server), isPaused: true)
    let (alice, stopped) = try await Streamer.dialAndStop(server.port, .node(a, role: .client))
    let written = try await stopped.get()
    #expect(written < Streamer.total / 2)
    let bob = try await #require(server.streamers.first { _ in true })
    try await server.resume()
    try await alice.get()
    try await bob.get()
    try await server.close()
  }
}
