import HTTPEdge
import Mesh
import NIOCore
import NIOPosix
import Origins
import TLS
import TestKit
import Testing
import Trust
import XMPP

/// What an app hears of who asks: a real one behind the reverse proxy, over HTTP.
extension TrustTests {
  /// Each as a peer may write it; an app in Python or PHP takes all of a kind for the same.
  private static let lies = [
    "Hearth-Peer": "anna", "hearth_peer": "anna", "HEARTH-PEER-TRUST": "self", "Hearth_Peer_Trust": "friend",
    "Hearth-Peer-Id": "AAAAAAA", "Hearth.Peer.Id": "AAAAAAA", "Hearth-Peer-Groups": "admin",
    "X-Forwarded-For": "127.0.0.1", "x_forwarded_for": "127.0.0.1", "X-Forwarded-Host": "localhost",
    "X-Forwarded-Proto": "https", "Forwarded": "for=127.0.0.1", "X-Real-IP": "127.0.0.1",
    "Connection": "Hearth-Peer, Hearth-Peer-Trust, Upgrade", "Upgrade": "websocket",
    "X-HTTP-Method-Override": "DELETE", "X_HTTP_Method_Override": "DELETE", "X-Method-Override": "DELETE",
    "X-HTTP-Method": "DELETE", "x-kept": "1",
  ]

  @Test func theAppHearsOfTheKeyOnly() async throws {
    let (anna, mallory) = (try Identity.generate(name: "anna"), try Identity.generate(name: "mallory"))
    let (pi, app) = (try Character("pi", friends: [.init("anna", anna)]), try await ScriptedListener())
    try await Nodes.run([pi]) { nodes in
      let proxy = ReverseProxy(
        to: .tcp(host: "127.0.0.1", port: app.port), eventLoopGroup: MultiThreadedEventLoopGroup.singleton)
      let policy = try AccessPolicy(access: .public, methods: ["GET", "POST"])
      nodes[0].serve(HostedService(name: "app", target: "test", policy: policy, handler: proxy))
      _ = await nodes[0].standing(of: "app", within: .seconds(10))
      // The look at a new service is a connection without a request.
      _ = try await app.accept()
      for (identity, who) in [(anna, ["anna", "friend"]), (mallory, ["mallory%40cellar", "stranger"])] {
        let jid = identity.nodeID == anna.nodeID ? "anna@phone" : "mallory@cellar"
        try await nodes[0].visited(by: identity, from: jid, to: "app@pi") { peer in
          async let answer = peer.ask("POST", "/", fields: Self.lies)
          let head = try await Self.head(at: app)
          #expect(try await answer.contains("statusCode='204'"))
          #expect(head.filter { $0.hasPrefix("hearth") }.count == 3, "\(head)")
          #expect(head.contains("hearth-peer: \(who[0])") || head.contains("hearth-peer: \(jid)"), "\(head)")
          #expect(head.contains("hearth-peer-trust: \(who[1])"), "\(head)")
          #expect(head.contains("hearth-peer-id: \(identity.nodeID.description.lowercased())"), "\(head)")
          #expect(!head.contains { $0.contains("forwarded") || $0.hasPrefix("via") }, "\(head)")
          #expect(!head.contains { $0.contains("x-real-ip") || $0.contains("upgrade") }, "\(head)")
          #expect(!head.contains { $0.contains("override") || $0.contains("delete") }, "\(head)")
          #expect(head.contains("x-kept: 1"))
        }
      }
    }
    try await app.close()
  }

  /// The lines of the next request, in small letters, which is answered.
  private static func head(at app: ScriptedListener) async throws -> [String] {
    let request = try await app.accept()
    let head = try await request.expect("\r\n\r\n")
    try await request.send("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
    return head.lowercased().split(separator: "\r\n").map(String.init)
  }
}
