import COpenSSL
import NIOCore
import Testing

@testable import TLS

/// Handshakes by what another connection's two ends share.
@Suite struct SharedKeyTests {
  let alice: Identity
  let bob: Identity

  init() throws {
    alice = try Known.alice.get()
    bob = try Known.bob.get()
  }

  /// What both ends of one connection have by this name.
  private func keys(_ name: String, of pair: Pair) throws -> (alice: SharedKey, bob: SharedKey) {
    (
      try #require(pair.alice.sharedKey(for: Array(name.utf8))), try #require(pair.bob.sharedKey(for: Array(name.utf8)))
    )
  }

  private func connected(newest: TLSVersion = .v13) throws -> Pair {
    let pair = try Pair(alice, bob, newest: newest)
    try pair.shakeHands()
    return pair
  }

  private func pair(
    _ there: SharedKey?, _ here: SharedKey?, newest: TLSVersion = .v13,
    preferring preferences: [CipherPreference] = [.aes, .aes]
  ) throws -> Pair {
    try Pair(
      .node(alice, role: .client, newest: newest, preferring: preferences[0]).sharing(there),
      .node(bob, role: .server, newest: .v13, preferring: preferences[1]).sharing(here))
  }

  @Test(arguments: [CipherPreference.aes, .chaCha20], [CipherPreference.aes, .chaCha20])
  func bothEndsOfAConnectionHaveIt(_ there: CipherPreference, _ here: CipherPreference) throws {
    let first = try connected()
    let keys = try keys("a", of: first)
    #expect(keys.alice.secret == keys.bob.secret && keys.alice.secret.count == 32)
    let other = try #require(first.alice.sharedKey(for: Array("b".utf8)))
    #expect(other.secret != keys.alice.secret, "another one for each name")
    let second = try pair(keys.alice, keys.bob, preferring: [there, here])
    var sent = 0
    try second.shakeHands { sent += $0.readableBytes }
    for session in [second.alice, second.bob] {
      #expect(session.isShared && SSL_session_reused(session.ssl) == 1)
      #expect(session.peer == nil, "no certificate passed")
      #expect(session.version == .v13 && session.cipher.hasSuffix("SHA256"))
      // Its keys were exchanged (psk_dhe_ke): whoever learns the shared key later reads nothing.
      #expect(COpenSSL_SSL_get_negotiated_group(session.ssl) == NID_X25519)
      #expect(SSL_SESSION_is_resumable(SSL_get_session(session.ssl)) == 0)
      #expect(SSL_SESSION_get_max_early_data(SSL_get_session(session.ssl)) == 0)
    }
    #expect(sent < 700, "\(sent)")
    for count in [1, 100_000] {
      let bytes = ByteBuffer(repeating: 7, count: count)
      #expect(try second.carry(bytes) == bytes)
    }
  }

  /// Whoever knows the name, and has the key of another connection between the same two, or of a connection of its own.
  @Test func anotherConnectionsIsRefused() throws {
    let keys = try keys("a", of: connected())
    let others = try self.keys("a", of: connected())
    #expect(others.alice.secret != keys.alice.secret)
    // decrypt_error, or as OpenSSL has it, illegal_parameter
    #expect(code { try pair(others.alice, keys.bob).shakeHands() } == .violation)
    #expect(code { try pair(keys.alice, others.bob).shakeHands() } == .violation)
    let mallory = try Identity.generate(name: "mallory")
    let hers = try Pair(mallory, bob)
    try hers.shakeHands()
    #expect(code { try pair(self.keys("a", of: hers).alice, keys.bob).shakeHands() } == .violation)
  }

  /// Where only one side has it, or for another name: a whole handshake, which shows who is there.
  @Test func elseCertificatesAreShown() throws {
    let first = try connected()
    let (one, other) = (try keys("a", of: first), try keys("b", of: first))
    for (there, here) in [(one.alice, nil), (nil, one.bob), (one.alice, other.bob)] as [(SharedKey?, SharedKey?)] {
      let second = try pair(there, here)
      try second.shakeHands()
      #expect(!second.alice.isShared && !second.bob.isShared)
      #expect(second.alice.peer?.spki == bob.spki && second.bob.peer?.spki == alice.spki)
    }
  }

  @Test func olderVersionsHaveNone() throws {
    let old = try connected(newest: .v12)
    #expect(old.alice.sharedKey(for: [1]) == nil && old.bob.sharedKey(for: [1]) == nil)
    // A stream of TLS 1.3 beside which the other side speaks 1.2.
    let keys = try keys("a", of: connected())
    let second = try pair(keys.alice, keys.bob, newest: .v12)
    try second.shakeHands()
    #expect(second.bob.version == .v12 && !second.bob.isShared)
    #expect(second.alice.peer?.spki == bob.spki && second.bob.peer?.spki == alice.spki)
  }

  /// A server that wants another group than the client has guessed asks again.
  @Test func anotherGroupIsNegotiated() throws {
    let keys = try keys("a", of: connected())
    let second = try pair(keys.alice, keys.bob)
    #expect(COpenSSL_SSL_set_groups(second.bob.ssl, "P-384") == 1)
    try second.shakeHands()
    #expect(second.alice.isShared && second.bob.isShared)
    #expect(COpenSSL_SSL_get_negotiated_group(second.bob.ssl) == NID_secp384r1)
  }

  @Test func itIsToldApartFromAPeerWithoutCertificate() throws {
    let keys = try keys("a", of: connected())
    let client = try End(.node(alice, role: .client).sharing(keys.alice))
    let server = try End(.node(bob, role: .server).sharing(keys.bob))
    try server.connect()
    try client.connect()
    try carry(client, server)
    for end in [client, server] {
      #expect(end.listener.told == [.active, .shared])
      end.close()
    }
  }
}
