import Codecs
import HTTPTypes
import NIOCore
import NIOPosix
import Synchronization
import TestKit
import Testing

@testable import HTTPEdge

/// A client that asks an upstream for a WebSocket, in the clear and over TLS.
@Suite(.timeLimit(.minutes(1))) struct UpgradeTests {
  private static let agreed =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nX-App: 1\r\n\r\n"
  private static let ask = HTTPRequest(
    method: .get, scheme: "http", authority: "h", path: "/ws",
    headerFields: [.upgrade: "websocket", .secWebSocketVersion: "13"])

  private func connected(
    overTLS: Bool, _ app: @escaping @Sendable (RawConnection) async throws -> Void,
    _ body: (HTTPClient) async throws -> Void
  ) async throws {
    guard overTLS else { return try await withRawServer([app]) { try await body(HTTPClient($0)) } }
    let server = try SecureServer()
    try await withRawServer(tls: server.tls, [app]) { try await body(try server.client($0.port)) }
  }

  @Test(arguments: [false, true]) func bothSidesSendAsTheyLike(overTLS: Bool) async throws {
    let heard = Event()
    try await connected(overTLS: overTLS) { app in
      let head = try await app.read(to: "\r\n\r\n")
      #expect(head.hasPrefix("GET /ws HTTP/1.1\r\nHost: h\r\n"))
      #expect(head.contains("Connection: Upgrade\r\n") && head.contains("Upgrade: websocket\r\n"))
      #expect(!head.lowercased().contains("transfer-encoding") && !head.lowercased().contains("content-length"))
      try await app.write(Self.agreed + "first")
      #expect(try await app.read(to: "!") == "0\r\nmine!")
      heard.happen()
      try await app.write("second")
      #expect(try await app.readToEnd() == "")
      try await app.write("last")
    } _: { client in
      let (mine, feed) = AsyncThrowingStream.makeStream(of: ByteBuffer.self, throwing: (any Error).self)
      try await client.send(Self.ask, body: Body(mine)) { head, body in
        #expect(head.status == .switchingProtocols && head.headerFields[HTTPField.Name("X-App")!] == "1")
        var parts = body.makeAsyncIterator()
        let first = try await parts.next()
        #expect(first == ByteBuffer(string: "first"))
        // What a body in chunks would be written with is nothing special here.
        feed.yield(ByteBuffer(string: "0\r\nmine!"))
        await heard.wait()
        let second = try await parts.next()
        #expect(second == ByteBuffer(string: "second"))
        feed.finish()
        let (last, end) = (try await parts.next(), try await parts.next())
        #expect(last == ByteBuffer(string: "last") && end == nil)
      }
    }
  }

  @Test(arguments: [false, true]) func theUpstreamMayEndFirst(overTLS: Bool) async throws {
    let heard = Mutex("")
    let ended = Event()
    try await connected(overTLS: overTLS) { app in
      _ = try await app.read(to: "\r\n\r\n")
      try await app.write(Self.agreed + "bye")
      app.halfClose()
      let text = try await app.readToEnd()
      heard.withLock { $0 = text }
      ended.happen()
    } _: { client in
      let (mine, feed) = AsyncThrowingStream.makeStream(of: ByteBuffer.self, throwing: (any Error).self)
      try await client.send(Self.ask, body: Body(mine)) { _, body in
        let text = try await body.text()
        #expect(text == "bye")
        feed.yield(ByteBuffer(string: "bye to you"))
        feed.finish()
      }
      await ended.wait()
    }
    #expect(heard.withLock { $0 } == "bye to you")
  }

  @Test(arguments: [false, true]) func whatIsSentLastArrivesAtASlowReader(overTLS: Bool) async throws {
    let ended = Event()
    let heard = Mutex(0)
    let size = 16 << 20
    try await connected(overTLS: overTLS) { app in
      _ = try await app.read(to: "\r\n\r\n")
      try await app.write(Self.agreed)
      app.halfClose()
      let count = try await app.read(bytes: size + 1).count
      heard.withLock { $0 = count }
      ended.happen()
    } _: { client in
      try await client.send(Self.ask, body: Body(ByteBuffer(repeating: 0x61, count: size))) { _, body in
        let text = try await body.text()
        #expect(text == "")
      }
      await ended.wait()
    }
    #expect(heard.withLock { $0 } == size)
  }

  @Test func moreThanHalfOfTheConnectionsAreNotLentForDays() async throws {
    var limits = HTTPClientLimits()
    limits.upgraded = 1
    try await withRawServer([
      { app in
        _ = try await app.read(to: "\r\n\r\n")
        try await app.write(Self.agreed)
        _ = try await app.readToEnd()
      }
    ]) { address in
      let client = HTTPClient(address: address, limits: limits, eventLoopGroup: MultiThreadedEventLoopGroup.singleton)
      try await client.send(Self.ask) { _, _ in
        do {
          try await client.send(Self.ask) { _, _ in }
          Issue.record("a second one is open")
        } catch let error as HTTPClientError {
          #expect(error.code == .limit)
        }
      }
      // It is given back.
      try await client.send(Self.ask) { _, _ in }
    }
  }

  @Test func aRefusalEndsTheConnectionAndSendsNothing() async throws {
    try await connected(overTLS: false) { app in
      _ = try await app.read(to: "\r\n\r\n")
      try await app.write("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno")
      #expect(try await app.readToEnd() == "")
    } _: { client in
      let (mine, _) = AsyncThrowingStream.makeStream(of: ByteBuffer.self, throwing: (any Error).self)
      try await client.send(Self.ask, body: Body(mine)) { head, body in
        #expect(head.status == .forbidden)
        let text = try await body.text()
        #expect(text == "no")
      }
    }
  }

  @Test func oneThatBreaksOffIsNoOrderlyEnd() async throws {
    try await connected(overTLS: false) { app in
      _ = try await app.read(to: "\r\n\r\n")
      try await app.write(Self.agreed + "half")
      try await app.reset()
    } _: { client in
      let (mine, _) = AsyncThrowingStream.makeStream(of: ByteBuffer.self, throwing: (any Error).self)
      await #expect(throws: HTTPClientError.self) {
        try await client.send(Self.ask, body: Body(mine)) { _, body in _ = try await body.text() }
      }
    }
  }
}
