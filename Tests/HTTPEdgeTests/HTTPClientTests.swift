import Codecs
import HTTPEdge
import HTTPTypes
import NIOCore
import NIOPosix
import Synchronization
import TestKit
import Testing

@Suite(.timeLimit(.minutes(1))) struct HTTPClientTests {
  private static let get = HTTPRequest(method: .get, scheme: "http", authority: "h", path: "/")
  private static let post = HTTPRequest(method: .post, scheme: "http", authority: "h", path: "/p")

  /// Answers every request on a connection with the same bytes.
  private static func answering(_ response: String) -> @Sendable (RawConnection) async throws -> Void {
    { connection in
      while try await connection.read(to: "\r\n\r\n").hasSuffix("\r\n\r\n") { try await connection.write(response) }
    }
  }

  private func code(_ expected: HTTPClientError.Code, _ operation: () async throws -> Void) async {
    await #expect {
      try await operation()
    } throws: { error in
      (error as? HTTPClientError)?.code == expected
    }
  }

  @Test func fieldsSurviveInOrderCaseAndNumber() async throws {
    let fields = "X-b: 1\r\nset-cookie: a=1\r\nX-B: 2\r\nSET-COOKIE: b=2; Path=/\r\nContent-Length: 0\r\nETag: W/\"x\""
    try await withRawServer([Self.answering("HTTP/1.1 200 OK\r\n\(fields)\r\n\r\n")]) { address in
      let got = try await HTTPClient(address).send(Self.get) { response, _ in
        response.headerFields.map { "\($0.name.rawName): \($0.value)" }
      }
      #expect(got == fields.split(separator: "\r\n").map(String.init))
    }
  }

  @Test func requestsAreWrittenAsTheyAre() async throws {
    let (requests, source) = AsyncStream.makeStream(of: String.self)
    try await withRawServer([
      { connection in
        source.yield(try await connection.read(to: "\r\n\r\n"))
        try await connection.write("HTTP/1.1 204 No Content\r\n\r\n")
        source.yield(try await connection.read(to: "abc"))
        try await connection.write("HTTP/1.1 204 No Content\r\n\r\n")
      },
      { connection in
        source.yield(try await connection.read(to: "0\r\n\r\n"))
        try await connection.write("HTTP/1.1 204 No Content\r\n\r\n")
      },
    ]) { address in
      let client = HTTPClient(address)
      var head = HTTPRequest(method: .get, scheme: "http", authority: "h:1", path: "/a?b=%23&c=%zz")
      head.headerFields = [.init("X-a")!: "1", .init("x-A")!: "2"]
      try await client.send(head) { response, _ in #expect(response.status.code == 204) }
      var put = HTTPRequest(method: .put, scheme: "http", authority: "h", path: "/")
      put.headerFields[.contentType] = "text/plain"
      try await client.send(put, body: parts(["a", "bc"], length: 3)) { response, _ in
        #expect(response.status.code == 204)
      }
      try await client.send(Self.post, body: parts(["a", "", "bc"])) { _, _ in }
      var iterator = requests.makeAsyncIterator()
      #expect(await iterator.next() == "GET /a?b=%23&c=%zz HTTP/1.1\r\nHost: h:1\r\nX-a: 1\r\nx-A: 2\r\n\r\n")
      #expect(
        await iterator.next()
          == "PUT / HTTP/1.1\r\nHost: h\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n\r\nabc")
      #expect(
        await iterator.next()
          == "POST /p HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n2\r\nbc\r\n0\r\n\r\n")
    }
  }

  @Test(arguments: [
    ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "hello"),
    ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n", "hello"),
    ("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "ok"),
    ("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", ""),
    ("HTTP/1.1 204 No Content\r\n\r\n", ""), ("HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n", ""),
  ])
  func bodiesAreFramed(_ response: String, _ text: String) async throws {
    try await withRawServer([Self.answering(response), { _ in Issue.record("a second connection") }]) { address in
      let client = HTTPClient(address)
      for _ in 1...3 {
        let text = try await client.send(Self.get) { _, body in try await body.text() }
        #expect(text == text)
      }
    }
  }

  @Test func headHasNoBody() async throws {
    try await withRawServer([Self.answering("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")]) { address in
      let client = HTTPClient(address)
      for _ in 1...2 {
        let head = HTTPRequest(method: .head, scheme: "http", authority: "h", path: "/")
        try await client.send(head) { response, body in
          #expect(response.headerFields[.contentLength] == "5")
          let text = try await body.text()
          #expect(text == "")
        }
      }
    }
  }

  @Test func aBodyMayEndWithTheConnection() async throws {
    try await withRawServer([
      { connection in
        _ = try await connection.read(to: "\r\n\r\n")
        try await connection.write("HTTP/1.0 200 OK\r\n\r\nhel")
        try await connection.write("lo")
      }
    ]) { address in
      let client = HTTPClient(address)
      for _ in 1...2 {
        let text = try await client.send(Self.get) { _, body in try await body.text() }
        #expect(text == "hello")
      }
    }
  }

  @Test(arguments: [
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n",
  ])
  func aCutBodyIsAnErrorNotAShortBody(_ response: String) async throws {
    try await withRawServer([
      { connection in
        _ = try await connection.read(to: "\r\n\r\n")
        try await connection.write(response)
      }
    ]) { address in
      await code(.closedEarly) { try await HTTPClient(address).send(Self.get) { _, body in _ = try await body.text() } }
    }
  }

  @Test func aResetInsideABodyIsAnError() async throws {
    let (seen, source) = AsyncStream.makeStream(of: Void.self)
    try await withRawServer([
      { connection in
        _ = try await connection.read(to: "\r\n\r\n")
        try await connection.write("HTTP/1.1 200 OK\r\n\r\nhel")
        _ = await seen.first { _ in true }
        try await connection.reset()
      }
    ]) { address in
      await code(.reset) {
        try await HTTPClient(address).send(Self.get) { _, body in
          for try await _ in body { source.yield() }
        }
      }
    }
  }

  @Test(arguments: [
    "garbage\r\n\r\n", "HTTP/2.0 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 5,6\r\n\r\nhello",
    "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nX: \(String(repeating: "x", count: 200_000))\r\n\r\n",
  ])
  func nonsenseIsMalformed(_ response: String) async throws {
    try await withRawServer([Self.answering(response)]) { address in
      await code(.malformed) { try await HTTPClient(address).send(Self.post) { _, body in _ = try await body.text() } }
    }
  }

  @Test func refusalIsNamed() async throws {
    var closed = HTTPAddress.unix(path: "/tmp/no-such-hearth.sock")
    await code(.refused) { try await HTTPClient(closed).send(Self.get) { _, _ in } }
    try await withRawServer([{ _ in }]) { closed = $0 }
    await code(.refused) { try await HTTPClient(closed).send(Self.get) { _, _ in } }
    let named = HTTPAddress.tcp(host: "no-such-host.invalid", port: 1)
    await code(.unresolved) { try await HTTPClient(named).send(Self.get) { _, _ in } }
  }

  @Test func namesAreTriedInBothFamilies() async throws {
    try await withServer({ _, writer in
      try await writer.write(HTTPResponse(status: .ok), parts(["x"]))
    }) { addresses in
      for host in ["localhost", "127.0.0.1", "::1"] where addresses.count == 2 {
        let client = HTTPClient(.tcp(host: host, port: addresses[0].port!))
        let text = try await client.send(Self.get) { _, body in try await body.text() }
        #expect(text == "x")
      }
    }
  }

  @Test func silenceEndsInATimeout() async throws {
    var limits = HTTPClientLimits()
    limits.response = .milliseconds(100)
    try await withRawServer([{ connection in _ = try await connection.readToEnd() }]) { address in
      await code(.responseTimedOut) { try await HTTPClient(address, limits: limits).send(Self.get) { _, _ in } }
    }
  }

  @Test func aStaleConnectionIsReplacedOnce() async throws {
    let closesSecond: @Sendable (RawConnection) async throws -> Void = { connection in
      _ = try await connection.read(to: "\r\n\r\n")
      try await connection.write("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1")
      _ = try await connection.read(to: "\r\n\r\n")
    }
    try await withRawServer([
      closesSecond, Self.answering("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n2"),
    ]) { address in
      let client = HTTPClient(address)
      let text = try await client.send(Self.get) { _, body in try await body.text() }
      #expect(text == "1")
      let second = try await client.send(Self.get) { _, body in try await body.text() }
      #expect(second == "2")
    }
    try await withRawServer([closesSecond, { _ in }]) { address in
      let client = HTTPClient(address)
      _ = try await client.send(Self.get) { _, body in try await body.text() }
      await code(.closedEarly) { try await client.send(Self.get) { _, _ in } }
    }
  }

  @Test func whatCannotBeRepeatedTakesAFreshConnection() async throws {
    let count = Mutex(0)
    try await withRawServer([
      { connection in
        count.withLock { $0 += 1 }
        try await Self.answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")(connection)
      }
    ]) { address in
      let client = HTTPClient(address)
      try await client.send(Self.get) { _, _ in }
      try await client.send(Self.post) { _, _ in }
      try await client.send(Self.get) { _, _ in }
      #expect(count.withLock { $0 } == 2)
    }
  }

  @Test func leavingEarlyClosesTheConnection() async throws {
    let (ended, source) = AsyncStream.makeStream(of: Void.self)
    try await withRawServer([
      { connection in
        _ = try await connection.read(to: "\r\n\r\n")
        try await connection.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nsome")
        _ = try await connection.readToEnd()
        source.yield()
      }
    ]) { address in
      let client = HTTPClient(address)
      let status = try await client.send(Self.get) { response, _ in response.status.code }
      #expect(status == 200)
      _ = await ended.first { _ in true }
    }
  }

  @Test func cancellationClosesTheConnection() async throws {
    let (begun, begin) = AsyncStream.makeStream(of: Void.self)
    let (ended, end) = AsyncStream.makeStream(of: Void.self)
    try await withRawServer([
      { connection in
        _ = try await connection.read(to: "\r\n\r\n")
        begin.yield()
        _ = try await connection.readToEnd()
        end.yield()
      }
    ]) { address in
      let client = HTTPClient(address)
      await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await client.send(Self.get) { _, _ in } }
        _ = await begun.first { _ in true }
        group.cancelAll()
        await #expect(throws: CancellationError.self) { try await group.waitForAll() }
      }
      _ = await ended.first { _ in true }
    }
  }

  @Test func eventsComeAsTheyAreSent() async throws {
    let (go, next) = AsyncStream.makeStream(of: Void.self)
    try await withRawServer([
      { connection in
        _ = try await connection.read(to: "\r\n\r\n")
        try await connection.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for await _ in go { try await connection.write("5\r\nevent\r\n") }
      }
    ]) { address in
      try await HTTPClient(address).send(Self.get) { response, body in
        var count = 0
        next.yield()
        for try await part in body {
          #expect(String(buffer: part) == "event")
          count += 1
          if count == 10 { break }
          next.yield()
        }
      }
    }
  }

  @Test func bothDirectionsStreamAtOnce() async throws {
    try await withServer({ request, writer in
      try await writer.write(HTTPResponse(status: .ok), Body(request.body))
    }) { addresses in
      let client = HTTPClient(.tcp(host: "127.0.0.1", port: addresses[0].port!))
      let (body, source) = AsyncThrowingStream.makeStream(of: ByteBuffer.self)
      source.yield(ByteBuffer(string: "0"))
      try await client.send(Self.post, body: Body(body)) { _, echoed in
        var seen = 0
        for try await part in echoed {
          #expect(String(buffer: part) == "\(seen)")
          seen += 1
          if seen == 20 { source.finish() } else { source.yield(ByteBuffer(string: "\(seen)")) }
        }
        #expect(seen == 20)
      }
    }
  }

  @Test func aLargeBodyArrivesWholeInBothDirections() async throws {
    let size = 32 << 20
    try await withServer({ request, writer in
      try await writer.write(
        HTTPResponse(status: .ok, headerFields: [.contentLength: "\(size)"]), request.body)
    }) { addresses in
      let client = HTTPClient(.tcp(host: "127.0.0.1", port: addresses[0].port!))
      let left = Mutex(size)
      let body = AsyncThrowingStream<ByteBuffer, any Error> {
        left.withLock { left in
          defer { left -= min(left, 65536) }
          return left == 0 ? nil : ByteBuffer(repeating: UInt8(truncatingIfNeeded: left >> 16), count: min(left, 65536))
        }
      }
      let received = try await client.send(Self.post, body: Body(body, length: size)) { response, body in
        var count = 0
        for try await part in body {
          #expect(part.readableBytes <= 65536)
          count += part.readableBytes
        }
        return count
      }
      #expect(received == size)
    }
  }

  @Test func anEarlyAnswerStopsTheUpload() async throws {
    try await withRawServer([
      { connection in
        _ = try await connection.read(to: "\r\n\r\n")
        try await connection.write("HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        connection.halfClose()
        _ = try await connection.readToEnd()
      }
    ]) { address in
      let endless = AsyncThrowingStream<ByteBuffer, any Error> { ByteBuffer(repeating: 0x61, count: 1000) }
      let status = try await HTTPClient(address).send(Self.post, body: Body(endless)) { response, _ in
        response.status.code
      }
      #expect(status == 413)
    }
  }

  @Test func aBodyThatFailsFailsTheRequest() async throws {
    struct Gone: Error {}
    let (seen, source) = AsyncStream.makeStream(of: String.self)
    try await withRawServer([{ connection in source.yield(try await connection.readToEnd()) }]) { address in
      let body = AsyncThrowingStream<ByteBuffer, any Error> { continuation in
        continuation.yield(ByteBuffer(string: "half"))
        continuation.finish(throwing: Gone())
      }
      await #expect(throws: Gone.self) {
        try await HTTPClient(address).send(Self.post, body: Body(body)) { _, _ in }
      }
      #expect(await seen.first { _ in true }?.hasSuffix("4\r\nhalf\r\n") == true, "no end of the body was written")
    }
  }

  @Test(arguments: [2, 4, 100_000]) func aBodyOfAnotherLengthFailsTheRequest(_ length: Int) async throws {
    try await withRawServer([{ connection in _ = try await connection.readToEnd() }]) { address in
      await code(.invalidRequest) {
        try await HTTPClient(address).send(Self.post, body: parts(["abc"], length: length)) { _, _ in }
      }
    }
  }

  @Test(arguments: ["", "/a b", "/a\r\nX: y"]) func targetsThatWouldBreakTheLineAreRefused(
    _ path: String
  ) async throws {
    var head = Self.get
    head.path = path
    await code(.invalidRequest) {
      try await HTTPClient(.unix(path: "/nowhere")).send(head) { _, _ in }
    }
  }

  @Test func readingStopsWhileTheReaderRests() async throws {
    let total = 3000
    let written = Mutex(0)
    let part = ByteBuffer(repeating: 0x78, count: 65536)
    try await withRawServer([
      { connection in
        _ = try await connection.read(to: "\r\n\r\n")
        try await connection.write("HTTP/1.1 200 OK\r\nContent-Length: \(65536 * total)\r\n\r\n")
        for _ in 0..<total {
          try await connection.send(part)
          written.withLock { $0 += 1 }
        }
        _ = try await connection.readToEnd()
      }
    ]) { address in
      try await HTTPClient(address).send(Self.get) { _, body in
        var iterator = body.makeAsyncIterator()
        var bytes = try await iterator.next()?.readableBytes ?? 0
        try await standstill { written.withLock { $0 } }
        #expect(written.withLock { $0 } < total / 2, "the kernel's buffers and a few parts, no more")
        while let part = try await iterator.next() { bytes += part.readableBytes }
        #expect(bytes == 65536 * total)
      }
    }
  }

  @Test func aUnixSocketCarriesRequests() async throws {
    let path = "/tmp/hearth-client-\(UInt32.random(in: 0...UInt32.max)).sock"
    try await withServer(
      at: .unix(path: path),
      { _, writer in
        try await writer.write(HTTPResponse(status: .ok), parts(["x"], length: 1))
      }
    ) { _ in
      let client = HTTPClient(.unix(path: path))
      for _ in 1...3 {
        let text = try await client.send(Self.get) { _, body in try await body.text() }
        #expect(text == "x")
      }
    }
  }

  @Test func manyRequestsShareFewConnections() async throws {
    var limits = HTTPClientLimits()
    limits.connections = 4
    let open = Mutex((now: 0, most: 0))
    let (full, fill) = AsyncStream.makeStream(of: Never.self)
    try await withServer({ _, writer in
      // The first ones wait for as many as there may be.
      if open.withLock({ open in
        open = (open.now + 1, max(open.most, open.now + 1))
        return open.most == 4
      }) {
        fill.finish()
      }
      for await _ in full {}
      open.withLock { $0.now -= 1 }
      try await writer.write(HTTPResponse(status: .ok), parts(["x"], length: 1))
    }) { addresses in
      let client = HTTPClient(.tcp(host: "127.0.0.1", port: addresses[0].port!), limits: limits)
      try await withThrowingTaskGroup(of: String.self) { group in
        for index in 0..<100 {
          group.addTask {
            try await client.send(index % 5 == 0 ? Self.post : Self.get) { _, body in try await body.text() }
          }
        }
        for try await text in group { #expect(text == "x") }
      }
      #expect(open.withLock { $0.most } == 4)
    }
  }
}
