import Foundation
import NIOCore
import TestKit
import Testing

@testable import TLS

/// OpenSSL's own tools as the other side: versions, ciphers and keys that we do not offer ourselves.
@Suite(.timeLimit(.minutes(2))) struct ForeignTests {
  private static let permissive = "-cipher ALL:@SECLEVEL=0"

  /// A key and a certificate of this kind, in `key.pem` and `certificate.pem`.
  private func folder(key: String = "ec -pkeyopt ec_paramgen_curve:P-256") async throws -> Folder {
    let folder = try Folder()
    try await folder.openssl("req -x509 -newkey \(key) -nodes -subj /CN=foreign -keyout key.pem -out certificate.pem")
    return folder
  }

  /// What our server makes of a client that says hello.
  private func meet(client options: String, in folder: Folder) async throws -> (told: [Told], output: String) {
    let server = try await SocketServer(
      SocketSetup(.node(Known.bob.get(), role: .server, newest: .v13, preferring: .aes)))
    let process = try OpenSSLProcess("s_client -connect 127.0.0.1:\(server.port) -quiet \(options)", in: folder)
    process.say("hello")
    let bob = try await server.accepted()
    let told = await bob.wait { $0.bytes.readableBytes == 5 || !$0.errors.isEmpty }
    try? await bob.channel.close()
    _ = await process.status()
    try await server.close()
    return (told, process.output)
  }

  @Test(arguments: [
    ("-tls1_3", "TLS_AES_128_GCM_SHA256"), ("-tls1_3 -ciphersuites TLS_AES_256_GCM_SHA384", "TLS_AES_256_GCM_SHA384"),
    ("-tls1_3 -ciphersuites TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256", "TLS_AES_128_GCM_SHA256"),
    ("-tls1_2", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"),
    ("-tls1_2 -cipher ECDHE-ECDSA-CHACHA20-POLY1305", "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"),
    // One whose processor has no AES, as other programs say it.
    ("-tls1_3 -ciphersuites TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256", "TLS_CHACHA20_POLY1305_SHA256"),
    (
      "-tls1_2 -cipher ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-GCM-SHA256",
      "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"
    ),
  ])
  func aClientWithACertificateIsHeard(_ options: String, _ cipher: String) async throws {
    let folder = try await folder()
    let (told, output) = try await meet(client: "-cert certificate.pem -key key.pem \(options)", in: folder)
    try await folder.openssl("pkey -in key.pem -pubout -outform DER -out spki")
    guard case .established(let peer, _, let chosen)? = told.first(where: { $0.isEstablished }) else {
      Issue.record("\(told) \(output)")
      return
    }
    #expect(peer?.spki == (try folder.read("spki")))
    #expect(chosen == cipher)
    #expect(told.bytes == ByteBuffer(string: "hello"))
  }

  @Test(arguments: [
    // Without forward secrecy, without AEAD, without encryption.
    ("-tls1_2 -cipher AES128-GCM-SHA256", TLSError.Code.nothingInCommon),
    ("-tls1_2 -cipher ECDHE-ECDSA-AES128-SHA", .nothingInCommon),
    ("-tls1_2 -cipher eNULL:@SECLEVEL=0", .nothingInCommon),
    ("-tls1_3 -groups ffdhe2048", .nothingInCommon),
  ])
  func whatIsTooWeakIsRefused(_ options: String, _ error: TLSError.Code) async throws {
    let (told, _) = try await meet(client: "-cert certificate.pem -key key.pem \(options)", in: folder())
    #expect(told.errors == [error])
    #expect(!told.hasEstablished)
  }

  @Test(arguments: ["-tls1_1", "-tls1"])
  func anOldClientIsRefused(_ version: String) async throws {
    let (told, _) = try await meet(
      client: "-cert certificate.pem -key key.pem \(version) \(Self.permissive)", in: folder())
    guard case .error(let error)? = told.last else {
      Issue.record("\(told)")
      return
    }
    #expect(error.code == .nothingInCommon)
    // And not for want of a cipher.
    #expect(error.message.contains("unsupported protocol"))
  }

  @Test(arguments: ["-tls1_3", "-tls1_2"])
  func aClientWithoutCertificateIsHeardAsNobody(_ options: String) async throws {
    let (told, output) = try await meet(client: options, in: folder())
    guard case .established(let peer, _, _)? = told.first(where: { $0.isEstablished }) else {
      Issue.record("\(told) \(output)")
      return
    }
    #expect(peer == nil)
    #expect(told.bytes == ByteBuffer(string: "hello"))
  }

  @Test(arguments: ["-tls1_3", "-tls1_2"], [("ed25519", true), ("rsa:2048", true), ("rsa:4096", true)])
  func otherGoodKeysAreAccepted(_ version: String, _ key: (String, Bool)) async throws {
    let folder = try await folder(key: key.0)
    let (told, output) = try await meet(client: "-cert certificate.pem -key key.pem \(version)", in: folder)
    #expect(told.hasEstablished == key.1, "\(told) \(output)")
    #expect(told.bytes == ByteBuffer(string: "hello"))
  }

  /// What the client does not even show, since it learns that it would be refused, makes it nobody.
  @Test(arguments: [
    ("-tls1_3", "ec -pkeyopt ec_paramgen_curve:P-384"), ("-tls1_3", "ec -pkeyopt ec_paramgen_curve:secp256k1"),
    ("-tls1_3", "ed448"), ("-tls1_2", "ed448"),
  ])
  func strangeKeysAreNotShown(_ version: String, _ key: String) async throws {
    let folder = try await folder(key: key)
    let (told, output) = try await meet(
      client: "-cert certificate.pem -key key.pem \(version) \(Self.permissive)", in: folder)
    guard case .established(let peer, _, _)? = told.first(where: { $0.isEstablished }) else {
      Issue.record("\(told) \(output)")
      return
    }
    #expect(peer == nil)
  }

  @Test(arguments: [
    ("-tls1_3", "rsa:1024"), ("-tls1_2", "rsa:1024"), ("-tls1_2", "ec -pkeyopt ec_paramgen_curve:P-384"),
    ("-tls1_2", "ec -pkeyopt ec_paramgen_curve:secp256k1"),
  ])
  func weakAndStrangeKeysAreRefused(_ version: String, _ key: String) async throws {
    let folder = try await folder(key: key)
    let (told, _) = try await meet(
      client: "-cert certificate.pem -key key.pem \(version) \(Self.permissive)", in: folder)
    #expect(!told.hasEstablished)
    #expect(told.bytes.readableBytes == 0)
    #expect(told.errors.count == 1)
  }

  @Test(arguments: ["-tls1_3", "-tls1_2"])
  func ourClientIsHeardByAServer(_ version: String) async throws {
    let folder = try await folder()
    let told = try await meet(server: version, in: folder) { (process, told) async throws in
      let heard = try await process.wait(for: #/(hello from alice)/#)
      #expect(heard != nil)
      #expect(told.hasEstablished)
    }
    #expect(told.errors.isEmpty, "\(told)")
  }

  @Test(arguments: ["-tls1_1", "-tls1"])
  func anOldServerIsRefused(_ version: String) async throws {
    let told = try await meet(server: "\(version) \(Self.permissive)", in: folder()) { _, _ in }
    #expect(told.errors.count == 1)
    #expect(!told.hasEstablished)
  }

  /// What our client makes of a server that asks for a certificate.
  private func meet(
    server options: String, in folder: Folder, check: (OpenSSLProcess, [Told]) async throws -> Void
  ) async throws -> [Told] {
    try folder.write("alice.pem", Known.alice.get().pem)
    let process = try OpenSSLProcess(
      "s_server -accept 127.0.0.1:0 -cert certificate.pem -key key.pem -Verify 1 -verify_return_error -CAfile alice.pem "
        + "-naccept 1 \(options)", in: folder)
    defer { process.stop() }
    let port = try #require(try await process.wait(for: #/ACCEPT 127.0.0.1:(\d+)/#).flatMap { Int($0) })
    let alice = try await dial(port, SocketSetup(.node(Known.alice.get(), role: .client)))
    alice.channel.writeAndFlush(ByteBuffer(string: "hello from alice\n"), promise: nil)
    let told = await alice.wait { $0.hasEstablished || !$0.errors.isEmpty }
    try await check(process, told)
    try? await alice.channel.close()
    return await alice.waitForTheEnd()
  }
}
