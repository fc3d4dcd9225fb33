import HTTPX
import Mesh
import NIOCore
import TestKit
import Testing
import Trust
import XMPP

@testable import TLS

/// What a node finds that dials a device whose key it expects.
struct Trap: Sendable, CustomTestStringConvertible {
  let name: String
  let code: MeshError.Code
  /// What the log says of it.
  let why: String
  let detail: String
  /// At the other end of the connection; who knows the expected key, and has another.
  let play: @Sendable (ScriptedPeer, _ expected: Identity, _ own: Identity) async throws -> Void

  var testDescription: String { name }

  init(
    _ name: String, code: MeshError.Code = .insecure, why: String = "insecure", _ detail: String,
    _ play: @escaping @Sendable (ScriptedPeer, Identity, Identity) async throws -> Void
  ) {
    (self.name, self.code, self.why, self.detail, self.play) = (name, code, why, detail, play)
  }

  private static let header = ScriptedPeer.header(from: "lamp@attic", to: nil)
  private static let offer = "<starttls xmlns='\(ScriptedPeer.tls)'/>"
  /// How the record begins that it is in.
  private static let clientHello = "\u{16}\u{3}\u{1}"
  private static let proceed = "<proceed xmlns='\(ScriptedPeer.tls)'/>"

  /// Offers TLS, and says this instead of `<proceed/>`, or behind it.
  private static func answering(_ text: String) -> @Sendable (ScriptedPeer, Identity, Identity) async throws -> Void {
    { peer, _, _ in
      try await peer.answerHeader(as: "lamp@attic", features: offer)
      try await peer.expect(offer)
      try await peer.send(text)
    }
  }

  private static func handshake(
    _ name: String, code: MeshError.Code = .insecure, _ detail: String,
    _ configuration: @escaping @Sendable (Identity, Identity) throws -> TLSConfiguration
  ) -> Trap {
    Trap(name, code: code, detail) { peer, expected, own in
      try await peer.answerHeader(as: "lamp@attic", features: offer)
      await #expect(throws: (any Error).self) { try await peer.proceed(configuration(expected, own)) }
    }
  }

  /// OpenSSL's own server behind `<proceed/>`.
  private static func openSSL(_ name: String, _ key: String, _ options: String, _ detail: String) -> Trap {
    Trap(name, detail) { peer, _, _ in
      let folder = try await TrustTests.keys(key)
      let process = try OpenSSLProcess(
        "s_server -accept 127.0.0.1:0 -cert certificate.pem -key key.pem -naccept 1 -verify 1 \(options)", in: folder)
      defer { process.stop() }
      let port = try #require(try await process.wait(for: #/ACCEPT 127.0.0.1:(\d+)/#).flatMap { Int($0) })
      try await peer.answerHeader(as: "lamp@attic", features: offer)
      try await peer.expect(offer)
      try await peer.handOver(to: port, behind: proceed)
      try await peer.expectClose()
      #expect(!process.output.contains("<"), "\(process.output)")
    }
  }

  static let all = [
    Trap("features without TLS", "not offered") { peer, _, _ in
      try await peer.answerHeader(as: "lamp@attic", features: ScriptedPeer.http)
    },
    Trap("a header from before TLS", "no version that knows it") { peer, _, _ in
      try await peer.expect("version='1.0'>")
      try await peer.send(
        "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' from='lamp@attic'>")
    },
    Trap("no features", "no features came") { peer, _, _ in
      try await peer.expect("version='1.0'>")
      try await peer.send(header)
    },
    Trap("a stanza before the features", "no features came") { peer, _, _ in
      try await peer.expect("version='1.0'>")
      try await peer.send(header + "<iq type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>")
    },
    Trap("a refusal of what was offered", "refused", answering("<failure xmlns='\(ScriptedPeer.tls)'/>")),
    Trap(
      "success in SASL instead", code: .connectionLost, why: "unsupported-stanza-type", "success",
      answering("<success xmlns='\(ScriptedPeer.sasl)'/>")),
    Trap(
      "plaintext behind <proceed/>", code: .connectionLost, why: "policy-violation",
      "plaintext behind the start of TLS",
      answering(proceed + "<iq type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>")),
    Trap(
      "a space behind <proceed/>", code: .connectionLost, why: "policy-violation", "plaintext behind the start of TLS",
      answering(proceed + " ")),
    Trap("plaintext instead of a handshake", "the TLS handshake failed") { peer, _, _ in
      try await answering(proceed)(peer, .generate(name: "x"), .generate(name: "y"))
      try await peer.expect(clientHello)
      try await peer.send(header)
    },
    Trap("a handshake that breaks off", "hung up during the TLS handshake") { peer, _, _ in
      try await answering(proceed)(peer, .generate(name: "x"), .generate(name: "y"))
      try await peer.endOutput()
    },
    handshake("the expected certificate without its key", "not signed with the certificate's key") { expected, own in
      try .node(Forged.identity(certificateOf: expected, keyOf: own), role: .server)
    },
    handshake("the same in TLS 1.2", "not signed with the certificate's key") { expected, own in
      try .node(Forged.identity(certificateOf: expected, keyOf: own), role: .server, newest: .v12)
    },
    handshake("a certificate that another key signed", "not signed with its own key") { expected, own in
      try .node(Forged.identity(of: own, signedBy: expected), role: .server)
    },
    Trap("a malformed certificate", "the TLS handshake failed") { peer, expected, _ in
      let start = Array(expected.certificate.der.prefix(16))
      try await peer.answerHeader(as: "lamp@attic", features: offer)
      try await peer.expect(offer)
      await #expect(throws: (any Error).self) {
        try await peer.shakeHands(.node(expected, role: .server, newest: .v12), behind: proceed) { Corruptor(start) }
      }
    },
    openSSL("TLS 1.1", "p256", "-tls1_1 -cipher ALL:@SECLEVEL=0", "the TLS handshake failed"),
    openSSL("a curve that nodes do not have", "p384", "-tls1_3", "refused TLS with us"),
    openSSL("a key that can be broken", "rsa1024", "-tls1_2 -cipher ALL:@SECLEVEL=0", "of a kind that is not accepted"),
  ]
}

extension TrustTests {
  private static let lamp = JID("lamp@attic")!

  @Test(arguments: Trap.all, ["pinned", "announced"])
  func nothingIsSaidToAnUnknownKey(_ trap: Trap, _ knownBy: String) async throws {
    let (expected, own) = (try Identity.generate(name: "lamp"), try Identity.generate(name: "mallory"))
    let pi = try Character(
      "pi", friends: knownBy == "pinned" ? [.init("lamp", expected, devices: ["lamp@attic"])] : [])
    let (link, listener) = (Link(), try await ScriptedListener())
    try await Nodes.run([pi], on: link) { nodes in
      link.haunt(Self.lamp, port: listener.port, id: knownBy == "announced" ? expected.nodeID.description : nil)
      _ = await nodes[0].awaitOnline("lamp@attic")
      async let failure = Self.failure { try await nodes[0].fetch(Self.lamp, .make(path: "/secret")) }
      let peer = try await listener.accept()
      try await trap.play(peer, expected, own)
      let error = await failure
      #expect(error?.code == trap.code, "\(String(describing: error))")
      let heard = try await peer.expectClose()
      #expect(!heard.contains("<iq") && !heard.contains("secret"), "\(heard)")
      peer.disappear()
      try await pi.log.line(
        "stream-refused", with: ["why": trap.why, "detail": trap.detail, "jid": "lamp@attic", "address": "127.0.0.1"])
      #expect(nodes[0].status().streams == 0)
      try await expectTrust(nodes[0], listener, expected)
    }
    try await listener.close()
  }

  /// The device that was meant is there again.
  private func expectTrust(_ node: Node, _ listener: ScriptedListener, _ expected: Identity) async throws {
    async let answer = node.fetch(Self.lamp)
    let peer = try await listener.accept()
    try await peer.answerSecurely(as: "lamp@attic", with: expected)
    try await peer.answers(try await peer.takesRequest(), "light")
    #expect(try await answer == ByteBuffer(string: "light"))
    peer.disappear()
  }
}
