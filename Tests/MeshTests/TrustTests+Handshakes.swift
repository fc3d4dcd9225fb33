import HTTPX
import Mesh
import NIOCore
import TestKit
import Testing
import Trust
import XMPP

@testable import TLS

/// A stream that comes in, and goes wrong before it is known whose it is.
struct Intrusion: Sendable, CustomTestStringConvertible {
  let name: String
  /// What the log says of it.
  let why: String
  let detail: String
  /// With a connection to the node, which the attacker leaves open.
  let play: @Sendable (ScriptedPeer) async throws -> Void

  var testDescription: String { name }

  init(
    _ name: String, why: String = "insecure", _ detail: String,
    _ play: @escaping @Sendable (ScriptedPeer) async throws -> Void
  ) {
    (self.name, self.why, self.detail, self.play) = (name, why, detail, play)
  }

  /// A handshake with this, which the node refuses; TLS 1.3 tells a client only behind its end.
  static func handshake(
    _ name: String, _ detail: String, _ configuration: @escaping @Sendable () throws -> TLSConfiguration
  ) -> Intrusion {
    Intrusion(name, detail) { peer in
      try await peer.greet(from: "mallory@cellar", to: "open@pi")
      try? await peer.startTLS(configuration())
    }
  }

  static let request =
    "<iq type='set' id='1'><req xmlns='urn:xmpp:http' method='GET' resource='/' version='1.1'/></iq>"
  static let startTLS = "<starttls xmlns='\(ScriptedPeer.tls)'/>"

  static let all = [
    Intrusion("plaintext behind <starttls/>", why: "policy-violation", "plaintext behind the start of TLS") { peer in
      try await peer.greet(from: "mallory@cellar", to: "open@pi")
      try await peer.send(startTLS + request)
    },
    Intrusion("a space behind <starttls/>", why: "policy-violation", "plaintext behind the start of TLS") { peer in
      try await peer.greet(from: "mallory@cellar", to: "open@pi")
      try await peer.send(startTLS + " ")
    },
    Intrusion("plaintext instead of a handshake", "the TLS handshake failed") { peer in
      try await peer.greet(from: "mallory@cellar", to: "open@pi")
      try await peer.send(startTLS)
      try await peer.expect("<proceed xmlns='\(ScriptedPeer.tls)'/>")
      try await peer.send(request)
    },
    Intrusion("a handshake that breaks off", "the other side hung up during the TLS handshake") { peer in
      try await peer.greet(from: "mallory@cellar", to: "open@pi")
      try await peer.send(startTLS)
      try await peer.expect("<proceed xmlns='\(ScriptedPeer.tls)'/>")
      // The beginning of a record that would be a ClientHello.
      try await peer.send(ByteBuffer(bytes: [22, 3, 1, 0, 200, 1, 0, 0, 196, 3, 3]))
      try await peer.endOutput()
    },
    .handshake("a certificate whose key signed nothing", "not signed with the certificate's key") {
      let (anna, mallory) = (try Identity.generate(name: "anna"), try Identity.generate(name: "mallory"))
      return try .node(Forged.identity(certificateOf: anna, keyOf: mallory), role: .client)
    },
    .handshake("the same in TLS 1.2", "not signed with the certificate's key") {
      let (anna, mallory) = (try Identity.generate(name: "anna"), try Identity.generate(name: "mallory"))
      return try .node(Forged.identity(certificateOf: anna, keyOf: mallory), role: .client, newest: .v12)
    },
    .handshake("a certificate that another key signed", "not signed with its own key") {
      let (anna, mallory) = (try Identity.generate(name: "anna"), try Identity.generate(name: "mallory"))
      return try .node(Forged.identity(of: mallory, signedBy: anna), role: .client)
    },
    Intrusion("a malformed certificate", "the TLS handshake failed") { peer in
      let mallory = try Identity.generate(name: "mallory")
      try await peer.greet(from: "mallory@cellar", to: "open@pi")
      try await peer.send(startTLS)
      try await peer.expect("<proceed xmlns='\(ScriptedPeer.tls)'/>")
      let start = Array(mallory.certificate.der.prefix(16))
      // In TLS 1.2 certificates are not encrypted.
      await #expect(throws: (any Error).self) {
        try await peer.shakeHands(.node(mallory, role: .client, newest: .v12)) { Corruptor(start) }
      }
    },
    Intrusion("TLS twice", why: "unsupported-stanza-type", "starttls") { peer in
      try await peer.greet(from: "mallory@cellar", to: "open@pi")
      try await peer.startTLS(.node(.generate(name: "mallory"), role: .client))
      try await peer.greet(from: "mallory@cellar", to: "open@pi")
      try await peer.send(startTLS)
    },
  ]
}

extension TrustTests {
  @Test(arguments: Intrusion.all) func handshakesThatAreRefused(_ intrusion: Intrusion) async throws {
    let (pi, callers) = (try Character("pi"), Callers())
    try await Nodes.run([pi]) { nodes in
      try await nodes[0].serve(.noting(callers, "open", .public))
      // More often than there are places to negotiate for one address.
      for _ in 1...6 {
        let start = pi.log.lines.count
        let peer = try await ScriptedPeer.connect(to: nodes[0].status().port)
        try await intrusion.play(peer)
        try await pi.log.line(
          "stream-refused", with: ["why": intrusion.why, "detail": intrusion.detail, "address": "127.0.0.1"],
          from: start)
        let end = try await peer.expectClose()
        #expect(!end.contains("<iq"), "\(end)")
        peer.disappear()
      }
      #expect(callers.all.isEmpty)
      try await expectHospitality(of: nodes[0], callers)
    }
  }

  /// What OpenSSL's own client offers, and the node does not take.
  @Test(arguments: [
    ("-tls1_1 -cipher ALL:@SECLEVEL=0", "p256", "unsupported protocol"),
    ("-tls1_2 -cipher ECDHE-ECDSA-AES128-SHA", "p256", "no shared cipher"),
    ("-tls1_2", "p384", "the TLS handshake failed"),
    ("-tls1_2 -cipher ALL:@SECLEVEL=0", "rsa1024", "of a kind that is not accepted"),
  ])
  func whatOpenSSLOffers(_ options: String, _ key: String, _ detail: String) async throws {
    let (pi, callers, folder) = (try Character("pi"), Callers(), try await Self.keys(key))
    try await Nodes.run([pi]) { nodes in
      try await nodes[0].serve(.noting(callers, "open", .public))
      let port = nodes[0].status().port
      let (_, output) = try await folder.run(
        "s_client -connect 127.0.0.1:\(port) -starttls xmpp -xmpphost open@pi -cert certificate.pem -key key.pem "
          + "-quiet \(options)", input: Intrusion.request)
      #expect(!output.contains("<resp"), "\(output)")
      try await pi.log.line("stream-refused", with: ["why": "insecure", "detail": detail])
      #expect(callers.all.isEmpty)
      try await expectHospitality(of: nodes[0], callers)
    }
  }

  /// And one that it takes: a stranger that was never a node.
  @Test(arguments: ["-tls1_3", "-tls1_2"]) func openSSLComesIn(_ version: String) async throws {
    let (pi, callers, folder) = (try Character("pi"), Callers(), try await Self.keys("p256"))
    try await Nodes.run([pi]) { nodes in
      try await nodes[0].serve(.noting(callers, "open", .public))
      let process = try OpenSSLProcess(
        "s_client -connect 127.0.0.1:\(nodes[0].status().port) -starttls xmpp -xmpphost open@pi "
          + "-cert certificate.pem -key key.pem -quiet \(version)", in: folder)
      defer { process.stop() }
      process.say(ScriptedPeer.header(from: nil, to: "open@pi") + Intrusion.request)
      #expect(try await process.wait(for: #/(statusCode='200')/#) != nil)
    }
    #expect(callers.all.map(\.standing) == [.stranger])
  }

  /// And one that shows no certificate, or none that the node would take: with TLS, and as much nobody as without.
  @Test(
    arguments: [
      ("-tls1_3", nil), ("-tls1_2", nil), ("-tls1_3", "p384"),
    ] as [(String, String?)])
  func openSSLComesInAsNobody(_ version: String, _ key: String?) async throws {
    let (pi, callers, folder) = (try Character("pi"), Callers(), try await Self.keys(key ?? "p256"))
    try await Nodes.run([pi]) { nodes in
      try await nodes[0].serve(.noting(callers, "open", .public), .noting(callers, "bare", .public, plaintext: true))
      let process = try OpenSSLProcess(
        "s_client -connect 127.0.0.1:\(nodes[0].status().port) -starttls xmpp -xmpphost open@pi "
          + (key == nil ? "" : "-cert certificate.pem -key key.pem ") + "-quiet \(version)", in: folder)
      defer { process.stop() }
      process.say(ScriptedPeer.header(from: nil, to: "open@pi") + Intrusion.request)
      #expect(try await process.wait(for: #/(<forbidden )/#) != nil)
      #expect(!process.output.contains("EXTERNAL") && !process.output.contains("statusCode"), "\(process.output)")
      process.say(Intrusion.request.replacing("id='1'", with: "id='2' to='bare@pi'"))
      #expect(try await process.wait(for: #/(statusCode='200')/#) != nil)
      try await pi.log.line("stream-accepted", with: ["trust": "plaintext", "encrypted": "true"])
      try await pi.log.line("access-refused", with: ["service": "open", "why": "plaintext"])
    }
    #expect(callers.all.map(\.standing) == [.plaintext])
    #expect(callers.all.map(\.identity.proof) == [.encrypted])
  }

  static let keyKinds = [
    "p256": "ec -pkeyopt ec_paramgen_curve:P-256", "p384": "ec -pkeyopt ec_paramgen_curve:P-384", "rsa1024": "rsa:1024",
  ]

  /// A folder with a key and a certificate of this kind.
  static func keys(_ kind: String) async throws -> Folder {
    let folder = try Folder()
    try await folder.openssl(
      "req -x509 -newkey \(keyKinds[kind]!) -nodes -subj /CN=foreign -keyout key.pem -out certificate.pem")
    return folder
  }

  /// Whatever was before, a decent stranger is let in.
  func expectHospitality(of node: Node, _ callers: Callers) async throws {
    let paris = try Identity.generate(name: "paris")
    try await node.visited(by: paris, from: "paris@verona", to: "open@pi") { peer in
      let answer = try await peer.ask()
      #expect(answer.contains("statusCode='200'"), "\(answer)")
    }
    #expect(callers.all.map(\.id) == [paris.nodeID])
  }
}
