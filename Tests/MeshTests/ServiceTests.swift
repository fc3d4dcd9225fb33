import Codecs
import HTTPTypes
import HTTPX
import LinkLocal
import NIOCore
import TestKit
import Testing
import Trust
import XMPP

@testable import Mesh

@Suite(.timeLimit(.minutes(2))) struct ServiceTests {
  private static func service(_ name: String, plaintext: Bool = true, says text: String = "") -> HostedService {
    HostedService(
      name: name, target: "test", plaintext: plaintext,
      handler: TestHandler { _, _, send in
        try await send(HTTPXResponse(HTTPResponse(status: .ok), body: Body(text)))
      })
  }

  private static let get = HTTPXRequest(HTTPRequest(method: .get, scheme: nil, authority: nil, path: "/"))

  @Test func aServedDeviceStandsAndCanBeOpenedAtOnce() async throws {
    try await Nodes.run(["pi"]) { nodes in
      nodes[0].serve(Self.service("tv", says: "here"))
      let standing = try #require(await nodes[0].standing(of: "tv", within: .seconds(10)))
      let jid = try #require(standing.jid)
      #expect(jid == JID("tv@pi"))
      try await nodes[0].send(Self.get, to: jid) { response in
        let text = try await response.text
        #expect(text == "here")
      }
    }
  }

  @Test func aTakenNameIsRenamedAndBothAreReached() async throws {
    try await Nodes.run(["home", "home"]) { nodes in
      for (node, text) in zip(nodes, ["first", "second"]) {
        node.serve(Self.service("tv", says: text))
        _ = await node.standing(of: "tv", within: .seconds(10))
      }
      for (name, text) in [("tv@home", "first"), ("tv-1@home", "second")] {
        for node in nodes {
          let device = try #require(await node.awaitOnline(name))
          try await node.send(Self.get, to: device.jid) { response in
            let answer = try await response.text
            #expect(answer == text)
          }
        }
      }
    }
  }

  /// The key at the other end is this node's, whatever the link calls its devices.
  @Test func aDeviceIsServedByTheNamesThatItIsMeantToHaveAndHad() async throws {
    func service(_ name: String) -> HostedService { Self.service(name) }
    let table = ServiceTable(wanted: InstanceName("node@pi")!, machine: "pi", id: "ID")
    table.insert(service("tv"))
    #expect(table.service(JID("TV@pi")!)?.name == "tv" && table.isLocal(JID("tv@pi")!))
    #expect(table.served.map(\.jid) == [nil] && table.served.map(\.wanted) == [JID("tv@pi")!])
    table.announced("tv", as: JID("tv-1@pi")!)
    table.announced("tv", as: JID("tv-2@pi")!)
    for name in ["tv@pi", "tv-1@pi", "tv-2@pi"] { #expect(table.service(JID(name)!)?.name == "tv") }
    // One that is meant to have such a name comes first, and the one that has it before that.
    table.insert(service("tv-1"))
    #expect(table.service(JID("tv-1@pi")!)?.name == "tv-1")
    table.announced("tv", as: JID("tv-1@pi")!)
    #expect(table.service(JID("tv-1@pi")!)?.name == "tv")
    #expect(table.remove("tv"))
    #expect(table.service(JID("tv@pi")!) == nil && table.service(JID("tv-1@pi")!)?.name == "tv-1")
    #expect(!table.isLocal(JID("tv-2@pi")!))
    // The node itself.
    table.announced(ServiceTable.nodeID, as: JID("node-1@pi")!)
    #expect(table.isLocal(JID("node@pi")!) && table.isLocal(JID("node-1@pi")!) && !table.isLocal(JID("node-2@pi")!))
  }

  /// A stream was opened to a device that served nothing yet: what it said then is not what it says for ever.
  @Test func aServiceThatComesLaterIsReachedOverTheOpenStream() async throws {
    let link = Link()
    try await Nodes.run(["laptop", "pi"], on: link) { nodes in
      let pi = try #require(await nodes[0].awaitOnline("node@pi"))
      let tv = JID("tv@pi")!
      link.haunt(tv, port: try #require(pi.endpoints.first?.port), id: nodes[1].trustService.id.description)
      _ = try #require(await nodes[0].awaitOnline("tv@pi"))
      let error = await #expect(throws: MeshError.self) { try await nodes[0].send(Self.get, to: tv) { _ in } }
      #expect(error?.code == .notHTTP)
      nodes[1].serve(Self.service("tv", says: "here"))
      // Polled without a pause, as a page does.
      try await eventually("what the stream said first is believed for ever") {
        do {
          try await nodes[0].send(Self.get, to: tv) { response in
            let text = try await response.text
            #expect(text == "here")
          }
          return true
        } catch let error as MeshError where error.code == .notHTTP {
          return false
        }
      }
    }
  }

  @Test func nothingIsServedToPlaintextPeersUnlessItSaysSo() async throws {
    try await Nodes.run(["laptop", "pi"]) { nodes in
      nodes[1].serve(Self.service("diary", plaintext: false, says: "secret"))
      let device = try #require(await nodes[0].awaitOnline("diary@pi"))
      let error = await #expect(throws: MeshError.self) {
        try await nodes[0].send(Self.get, to: device.jid) { _ in Issue.record("it was served") }
      }
      #expect(error?.code == .forbidden)
      // Its own owner may, without a stream.
      try await nodes[1].send(Self.get, to: device.jid) { response in #expect(response.head.status == .ok) }
    }
  }

  @Test func unservedMeansGone() async throws {
    try await Nodes.run(["laptop", "pi"]) { nodes in
      nodes[1].serve(Self.service("tv"))
      let device = try #require(await nodes[0].awaitOnline("tv@pi"))
      #expect(nodes[1].unserve("tv"))
      #expect(!nodes[1].unserve("tv"))
      _ = try #require(await nodes[0].awaitDevice { $0.jid == device.jid && $0.state == .gone })
      let error = await #expect(throws: MeshError.self) {
        try await nodes[0].send(Self.get, to: device.jid) { _ in }
      }
      #expect(error?.code == .away)
    }
  }

  @Test func aDeviceThatNobodyAnswersForIsAway() async throws {
    let link = Link()
    try await Nodes.run(["laptop"], on: link) { nodes in
      let listener = try await ScriptedListener()
      let port = listener.port
      try await listener.close()
      link.haunt(try #require(JID("ghost@attic")), port: port)
      let device = try #require(await nodes[0].awaitOnline("ghost@attic"))
      let error = await #expect(throws: MeshError.self) {
        try await nodes[0].send(Self.get, to: device.jid) { _ in }
      }
      #expect(error?.code == .refused)
      #expect(nodes[0].device(device.jid)?.state == .away)
    }
  }
}

extension HTTPXResponse {
  /// The body of a small response.
  fileprivate var text: String? {
    get async throws { try await body.whole(upTo: 100).map { String(buffer: $0) } }
  }
}
