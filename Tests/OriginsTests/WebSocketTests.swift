import Codecs
import HTTPEdge
import HTTPTypes
import HTTPX
import NIOCore
import NIOPosix
import Origins
import TestKit
import Testing

/// A peer's WebSocket, as the app behind the proxy sees it.
@Suite(.timeLimit(.minutes(1))) struct WebSocketTests {
  @Test func theHandshakeTellsTheAppsOwnStory() async throws {
    let app: HTTPServer.Responder = { request, reply in
      let fields = request.head.headerFields
      #expect(fields[.upgrade] == "websocket" && fields[.connection] == "Upgrade")
      #expect(fields[.origin] == "http://\(request.head.authority ?? "")")
      #expect(fields[.secWebSocketKey] == "dGhlIHNhbXBsZSBub25jZQ==")
      try await reply.write(
        HTTPResponse(status: .switchingProtocols, headerFields: [.secWebSocketAccept: "x"]), request.body)
    }
    try await withApp(app) { address in
      let proxy = ReverseProxy(to: address, eventLoopGroup: MultiThreadedEventLoopGroup.singleton)
      let head = HTTPRequest(
        method: .get, scheme: "httpx", authority: "chat@pi", path: "/ws",
        headerFields: [
          .upgrade: "websocket", .origin: "httpx://chat@pi", .secWebSocketKey: "dGhlIHNhbXBsZSBub25jZQ==",
        ])
      try await proxy.respond(to: HTTPXRequest(head, body: Body("hello")), from: caller) { response in
        #expect(response.head.status == .switchingProtocols)
        #expect(response.head.headerFields[.upgrade] == "websocket")
        #expect(response.head.headerFields[.connection] == nil)
        var text = ""
        for try await part in response.body { text += String(buffer: part) }
        #expect(text == "hello")
      }
    }
  }
}
