import Codecs
import HTTPTypes
import HTTPX
import LinkLocal
import Mesh
import NIOCore
import TLS
import TestKit
import Testing
import Trust
import XMPP

/// Somebody sits between two nodes.
extension TrustTests {
  private static let diary = JID("diary@pi")!

  /// Laptop and pi, which has a diary for its friend, with Mallory on the way from one to the other.
  private static func apart(
    _ knownBy: String, edit: @escaping Interceptor.Edit = { $1 },
    _ body: (_ laptop: Node, _ pi: Node, _ middle: Interceptor, _ log: LogRecorder, _ callers: Callers) async throws ->
      Void
  ) async throws {
    let (own, other) = (try Identity.generate(name: "laptop"), try Identity.generate(name: "pi"))
    let pi = try Character("pi", identity: other, friends: [.init("laptop", own)])
    let laptop = try Character(
      "laptop", identity: own, friends: knownBy == "pinned" ? [.init("pi", other, devices: ["diary@pi"])] : [])
    let (link, callers) = (Link(), Callers())
    try await Nodes.run([laptop, pi], on: link) { nodes in
      try await nodes[1].serve(.noting(callers, "diary", .friends))
      let middle = try await Interceptor(before: nodes[1].status().port, edit: edit)
      // She can say in mDNS what she likes as well.
      link.haunt(diary, port: middle.port, id: other.nodeID.description)
      _ = await nodes[0].awaitDevice { $0.endpoints.contains { $0.port == middle.port } }
      try await body(nodes[0], nodes[1], middle, laptop.log, callers)
      try await middle.close()
    }
  }

  private static let secret = HTTPXRequest.make(.put, path: "/secret", body: Body(ByteBuffer(string: "dear diary")))

  @Test(arguments: ["pinned", "announced"]) func aStrippedOfferGetsNothing(_ knownBy: String) async throws {
    let strip: Interceptor.Edit = {
      $0 == .back ? $1.replacing("<starttls xmlns='\(ScriptedPeer.tls)'/>", with: "") : $1
    }
    try await Self.apart(knownBy, edit: strip) { laptop, _, middle, log, callers in
      let error = await Self.failure { try await laptop.fetch(Self.diary, Self.secret) }
      #expect(error?.code == .insecure, "\(String(describing: error))")
      #expect(error?.message.contains("TLS is required, and not offered") == true, "\(String(describing: error))")
      #expect(middle.heard(.back).contains("<starttls "))
      let sent = middle.heard(.there)
      #expect(sent.hasPrefix("<?xml") && !sent.contains("<iq") && !sent.contains("diary\"") && !sent.contains("secret"))
      #expect(callers.all.isEmpty)
      #expect(laptop.status().streams == 0)
      try await log.line("stream-refused", with: ["why": "insecure", "detail": "not offered", "jid": "diary@pi"])
    }
  }

  /// She puts words of her own behind those of one side, for the other to take as said over TLS.
  @Test(arguments: [Interceptor.Direction.there, .back])
  func wordsInBetweenEndTheStream(_ direction: Interceptor.Direction) async throws {
    let ends = [
      Interceptor.Direction.there: "<starttls xmlns='\(ScriptedPeer.tls)'/>",
      .back: "<proceed xmlns='\(ScriptedPeer.tls)'/>",
    ]
    let end = try #require(ends[direction])
    let inject: Interceptor.Edit = { $0 == direction ? $1.replacing(end, with: end + Intrusion.request) : $1 }
    try await Self.apart("pinned", edit: inject) { laptop, _, middle, _, callers in
      let error = await Self.failure { try await laptop.fetch(Self.diary, Self.secret) }
      #expect(error?.code == .connectionLost)
      #expect(error?.message.contains("plaintext behind the start of TLS") == true, "\(String(describing: error))")
      #expect(middle.heard(direction).contains(end))
      #expect(!middle.heard(.there).contains("<iq") && !middle.heard(.back).contains("<iq"))
      #expect(callers.all.isEmpty)
      #expect(laptop.status().streams == 0)
    }
  }

  /// She lets all of it pass, and hears nothing but where it goes.
  @Test func whoListensHearsNothing() async throws {
    try await Self.apart("pinned") { laptop, _, middle, _, callers in
      let answer = try await laptop.fetch(Self.diary, Self.secret)
      #expect(answer == ByteBuffer(string: "dear diary"))
      #expect(callers.all.map(\.standing) == [.friend(try Petname("laptop"))])
      for direction in [Interceptor.Direction.there, .back] {
        let heard = middle.heard(direction)
        #expect(heard.contains("stream:stream") && !heard.contains("<iq"))
        #expect(!heard.contains("secret") && !heard.contains("dear diary"))
      }
    }
  }

  /// She changes one byte of what she cannot read.
  @Test func whoChangesAByteEndsTheStream() async throws {
    let change: Interceptor.Edit = { direction, bytes in
      // Records of application data in TLS begin with 23 3 3; the header in the clear does not.
      guard direction == .there, bytes.readableBytesView.starts(with: [23, 3, 3]) else { return bytes }
      var bytes = bytes
      bytes.setInteger(bytes.readableBytesView.last! ^ 1, at: bytes.writerIndex - 1)
      return bytes
    }
    try await Self.apart("pinned", edit: change) { laptop, _, _, _, callers in
      let error = await Self.failure { try await laptop.fetch(Self.diary, Self.secret) }
      #expect(error != nil)
      #expect(callers.all.isEmpty)
    }
  }

  /// She ends TLS towards both, with a key of her own.
  @Test(arguments: ["pinned", "announced"]) func whoEndsTLSOnBothSidesIsKnownByHerKey(_ knownBy: String) async throws {
    let (mallory, lair, link) = (try Identity.generate(name: "mallory"), try await ScriptedListener(), Link())
    let (own, other) = (try Identity.generate(name: "laptop"), try Identity.generate(name: "pi"))
    let pi = try Character("pi", identity: other, friends: [.init("laptop", own, devices: ["node@laptop"])])
    let laptop = try Character(
      "laptop", identity: own, friends: knownBy == "pinned" ? [.init("pi", other, devices: ["diary@pi"])] : [])
    let callers = Callers()
    try await Nodes.run([laptop, pi], on: link) { nodes in
      try await nodes[1].serve(.noting(callers, "diary", .friends))
      link.haunt(Self.diary, port: lair.port, id: other.nodeID.description)
      _ = await nodes[0].awaitDevice { $0.endpoints.contains { $0.port == lair.port } }
      async let failure = Self.failure { try await nodes[0].fetch(Self.diary, Self.secret) }
      let near = try await lair.accept()
      try await near.answerSecurely(as: "diary@pi", with: mallory)
      #expect(await failure?.code == .changed)
      #expect(!(try await near.expectClose()).contains("<iq"))
      near.disappear()
      // What she would say in the laptop's name.
      try await nodes[1].visited(by: mallory, from: "node@laptop", to: "diary@pi") { far in
        let answer = try await far.ask("PUT", "/secret")
        #expect(answer.contains("<forbidden "), "\(answer)")
      }
      let why = knownBy == "pinned" ? "changed-key" : "announced-key"
      try await laptop.log.line("stream-refused", with: ["why": why, "node": mallory.nodeID.description])
      try await pi.log.line("stream-refused", with: ["why": "changed-key", "node": mallory.nodeID.description])
    }
    #expect(callers.all.isEmpty)
    try await lair.close()
  }
}
