import LinkLocal
import Mesh
import NIOCore
import TLS
import TestKit
import Testing
import Trust
import XMPP

/// Handshakes that never end.
extension TrustTests {
  /// How far one comes who says no more, and how the log names that.
  private enum Step: String, CaseIterable {
    case proceed, hello, header

    var fields: [String: String] {
      switch self {
      case .proceed, .hello: ["why": "insecure", "detail": "not finished in time"]
      case .header: ["why": "timed-out"]
      }
    }

    func take(_ peer: ScriptedPeer) async throws {
      try await peer.greet(from: "\(self)@cellar", to: "open@pi")
      guard self != .header else { return try await peer.startTLS(.node(.generate(name: "mallory"), role: .client)) }
      try await peer.send("<starttls xmlns='\(ScriptedPeer.tls)'/>")
      try await peer.expect("<proceed xmlns='\(ScriptedPeer.tls)'/>")
      // The beginning of a record that would be a ClientHello.
      if self == .hello { try await peer.send(ByteBuffer(bytes: [22, 3, 1, 0, 200, 1, 0, 0, 196, 3, 3])) }
    }
  }

  /// All at the same time, since the deadline is what it is.
  @Test func aHandshakeWithoutEndIsEnded() async throws {
    let (lamp, tv) = (try Identity.generate(name: "lamp"), try Identity.generate(name: "tv"))
    let pi = try Character(
      "pi", friends: [.init("lamp", lamp, devices: ["lamp@attic"]), .init("tv", tv, devices: ["tv@attic"])])
    let (link, callers, listener) = (Link(), Callers(), try await ScriptedListener())
    try await Nodes.run([pi], on: link) { nodes in
      try await nodes[0].serve(.noting(callers, "open", .public))
      for name in ["lamp@attic", "tv@attic"] {
        link.haunt(JID(name)!, port: listener.port)
        _ = await nodes[0].awaitOnline(name)
      }
      let start = ContinuousClock.now
      var silent: [ScriptedPeer] = []
      for step in Step.allCases {
        silent.append(try await ScriptedPeer.connect(to: nodes[0].status().port))
        try await step.take(silent.last!)
      }
      // And those whom we dial: one leaves us without her part of the handshake, one without so much as `<proceed/>`.
      async let first = Self.failure { try await nodes[0].fetch(JID("lamp@attic")!) }
      silent.append(try await listener.accept())
      try await silent.last!.answerHeader(as: "lamp@attic", features: "<starttls xmlns='\(ScriptedPeer.tls)'/>")
      try await silent.last!.send("<proceed xmlns='\(ScriptedPeer.tls)'/>")
      async let second = Self.failure { try await nodes[0].fetch(JID("tv@attic")!) }
      silent.append(try await listener.accept())
      try await silent.last!.answerHeader(as: "tv@attic", features: "<starttls xmlns='\(ScriptedPeer.tls)'/>")
      for peer in silent {
        #expect(!(try await peer.expectClose(within: .seconds(14))).contains("<iq"))
        peer.disappear()
      }
      #expect(ContinuousClock.now - start > .seconds(9))
      #expect(await first?.code == .insecure)
      #expect(await second?.code == .timedOut)
      for step in Step.allCases { try await pi.log.line("stream-refused", with: step.fields) }
      try await pi.log.line("stream-refused", with: ["jid": "lamp@attic", "detail": "not finished in time"])
      try await pi.log.line("stream-refused", with: ["jid": "tv@attic", "why": "timed-out"])
      #expect(pi.log.lines.count { $0.message == "stream-refused" } == 5)
      #expect(nodes[0].status().streams == 0)
      try await expectHospitality(of: nodes[0], callers)
    }
    try await listener.close()
  }
}
