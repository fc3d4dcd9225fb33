import NIOCore
import TestKit
import Testing

@testable import TLS

@Suite(.timeLimit(.minutes(1))) struct CipherPreferenceTests {
  @Test(
    arguments: [
      // A server of 2023, and the same with `OPENSSL_ia32cap=~0x200000200000000`.
      ("OPENSSL_ia32cap=0xfffa3203078bffff:0x405fc6f1bf07ab", .aes),
      ("OPENSSL_ia32cap=0xfdfa3201078bffff:0x0 env:~0x200000200000000", .chaCha20),
      // The words of OpenSSL 3.5.
      ("OPENSSL_ia32cap=0x7ffaf3bfffebffff:0x18405f5ef1bf27ab:0x1:0x0:0x0", .aes),
      ("OPENSSL_ia32cap=0x7df8f3bdffebffff:0x18405f5ef1bf27ab:0x1:0x0:0x0", .chaCha20),
      // Without AES-NI, without PCLMULQDQ, with these two alone.
      ("OPENSSL_ia32cap=0xfdfa3203078bffff:0x0", .chaCha20), ("OPENSSL_ia32cap=0xfffa3201078bffff:0x0", .chaCha20),
      ("OPENSSL_ia32cap=0x200000200000000:0x0", .aes), ("OPENSSL_ia32cap=0x0:0x0", .chaCha20),
      // Raspberry Pi 5, Raspberry Pi 4, and the first of these told to be the other.
      ("OPENSSL_armcap=0xbd", .aes), ("OPENSSL_armcap=0x81", .chaCha20), ("OPENSSL_armcap=0x1 env:1", .chaCha20),
      // Without PMULL, without AES, with these two alone.
      ("OPENSSL_armcap=0x9d", .chaCha20), ("OPENSSL_armcap=0xb9", .chaCha20), ("OPENSSL_armcap=0x24", .aes),
      ("OPENSSL_armcap=0x0", .chaCha20),
    ] as [(String, CipherPreference)])
  func theProcessorDecides(_ capabilities: String, _ preference: CipherPreference) {
    #expect(CipherPreference(capabilities: capabilities) == preference)
  }

  @Test(arguments: [
    nil, "", " ", "=", "OPENSSL_ia32cap", "OPENSSL_ia32cap=", "OPENSSL_ia32cap=:", "OPENSSL_ia32cap=0x",
    "OPENSSL_ia32cap=~0x0", "OPENSSL_ia32cap=0xg:0x0", "OPENSSL_ia32cap=0x10000000000000000:0x0", "OPENSSL_armcap=1",
    "OPENSSL_armcap= 0x0", "OPENSSL_ppccap=0x0", "OPENSSL_s390xcap=stfle:0x0:0x0", "env:OPENSSL_armcap=0x0", "N/A",
  ])
  func aesIsPreferredWhereNothingIsKnown(_ capabilities: String?) {
    #expect(CipherPreference(capabilities: capabilities) == .aes)
  }

  @Test func openSSLsOwnWordsAreUnderstood() async throws {
    let folder = try Folder()
    let preference = { (text: String) in
      CipherPreference(capabilities: text.split(separator: "\n").first.map(String.init))
    }
    #expect(preference(try await folder.openssl("info -cpusettings")) == .ofThisProcessor)
    // Each is for one kind of processor: without AES-NI and PCLMULQDQ, and with NEON alone.
    let switches = ["OPENSSL_ia32cap": "~0x200000200000000", "OPENSSL_armcap": "1"]
    #expect(preference(try await folder.openssl("info -cpusettings", variables: switches)) == .chaCha20)
  }

  /// Each by what it would rather use, and up to this version.
  struct Side: Sendable {
    let preference: CipherPreference
    let newest: TLSVersion

    static let all = [CipherPreference.aes, .chaCha20].flatMap { preference in
      [TLSVersion.v12, .v13].map { Side(preference: preference, newest: $0) }
    }
  }

  @Test(arguments: Side.all, Side.all)
  func oneSideWithoutInstructionsForAESIsEnough(_ client: Side, _ server: Side) throws {
    let pair = try Pair(
      .node(Known.alice.get(), role: .client, newest: client.newest, preferring: client.preference),
      .node(Known.bob.get(), role: .server, newest: server.newest, preferring: server.preference))
    try pair.shakeHands()
    let cipher =
      switch (client.newest == .v13 && server.newest == .v13, [client, server].allSatisfy { $0.preference == .aes }) {
      case (true, true): "TLS_AES_128_GCM_SHA256"
      case (true, false): "TLS_CHACHA20_POLY1305_SHA256"
      case (false, true): "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"
      case (false, false): "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"
      }
    #expect(pair.alice.cipher == cipher)
    #expect(pair.bob.cipher == cipher)
    #expect(try pair.carry(ByteBuffer(string: "hello")) == ByteBuffer(string: "hello"))
  }
}
