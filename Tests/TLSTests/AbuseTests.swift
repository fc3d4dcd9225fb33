import COpenSSL
import NIOCore
import Testing

@testable import TLS

/// Peers that know the protocol well and mean harm.
@Suite struct AbuseTests {
  let alice: Identity
  let bob: Identity

  init() throws {
    alice = try Known.alice.get()
    bob = try Known.bob.get()
  }

  /// Bob asks for renegotiation, once.
  private func helloRequest(_ pair: Pair) throws -> ByteBuffer {
    let noRenegotiation: UInt64 = 1 << 30
    SSL_clear_options(pair.bob.ssl, noRenegotiation)
    #expect(SSL_renegotiate(pair.bob.ssl) == 1)
    _ = try pair.bob.handshake()
    return try #require(pair.bob.takeOutgoing())
  }

  @Test func renegotiationIsRefusedAndTheSessionGoesOn() throws {
    let pair = try Pair(alice, bob, newest: .v12)
    try pair.shakeHands()
    pair.alice.receive(try helloRequest(pair))
    var plaintext = ByteBuffer()
    plaintext.reserveCapacity(100)
    #expect(try pair.alice.read(into: &plaintext) == .dry)
    let refusal = try #require(pair.alice.takeOutgoing())
    // One alert, encrypted.
    #expect(refusal.readableBytes == 31)
    #expect(refusal.getInteger(at: refusal.readerIndex, as: UInt8.self) == 21)
  }

  @Test func askingForRenegotiationOverAndOverEndsTheSession() throws {
    let pair = try Pair(alice, bob, newest: .v12)
    try pair.shakeHands()
    var plaintext = ByteBuffer()
    plaintext.reserveCapacity(100)
    var answered = 0
    let result = code {
      for _ in 0..<10_000 {
        pair.alice.receive(try helloRequest(pair))
        _ = try pair.alice.read(into: &plaintext)
        answered += pair.alice.takeOutgoing()?.readableBytes ?? 0
      }
    }
    #expect(result == .violation)
    #expect(answered <= TLSLimits.unaskedBytes)
  }

  /// Each makes OpenSSL answer the one before, whether the answers are read or not. Bytes of all answers.
  private func keyUpdates(_ count: Int, _ pair: Pair) throws -> Int {
    var plaintext = ByteBuffer()
    plaintext.reserveCapacity(100)
    var answered = 0
    for _ in 0..<count {
      #expect(SSL_key_update(pair.alice.ssl, SSL_KEY_UPDATE_REQUESTED) == 1)
      _ = try pair.alice.handshake()
      pair.bob.receive(try #require(pair.alice.takeOutgoing()))
      _ = try pair.bob.read(into: &plaintext)
      guard let answer = pair.bob.takeOutgoing() else { continue }
      pair.alice.receive(answer)
      answered += answer.readableBytes
      _ = try pair.alice.read(into: &plaintext)
    }
    return answered
  }

  @Test func keysMayBeChanged() throws {
    let pair = try Pair(alice, bob)
    try pair.shakeHands()
    #expect(try 1..<1000 ~= keyUpdates(10, pair))
    #expect(try pair.carry(ByteBuffer(string: "go on")) == ByteBuffer(string: "go on"))
  }

  @Test func changingKeysOverAndOverEndsTheSession() throws {
    let pair = try Pair(alice, bob)
    try pair.shakeHands()
    #expect(code { _ = try keyUpdates(TLSLimits.unaskedBytes / 20, pair) } == .violation)
  }

  @Test(arguments: [
    "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "<?xml version='1.0'?><stream:stream>", "\u{16}\u{3}\u{1}\u{0}\u{5}hello",
    "\u{16}\u{3}\u{1}\u{7f}\u{7f}", String(repeating: "\u{0}", count: 5000), "SSH-2.0-OpenSSH_9.2\r\n",
  ])
  func garbageIsRefused(_ text: String) throws {
    for configuration in [try TLSConfiguration.node(alice, role: .client), try .node(bob, role: .server)] {
      let session = try TLSSession(configuration)
      _ = try session.handshake()
      session.receive(ByteBuffer(string: text))
      let result = code { _ = try session.handshake() }
      #expect(result == .notTLS || result == .violation || result == .nothingInCommon)
      #expect(ERR_peek_error() == 0)
    }
  }

  @Test func randomBytesAndChangedHandshakesNeverCrash() throws {
    var random = Numbers(state: 7)
    for _ in 0..<400 {
      let version: TLSVersion = Bool.random(using: &random) ? .v12 : .v13
      let pair = try Pair(alice, bob, newest: version)
      // One byte anywhere in what the server reads; either the handshake fails, or the byte did not matter.
      var remaining = Int.random(in: 0..<1500, using: &random)
      let value = UInt8.random(in: 0...255, using: &random)
      _ = code {
        try pair.shakeHandsOrStall { bytes in
          if remaining < bytes.readableBytes, remaining >= 0 {
            bytes.setInteger(value, at: bytes.readerIndex + remaining)
          }
          remaining -= bytes.readableBytes
        }
      }
      #expect(ERR_peek_error() == 0)
    }
  }
}

/// The same numbers in every run (xorshift64).
private struct Numbers: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return state
  }
}
