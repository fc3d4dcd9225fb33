import Codecs
import HTTPEdge
import HTTPTypes
import HTTPX
import Logging
import Mesh
import NIOCore
import NIOPosix
import Synchronization
import TestKit
import Trust
import XMPP

/// What an origin sent, its body read to the end.
struct Received: Sendable {
  var head: HTTPResponse
  var body: String
  var length: Int?
  var failure: OriginFailure?

  var code: Int { head.status.code }

  subscript(name: String) -> String? { HTTPField.Name(name).flatMap { head.headerFields[$0] } }
}

let caller = Caller(jid: JID("laptop@home sweet")!, id: nil, standing: .plaintext)

extension ServiceHandler {
  func get(_ path: String, _ fields: [String: String] = [:]) async throws -> Received {
    try await ask(.get, path, fields)
  }

  func ask(
    _ method: HTTPRequest.Method, _ path: String?, _ fields: [String: String] = [:], body: Body = .empty,
    from caller: Caller = caller
  ) async throws -> Received {
    var head = HTTPRequest(method: method, scheme: "http", authority: "device.localhost:8332", path: path)
    for (name, value) in fields { head.headerFields[HTTPField.Name(name)!] = value }
    var received: Received?
    try await respond(to: HTTPXRequest(head, body: body), from: caller) { response in
      var text = ""
      for try await part in response.body { text += String(buffer: part) }
      received = Received(head: response.head, body: text, length: response.body.length, failure: response.failure)
    }
    return received!
  }
}

/// An app on loopback for as long as `body` runs.
func withApp(
  at address: HTTPServer.Address = .loopback(port: 0), _ app: @escaping HTTPServer.Responder,
  _ body: (HTTPAddress) async throws -> Void
) async throws {
  let (listening, source) = AsyncStream.makeStream(of: [SocketAddress].self)
  let server = HTTPServer(
    address, eventLoopGroup: MultiThreadedEventLoopGroup.singleton,
    logger: Logger(label: "app", factory: { _ in SwiftLogNoOpLogHandler() }), listening: { source.yield($0) },
    responder: app)
  try await withThrowingTaskGroup(of: Void.self) { group in
    group.addTask { try await server.run() }
    for await addresses in listening {
      try await body(
        addresses[0].port.map { .tcp(host: "127.0.0.1", port: $0) } ?? .unix(path: addresses[0].pathname!))
      break
    }
    group.cancelAll()
    try await group.waitForAll()
  }
}
