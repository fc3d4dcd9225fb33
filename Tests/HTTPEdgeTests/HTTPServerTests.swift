import Codecs
import HTTPEdge
import HTTPTypes
import NIOCore
import NIOPosix
import ServiceLifecycle
import Synchronization
import TestKit
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

@Suite(.timeLimit(.minutes(1))) struct HTTPServerTests {
  /// Answers `METHOD target authority bodyLength`, with a length or, for `/chunked`, without.
  @Sendable private static func echo(_ request: Request, _ writer: ResponseWriter) async throws {
    var count = 0
    for try await part in request.body { count += part.readableBytes }
    let text = "\(request.method) \(request.head.path ?? "-") \(request.head.authority ?? "-") \(count)\n"
    var head = HTTPResponse(status: .ok)
    let isChunked = request.head.path == "/chunked"
    if !isChunked { head.headerFields[.contentLength] = "\(text.utf8.count)" }
    try await writer.write(head, parts([text], length: isChunked ? nil : text.utf8.count))
  }

  /// What comes back for raw bytes, until the server ends the connection.
  private func exchange(_ request: String) async throws -> String {
    let result = Mutex("")
    try await withServer(Self.echo) { addresses in
      let text = try await withRawClient(addresses[0]) { client in
        try await client.write(request)
        return try await client.readToEnd()
      }
      result.withLock { $0 = text }
    }
    return result.withLock { $0 }
  }

  @Test func answersInOrderOnOneConnection() async throws {
    let text = try await exchange(
      "GET /a HTTP/1.1\r\nHost: h\r\n\r\nHEAD /b HTTP/1.1\r\nHost: h\r\n\r\n"
        + "POST /chunked HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"
        + "GET /d HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
    #expect(
      text == "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nGET /a h 0\n"
        + "HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n"
        + "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n12\r\nPOST /chunked h 3\n\r\n0\r\n\r\n"
        + "HTTP/1.1 200 OK\r\nContent-Length: 11\r\nConnection: close\r\n\r\nGET /d h 0\n")
  }

  @Test func oldClientsGetNoChunks() async throws {
    let text = try await exchange("GET /chunked HTTP/1.0\r\n\r\n")
    #expect(text == "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nGET /chunked - 0\n")
    let kept = try await exchange(
      "GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /b HTTP/1.0\r\n\r\n")
    #expect(kept.contains("Connection: keep-alive") && kept.hasSuffix("GET /b - 0\n"))
  }

  @Test(arguments: [
    ("GET httpx://u@m/a?q=%23 HTTP/1.1\r\nHost: other\r\n", "GET httpx://u@m/a?q=%23 other 0\n"),
    ("OPTIONS * HTTP/1.1\r\nHost: h\r\n", "OPTIONS * h 0\n"),
    ("GET //x/y HTTP/1.1\r\nHost: h:8332\r\n", "GET //x/y h:8332 0\n"),
    ("CONNECT a:1 HTTP/1.1\r\nHost: h\r\n", "CONNECT a:1 h 0\n"),
    ("GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n", "GET / h 0\n"),
  ])
  func targetsArePassedOnAsTheyWereSent(_ head: String, _ answer: String) async throws {
    let close = head.contains("Connection") ? "" : "Connection: close\r\n"
    #expect(try await exchange(head + close + "\r\n").hasSuffix(answer))
  }

  @Test(arguments: [
    "GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "what is this\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5,6\r\n\r\nhello",
    "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
  ])
  func badRequestsAreRefused(_ request: String) async throws {
    let text = try await exchange(request)
    #expect(text.hasPrefix("HTTP/1.1 400 ") && text.lowercased().contains("connection: close"))
  }

  @Test(arguments: [
    "A: \(String(repeating: "x", count: 200_000))\r\n", String(repeating: "A: b\r\n", count: 1000),
  ])
  func headsBeyondTheLimitsAreToldSo(_ fields: String) async throws {
    let text = try await exchange("GET / HTTP/1.1\r\nHost: h\r\n\(fields)\r\n")
    #expect(text.hasPrefix("HTTP/1.1 431 ") && text.lowercased().contains("connection: close"))
  }

  @Test func continueIsSaidWhenTheBodyIsRead() async throws {
    try await withServer(Self.echo) { addresses in
      try await withRawClient(addresses[0]) { client in
        try await client.write("PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n")
        let text = try await client.read(to: "\r\n\r\n")
        #expect(
          text == "HTTP/1.1 100 Continue\r\n\r\n")
        try await client.write("abc")
        let next = try await client.read(to: "PUT /a h 3\n")
        #expect(
          next.hasPrefix("HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n"))
      }
    }
  }

  @Test func aBodyThatIsNotWantedIsNotAskedFor() async throws {
    try await withServer({ _, writer in
      try await writer.write(HTTPResponse(status: .forbidden, headerFields: [.contentLength: "0"]), .empty)
    }) { addresses in
      try await withRawClient(addresses[0]) { client in
        try await client.write("PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n")
        let text = try await client.readToEnd()
        #expect(
          text == "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
      }
    }
  }

  @Test func anUnreadBodyIsSkipped() async throws {
    try await withServer({ _, writer in
      try await writer.write(HTTPResponse(status: .ok, headerFields: [.contentLength: "0"]), .empty)
    }) { addresses in
      try await withRawClient(addresses[0]) { client in
        let body = String(repeating: "x", count: 1 << 20)
        try await client.write("PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: \(body.utf8.count)\r\n\r\n" + body)
        let text = try await client.read(to: "\r\n\r\n")
        #expect(
          text.hasPrefix("HTTP/1.1 200 OK"))
        try await client.write("GET /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        let next = try await client.readToEnd()
        #expect(
          next.hasPrefix("HTTP/1.1 200 OK"))
      }
    }
  }

  @Test func aBodyThatFailsIsNeverTakenForWhole() async throws {
    struct Broken: Error {}
    let broken = AsyncThrowingStream<ByteBuffer, any Error> { continuation in
      continuation.yield(ByteBuffer(string: "half"))
      continuation.finish(throwing: Broken())
    }
    try await withServer({ _, writer in
      try await writer.write(HTTPResponse(status: .ok), Body(broken))
    }) { addresses in
      try await withRawClient(addresses[0]) { client in
        try await client.write("GET /a HTTP/1.1\r\nHost: h\r\n\r\n")
        let text = try await client.readToEnd()
        #expect(
          text.hasSuffix("4\r\nhalf\r\n"))
      }
    }
  }

  @Test func aClientThatLeavesEndsTheWaiting() async throws {
    let (begun, begin) = AsyncStream.makeStream(of: Void.self)
    let (cancelled, source) = AsyncStream.makeStream(of: Bool.self)
    try await withServer({ _, _ in
      begin.yield()
      do { try await untilCancelled() } catch { source.yield(true) }
    }) { addresses in
      try await withRawClient(addresses[0]) { client in
        try await client.write("GET /a HTTP/1.1\r\nHost: h\r\n\r\n")
        _ = await begun.first { _ in true }
      }
      #expect(await cancelled.first { _ in true } == true)
    }
  }

  @Test func aClientThatLeavesEndsTheWriting() async throws {
    let (ended, source) = AsyncStream.makeStream(of: Int.self)
    let endless = AsyncThrowingStream<ByteBuffer, any Error> { ByteBuffer(repeating: 0x61, count: 1000) }
    try await withServer({ _, writer in
      do { try await writer.write(HTTPResponse(status: .ok), Body(endless)) } catch { source.yield(1) }
    }) { addresses in
      try await withRawClient(addresses[0]) { client in
        try await client.write("GET /a HTTP/1.1\r\nHost: h\r\n\r\n")
        _ = try await client.read(to: "aaa")
        try await client.reset()
      }
      #expect(await ended.first { _ in true } == 1)
    }
  }

  @Test func halfClosedClientsGetTheirAnswer() async throws {
    try await withServer(Self.echo) { addresses in
      let text = try await withRawClient(addresses[0]) { client in
        try await client.write("GET /a HTTP/1.1\r\nHost: h\r\n\r\n")
        client.halfClose()
        return try await client.readToEnd()
      }
      #expect(text.hasSuffix("GET /a h 0\n"))
    }
  }

  @Test func idleConnectionsAreClosed() async throws {
    var limits = HTTPServerLimits()
    limits.idle = .seconds(2)
    try await withServer(limits: limits, Self.echo) { addresses in
      try await withRawClient(addresses[0]) { client in
        try await client.write("GET /a HTTP/1.1\r\nHost: h\r\n\r\nGET /half")
        let text = try await client.read(to: "GET /a h 0\n")
        #expect(text.hasSuffix("GET /a h 0\n"))
        // Half a request that nobody has read makes the end a reset.
        _ = try? await client.readToEnd()
      }
    }
  }

  @Test func listensOnBothFamilies() async throws {
    try await withServer(Self.echo) { addresses in
      try #require(addresses.count == 2, "this machine has no ::1")
      #expect(addresses[0].ipAddress == "127.0.0.1" && addresses[1].ipAddress == "::1")
      #expect(addresses[0].port == addresses[1].port)
      for address in addresses {
        let text = try await withRawClient(address) { client in
          try await client.write("GET /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
          return try await client.readToEnd()
        }
        #expect(text.hasSuffix("GET /a h 0\n"))
      }
    }
  }

  @Test func aTakenPortIsNamed() async throws {
    try await withServer(Self.echo) { addresses in
      let port = addresses[0].port!
      await #expect {
        try await withServer(at: .loopback(port: port), Self.echo) { _ in Issue.record("both listen") }
      } throws: { error in
        (error as? HTTPServerError)?.code == .inUse && "\(error)".contains("\(port)")
      }
    }
  }

  @Test func aUnixSocketIsPrivateAndTakenOverOnlyWhenDead() async throws {
    let path = "/tmp/hearth-edge-\(getpid()).sock"
    defer { unlink(path) }
    let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .bind(unixDomainSocketPath: path).get()
    await #expect(throws: HTTPServerError.self) { try await withServer(at: .unix(path: path), Self.echo) { _ in } }
    try await server.close()
    var info = stat()
    try leaveDeadSocket(path)
    try await withServer(at: .unix(path: path), Self.echo) { addresses in
      #expect(stat(path, &info) == 0 && info.st_mode & 0o777 == 0o600)
      let text = try await withRawClient(addresses[0]) { client in
        try await client.write("GET /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        return try await client.readToEnd()
      }
      #expect(text.hasSuffix("GET /a h 0\n"))
    }
    #expect(stat(path, &info) != 0, "removed at the end")
  }

  /// As a process does that was killed.
  private func leaveDeadSocket(_ path: String) throws {
    let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    let bound = try SocketAddress(unixDomainSocketPath: path).withSockAddr { address, size in
      bind(descriptor, address, socklen_t(size))
    }
    #expect(bound == 0 && access(path, F_OK) == 0)
  }

  @Test func aFileInPlaceOfTheSocketIsLeftAlone() async throws {
    let path = "/tmp/hearth-edge-\(getpid()).txt"
    close(open(path, O_CREAT | O_WRONLY, 0o600))
    defer { unlink(path) }
    await #expect(throws: HTTPServerError.self) { try await withServer(at: .unix(path: path), Self.echo) { _ in } }
    #expect(access(path, F_OK) == 0)
  }

  @Test func shutdownDoesNotWaitForIdleConnections() async throws {
    var limits = HTTPServerLimits()
    limits.shutdown = .seconds(50)
    let (listening, source) = AsyncStream.makeStream(of: [SocketAddress].self)
    let server = HTTPServer(
      .loopback(port: 0), limits: limits, eventLoopGroup: MultiThreadedEventLoopGroup.singleton, logger: quiet,
      listening: { source.yield($0) }, responder: Self.echo)
    let services = ServiceGroup(services: [server], logger: quiet)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await services.run() }
      let address = try #require(await listening.first { _ in true })[0]
      try await withRawClient(address) { client in
        try await client.write("GET /a HTTP/1.1\r\nHost: h\r\n\r\n")
        _ = try await client.read(to: "GET /a h 0\n")
        await services.triggerGracefulShutdown()
        #expect(try await client.readToEnd() == "")
      }
      try await group.waitForAll()
    }
  }

  @Test func shutdownFinishesWhatIsQuickAndCutsWhatIsNot() async throws {
    var limits = HTTPServerLimits()
    limits.shutdown = .seconds(1)
    let (listening, source) = AsyncStream.makeStream(of: [SocketAddress].self)
    let (begun, begin) = AsyncStream.makeStream(of: Void.self)
    let (shuttingDown, shutDown) = AsyncStream.makeStream(of: Void.self)
    let server = HTTPServer(
      .loopback(port: 0), limits: limits, eventLoopGroup: MultiThreadedEventLoopGroup.singleton, logger: quiet,
      listening: { source.yield($0) }
    ) { request, writer in
      begin.yield()
      if request.head.path == "/slow" { try await untilCancelled() }
      _ = await shuttingDown.first { _ in true }
      try await writer.write(HTTPResponse(status: .ok), parts(["done"]))
    }
    let services = ServiceGroup(services: [server], logger: quiet)
    try await withThrowingTaskGroup(of: String.self) { group in
      group.addTask {
        try await services.run()
        return "server"
      }
      let address = try #require(await listening.first { _ in true })[0]
      for path in ["/quick", "/slow"] {
        group.addTask {
          try await withRawClient(address) { client in
            try await client.write("GET \(path) HTTP/1.1\r\nHost: h\r\n\r\n")
            return try await client.readToEnd()
          }
        }
      }
      var count = 0
      for await _ in begun {
        count += 1
        if count == 2 { break }
      }
      await services.triggerGracefulShutdown()
      shutDown.yield()
      var results: [String] = []
      for try await result in group { results.append(result) }
      #expect(results.count == 3 && results.contains("server") && results.contains(""), "\(results)")
      #expect(results.contains { $0.hasSuffix("4\r\ndone\r\n0\r\n\r\n") })
    }
  }
}
