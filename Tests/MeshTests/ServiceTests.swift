import Codecs
import HTTPTypes
import HTTPX
import Mesh
import NIOCore
import TestKit
import Testing
import XMPP

@Suite struct ServiceTests {
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
      // Port 1 on loopback: nothing listens there.
      link.haunt(try #require(JID("ghost@attic")), port: 1)
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
