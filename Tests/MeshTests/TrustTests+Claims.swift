import HTTPX
import Mesh
import NIOCore
import TLS
import TestKit
import Testing
import Trust
import XMPP

/// What peers say of themselves: the key decides.
extension TrustTests {
  /// Mallory, a stranger, says that she is this; what the service is shown of her, or nil where she is refused.
  private static let claims: [(from: String?, authzid: String, isLetIn: Bool)] = [
    (nil, "", true), ("mallory@cellar", "mallory@cellar", true), ("mallory@cellar", "", true),
    // The node's own names: its owner is somebody else.
    ("node@pi", "node@pi", true), ("open@pi", "", true),
    // A name that is Anna's.
    ("lamp@phone", "lamp@phone", false), ("lamp@phone", "", false), ("LAMP@PHONE", "", false),
  ]

  @Test(arguments: claims) func aForgedSenderChangesNothing(
    _ claim: (from: String?, authzid: String, isLetIn: Bool)
  ) async throws {
    let (anna, mallory) = (try Identity.generate(name: "anna"), try Identity.generate(name: "mallory"))
    let pi = try Character("pi", friends: [.init("anna", anna, devices: ["lamp@phone"])])
    let callers = Callers()
    try await Nodes.run([pi]) { nodes in
      try await nodes[0].serve(try .noting(callers, "open", .public), try .noting(callers, "house", .friends))
      let peer = try await ScriptedPeer.connect(to: nodes[0].status().port)
      try await peer.greet(from: claim.from, to: "open@pi")
      try await peer.startTLS(.node(mallory, role: .client))
      try await peer.greet(from: claim.from, to: "open@pi")
      try await peer.authenticate(as: claim.authzid)
      try await peer.greet(from: claim.from, to: "open@pi")
      for sender in ["", " from='lamp@phone'", " from='node@pi'", " from='open@pi'", " from='\(anna.nodeID)'"] {
        let open = try await peer.ask(attributes: sender + " to='open@pi'")
        #expect(open.contains("statusCode='200'") == claim.isLetIn, "\(claim) \(sender): \(open)")
        let house = try await peer.ask(attributes: sender + " to='house@pi'")
        #expect(house.contains("<forbidden "), "\(claim) \(sender): \(house)")
      }
      peer.disappear()
      #expect(callers.all.count == (claim.isLetIn ? 5 : 0))
      for caller in callers.all {
        #expect(caller.id == mallory.nodeID)
        #expect(caller.standing == .stranger)
        #expect(caller.jid == claim.from.flatMap { JID($0) })
      }
      try await pi.log.line("access-refused", with: ["service": "house", "node": mallory.nodeID.description])
    }
  }

  /// A name that no device of the link can have is none, and a resource is no part of one: neither fills lists and logs.
  @Test(arguments: [
    (String(repeating: "m", count: 60) + "@cellar", nil),
    ("mallory@cellar/" + String(repeating: "m", count: 900), "mallory@cellar"),
  ])
  func aNameThatNoDeviceCanHaveIsNone(_ from: String, _ shown: String?) async throws {
    let callers = Callers()
    try await Nodes.run([Character("pi")]) { nodes in
      try await nodes[0].serve(try .noting(callers, "open", .public))
      let peer = try await ScriptedPeer.connect(to: nodes[0].status().port)
      try await peer.greet(from: from, to: "open@pi")
      try await peer.startTLS(.node(try Identity.generate(name: "mallory"), role: .client))
      try await peer.greet(from: from, to: "open@pi")
      try await peer.authenticate(as: "")
      try await peer.greet(from: from, to: "open@pi")
      let answer = try await peer.ask(attributes: " to='open@pi'")
      #expect(answer.contains("statusCode='200'"))
      peer.disappear()
      #expect(callers.all.map(\.jid) == [shown.flatMap { JID($0) }])
    }
  }

  /// A friend under whatever name is that friend; under another friend's it is nobody.
  @Test func aFriendUnderAnotherName() async throws {
    let (anna, bob) = (try Identity.generate(name: "anna"), try Identity.generate(name: "bob"))
    let pi = try Character(
      "pi",
      friends: [.init("anna", anna, devices: ["lamp@phone"]), .init("bob", bob, devices: ["tv@laptop"])])
    let callers = Callers()
    try await Nodes.run([pi]) { nodes in
      try await nodes[0].serve(try .noting(callers, "bobs", .names(["bob"])), try .noting(callers, "house", .friends))
      try await nodes[0].visited(by: anna, from: "bob@anywhere", to: "house@pi") { peer in
        let (house, bobs) = (try await peer.ask(), try await peer.ask(attributes: " to='bobs@pi' from='tv@laptop'"))
        #expect(house.contains("statusCode='200'") && bobs.contains("<not-allowed "), "\(house) \(bobs)")
      }
      try await nodes[0].visited(by: anna, from: "tv@laptop", to: "house@pi") { peer in
        let (house, bobs) = (try await peer.ask(), try await peer.ask(attributes: " to='bobs@pi'"))
        #expect(house.contains("<forbidden ") && bobs.contains("<forbidden "), "\(house) \(bobs)")
      }
    }
    #expect(callers.all.map(\.standing) == [.friend(try Petname("anna"))])
  }

  /// SASL names somebody else than the header: refused, three times at most, and what follows is no friend's.
  @Test func anotherIdentityInSASL() async throws {
    let (anna, mallory) = (try Identity.generate(name: "anna"), try Identity.generate(name: "mallory"))
    let pi = try Character("pi", friends: [.init("anna", anna, devices: ["lamp@phone"])])
    try await Nodes.run([pi]) { nodes in
      try await nodes[0].serve(try Door("house", .friends))
      let peer = try await ScriptedPeer.connect(to: nodes[0].status().port)
      try await peer.greet(from: "mallory@cellar", to: "house@pi")
      try await peer.startTLS(.node(mallory, role: .client))
      try await peer.greet(from: "mallory@cellar", to: "house@pi")
      for authzid in ["bGFtcEBwaG9uZQ==", "bm9kZUBwaQ==", "%%%"] {
        try await peer.send("<auth xmlns='\(ScriptedPeer.sasl)' mechanism='EXTERNAL'>\(authzid)</auth>")
        try await peer.expect("<failure xmlns='\(ScriptedPeer.sasl)'>")
      }
      let end = try await peer.expectClose()
      #expect(end.contains("<policy-violation "), "\(end)")
      peer.disappear()
      try await pi.log.line("stream-refused", with: ["why": "policy-violation", "node": mallory.nodeID.description])
      // One failure, and on without SASL: a stranger still.
      let again = try await ScriptedPeer.connect(to: nodes[0].status().port)
      try await again.greet(from: "mallory@cellar", to: "house@pi")
      try await again.startTLS(.node(mallory, role: .client))
      try await again.greet(from: "mallory@cellar", to: "house@pi")
      try await again.send("<auth xmlns='\(ScriptedPeer.sasl)' mechanism='EXTERNAL'>bGFtcEBwaG9uZQ==</auth>")
      try await again.expect("<invalid-authzid/>")
      let answer = try await again.ask()
      #expect(answer.contains("<forbidden "), "\(answer)")
      again.disappear()
    }
  }
}
