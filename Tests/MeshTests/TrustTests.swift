import Codecs
import HTTPTypes
import HTTPX
import Mesh
import NIOCore
import TLS
import TestKit
import Testing
import Trust
import XMPP

/// Who gets in: nodes on loopback, real TLS, and peers that say what they like.
@Suite(.timeLimit(.minutes(2))) struct TrustTests {
  // MARK: Strangers

  @Test func aStrangerGetsWhatIsPublic() async throws {
    let (pi, mallory) = (try Character("pi"), try Identity.generate(name: "mallory"))
    try await Nodes.run([pi]) { nodes in
      try await nodes[0].serve(
        try Door("open", .public), try Door("closed", .friends), try Door("annas", .names(["anna"])))
      try await nodes[0].visited(by: mallory, to: "open@pi") { peer in
        try await peer.ping()
        try await peer.send("<iq type='get' id='d'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>")
        try await peer.expect("<feature var='urn:xmpp:http'/>")
        #expect(try await peer.ask().contains("statusCode='200'"))
        for closed in ["closed@pi", "annas@pi"] {
          let answer = try await peer.ask(attributes: " to='\(closed)'")
          #expect(answer.contains("<forbidden "), "\(closed): \(answer)")
          #expect(answer.contains("only friends of the owner get in here"), "\(closed): \(answer)")
          #expect(!answer.contains("<resp"), "\(closed): \(answer)")
        }
        #expect(pi.trustService.current.requests.isEmpty)
        try await peer.send("<presence type='subscribe'><status>let me in</status></presence>")
        try await pi.log.line("request-waiting", with: ["node": mallory.nodeID.description])
        #expect(pi.trustService.current.requests.map(\.id) == [mallory.nodeID])
        // Nobody vouches for the name.
        #expect(pi.trustService.current.requests.map(\.jid) == [nil])
      }
      try await pi.log.line(
        "access-refused", with: ["service": "closed", "why": "stranger", "node": mallory.nodeID.description])
    }
  }

  /// The same from the other side: what a browser gets to see.
  @Test func aRefusalIsA403() async throws {
    try await Nodes.run(["laptop", "pi"]) { nodes in
      try await nodes[1].serve(try Door("closed", .friends))
      _ = try #require(await nodes[0].awaitOnline("closed@pi"))
      let error = await #expect(throws: MeshError.self) { try await nodes[0].fetch(JID("closed@pi")!) }
      #expect(error?.code == .forbidden)
      #expect(error?.code.status == 403)
      #expect(error?.message.contains("ask for friendship") == true)
    }
  }

  // MARK: Without a key

  /// TLS without a certificate gives no right that plaintext has not.
  @Test(arguments: [false, true]) func plaintextPeersGetNoHTTP(isEncrypted: Bool) async throws {
    let pi = try Character("pi")
    let link = Link()
    try await Nodes.run([pi], on: link) { nodes in
      let pidgin = JID("pidgin@desk")!
      link.haunt(pidgin, port: 5298)
      _ = try #require(await nodes[0].awaitOnline("pidgin@desk"))
      try await nodes[0].serve(
        try Door("open", .public), try Door("closed", .friends), try Door("bare", .public, plaintext: true))
      try await nodes[0].visited(by: nil, isEncrypted: isEncrypted, from: "pidgin@desk", to: "open@pi") { peer in
        try await peer.ping()
        // It is listed for what it is, and only programs are told whether others could read along.
        #expect(nodes[0].device(pidgin)?.standing == .plaintext)
        #expect(nodes[0].device(pidgin)?.isEncrypted == isEncrypted)
        try await peer.send("<message type='chat' to='node@pi'><body>Hello?</body></message>")
        try await peer.expect("a node of Hearth")
        for closed in ["open@pi", "closed@pi"] {
          let answer = try await peer.ask(attributes: " to='\(closed)'")
          #expect(answer.contains("<forbidden ") && answer.contains("over TLS only"), "\(closed): \(answer)")
        }
        let answer = try await peer.ask(attributes: " to='node@pi'")
        #expect(answer.contains("<error ") && !answer.contains("<resp"), "\(answer)")
        #expect(try await peer.ask(attributes: " to='bare@pi'").contains("statusCode='200'"))
        // Friendship needs a key.
        try await peer.send("<presence type='subscribe'/>")
        try await peer.ping()
        #expect(pi.trustService.current.requests.isEmpty && pi.trustService.current.friends.isEmpty)
      }
      try await pi.log.line("stream-accepted", with: ["trust": "plaintext", "encrypted": "\(isEncrypted)"])
      try await pi.log.line("access-refused", with: ["service": "open", "why": "plaintext"])
    }
  }

  /// Whose address is listed elsewhere, or nowhere, is taken at no word of its own.
  @Test func aClaimChangesNoDevice() async throws {
    let (pi, link) = (try Character("pi"), Link())
    try await Nodes.run([pi], on: link) { nodes in
      let lamp = JID("lamp@attic")!
      link.haunt(lamp, port: 5298, at: "192.0.2.1")
      _ = try #require(await nodes[0].awaitOnline("lamp@attic"))
      for claim in ["lamp@attic", "nobody@nowhere", "node@pi"] {
        try await nodes[0].visited(by: nil, isEncrypted: true, from: claim, to: "node@pi") { try await $0.ping() }
      }
      #expect(nodes[0].device(lamp)?.isEncrypted == nil)
      #expect(nodes[0].device(JID("nobody@nowhere")!) == nil)
    }
  }

  // MARK: The blocked

  @Test func aBlockedNodeGetsNothing() async throws {
    let mallory = try Identity.generate(name: "mallory")
    let pi = try Character("pi", blocked: [mallory])
    try await Nodes.run([pi]) { nodes in
      try await nodes[0].serve(try Door("open", .public))
      let peer = try await ScriptedPeer.connect(to: nodes[0].status().port)
      try await peer.secure(as: mallory, to: "open@pi")
      peer.blurt(
        ByteBuffer(
          string: "<iq type='set' id='1'><req xmlns='urn:xmpp:http' method='GET' resource='/' version='1.1'/></iq>"))
      let answer = try await peer.expectClose()
      #expect(answer.contains("<not-authorized "), "\(answer)")
      #expect(!answer.contains("<iq"), "\(answer)")
      peer.disappear()
      try await pi.log.line("stream-refused", with: ["why": "blocked", "node": mallory.nodeID.description])
    }
  }

  @Test func aBlockedNodeIsSentNothing() async throws {
    let mallory = try Identity.generate(name: "mallory")
    let (pi, link, lair) = (try Character("pi", blocked: [mallory]), Link(), try await ScriptedListener())
    try await Nodes.run([pi], on: link) { nodes in
      let lamp = JID("lamp@cellar")!
      link.haunt(lamp, port: lair.port, id: mallory.nodeID.description)
      _ = await nodes[0].awaitOnline("lamp@cellar")
      async let failure = #expect(throws: MeshError.self) { try await nodes[0].fetch(lamp) }
      let dialled = try await lair.accept()
      try await dialled.answerSecurely(as: "lamp@cellar", with: mallory)
      #expect(await failure?.code == .forbidden)
      #expect(!(try await dialled.expectClose()).contains("<iq"))
      #expect(nodes[0].device(lamp)?.standing == .blocked)
      #expect(nodes[0].status().streams == 0)
    }
    try await lair.close()
  }

  @Test(arguments: ["block", "remove"]) func blockingCutsStreams(_ deed: String) async throws {
    let anna = try Identity.generate(name: "anna")
    let pi = try Character("pi", friends: [.init("anna", anna)])
    let (begun, hasBegun) = AsyncStream.makeStream(of: Void.self)
    let (never, _) = AsyncStream.makeStream(of: Void.self)
    try await Nodes.run([pi]) { nodes in
      try await nodes[0].serve(
        try Door("slow", .friends) { _, _, _ in
          hasBegun.yield()
          for await _ in never {}
          throw CancellationError()
        })
      try await nodes[0].visited(by: anna, to: "slow@pi") { peer in
        try await peer.send(
          "<iq type='set' id='1'><req xmlns='urn:xmpp:http' method='GET' resource='/' version='1.1'/></iq>")
        for await _ in begun { break }
        switch deed {
        case "block": try await pi.trustService.block("anna")
        default: try await pi.trustService.remove("anna")
        }
        #expect(!(try await peer.expectClose(within: .seconds(2))).contains("<resp"))
      }
      // It comes back as what it is now.
      guard deed == "remove" else { return }
      try await nodes[0].visited(by: anna, to: "slow@pi") { peer in
        let answer = try await peer.ask()
        #expect(answer.contains("<forbidden "))
      }
    }
  }

  /// In the middle of a body beside the stream: an error at both ends at once, and its connection is closed.
  @Test(arguments: ["block", "remove"], [true, false])
  func blockingCutsABodyBesideItsStream(_ deed: String, byOwner: Bool) async throws {
    let (pi, phone) = (try Identity.generate(name: "pi"), try Identity.generate(name: "phone"))
    let owner = try Character("pi", identity: pi, friends: [.init("anna", phone)])
    let friend = try Character("phone", identity: phone, friends: [.init("pi", pi, devices: ["large@pi"])])
    let endless = EndlessBody()
    let (ended, hasEnded) = AsyncStream.makeStream(of: Void.self)
    try await Nodes.run([owner, friend]) { nodes in
      try await nodes[0].serve(
        try Door("large", .friends) { _, _, send in
          defer { hasEnded.yield() }
          try await send(
            HTTPXResponse(
              HTTPResponse(status: .ok, headerFields: [.contentLength: "\(1 << 40)"]),
              body: Body(endless, length: 1 << 40)))
        })
      _ = try #require(await nodes[1].awaitOnline("large@pi"))
      let (begun, hasBegun) = AsyncStream.makeStream(of: Void.self)
      let request = HTTPXRequest(HTTPRequest(method: .get, scheme: nil, authority: nil, path: "/"))
      let reading = Task {
        try await nodes[1].send(request, to: JID("large@pi")!) { response in
          var count = 0
          for try await part in response.body {
            count += part.readableBytes
            if count > 1 << 20 { hasBegun.yield() }
          }
        }
      }
      for await _ in begun { break }
      // Either may have made it.
      let ports = nodes.map { $0.status().port }
      #expect(nodes.map { $0.status().bodies.direct } == [1, 1])
      // The stream's, and the body's, each at both ends.
      let connections = try Sockets.established(at: ports)
      #expect(connections.count == 4)
      let moment = ContinuousClock.now
      let (service, name) = byOwner ? (owner.trustService, "anna") : (friend.trustService, "pi")
      if deed == "block" { try await service.block(name) } else { try await service.remove(name) }
      await #expect(throws: (any Error).self) { try await reading.value }
      for await _ in ended { break }
      try await eventually("a connection is left") {
        (try? Sockets.established(at: ports))?.isDisjoint(with: connections) ?? false
      }
      #expect(ContinuousClock.now - moment < .seconds(1))
    }
  }

  // MARK: Friends

  @Test func friendsGetWhatTheirNamesOpen() async throws {
    let (anna, bob) = (try Character("phone"), try Character("laptop"))
    let pi = try Character("pi", friends: [.init("anna", anna.identity), .init("bob", bob.identity)])
    try await Nodes.run([pi, anna, bob]) { nodes in
      try await nodes[0].serve(
        try Door("open", .public), try Door("house", .friends), try Door("annas", .names(["anna"])),
        try Door("eves", .names(["eve"])))
      for name in ["open", "house", "annas", "eves"] {
        for node in nodes { _ = try #require(await node.awaitOnline("\(name)@pi")) }
      }
      #expect(await nodes[1].opened("open", "house", "annas", "eves") == ["open", "house", "annas"])
      #expect(await nodes[2].opened("open", "house", "annas", "eves") == ["open", "house"])
      // A name counts for whoever the owner gives it to, on streams that are open too.
      try await pi.trustService.rename("anna", to: "eve")
      #expect(await nodes[1].opened("open", "house", "annas", "eves") == ["open", "house", "eves"])
      try await pi.log.line(
        "access-refused", with: ["service": "annas", "why": "not-named", "node": bob.id.description])
    }
  }

  private static let narrow: [(method: String, path: String, isOpen: Bool)] = [
    ("GET", "/pub", true), ("GET", "/pub/", true), ("HEAD", "/pub/a.html", true), ("GET", "/pub/a%20b?x=../y", true),
    ("GET", "/p%75b/a", true), ("POST", "/pub", false), ("get", "/pub", false), ("PUT", "/pub", false),
    ("OPTIONS", "/pub", false), ("GET", "/", false), ("GET", "/secret", false), ("GET", "/public", false),
    ("GET", "/PUB", false), ("GET", "/pub/../secret", false), ("GET", "/pub/%2e%2e/secret", false),
    ("GET", "/pub/%2E./secret", false), ("GET", "/pub/..;a=b/secret", false), ("GET", "/pub/..%2fsecret", false),
    ("GET", "/pub/..%5csecret", false), ("GET", "/pub\\..\\secret", false), ("GET", "//pub", false),
    ("GET", "//secret/../pub", false), ("GET", "/pub//../secret", false), ("GET", "/pub/%252e%252e/secret", false),
    ("GET", "/;/pub", false), ("GET", "/pub;/../secret", false), ("GET", "/pub/%00", false), ("GET", "pub", false),
    ("GET", "http://pi/pub", false), ("GET", "*", false), ("OPTIONS", "*", false), ("CONNECT", "pi:80", false),
  ]

  @Test func methodsAndPathsNarrow() async throws {
    let anna = try Identity.generate(name: "anna")
    let pi = try Character("pi", friends: [.init("anna", anna)])
    try await Nodes.run([pi]) { nodes in
      try await nodes[0].serve(try Door("site", .friends, methods: ["GET"], paths: ["/pub"]))
      try await nodes[0].visited(by: anna, to: "site@pi") { peer in
        for (method, path, isOpen) in Self.narrow {
          let answer = try await peer.ask(method, path)
          #expect(answer.contains("statusCode='200'") == isOpen, "\(method) \(path): \(answer)")
          #expect(answer.contains("<error ") != isOpen, "\(method) \(path): \(answer)")
        }
      }
    }
  }
}
