import Codecs
import HTTPEdge
import HTTPTypes
import HTTPX
import Mesh
import NIOCore
import NIOPosix
import Origins
import Synchronization
import TestKit
import Testing
import Trust
import XMPP

@Suite(.timeLimit(.minutes(1))) struct ReverseProxyTests {
  private func proxy(_ address: HTTPAddress, base: String = "", limits: HTTPClientLimits = .init()) -> ReverseProxy {
    ReverseProxy(to: address, base: base, limits: limits, eventLoopGroup: MultiThreadedEventLoopGroup.singleton)
  }

  /// Says what it was asked, one line for each field.
  @Sendable static func mirror(_ request: Request, _ writer: ResponseWriter) async throws {
    var body = ""
    for try await part in request.body { body += String(buffer: part) }
    var lines = ["\(request.method) \(request.head.path ?? "")", "Host: \(request.head.authority ?? "")"]
    lines += request.headers.map { "\($0.name.rawName): \($0.value)" } + [body]
    try await writer.write(HTTPResponse(status: .ok), Body(lines.joined(separator: "\n")))
  }

  @Test func theAppSeesWhoAskedAndItsOwnName() async throws {
    try await withApp(Self.mirror) { (address) async throws in
      let got = try await proxy(address).ask(
        .get, "/a%20b?c=%23&d=//x",
        [
          "X-Forwarded-For": "1.2.3.4", "Forwarded": "for=x", "Connection": "X-Hop, keep-alive", "X-Hop": "1",
          "Upgrade": "h2c", "Expect": "100-continue", "X-Kept": "1", "Via": "1.1 x",
          "X-Forwarded-Host": "device.localhost:8332", "X-Forwarded-Proto": "http",
        ])
      #expect(
        Set(got.body.split(separator: "\n")) == [
          "GET /a%20b?c=%23&d=//x", "Host: \(address)", "X-Kept: 1", "Hearth-Peer: laptop@home%20sweet",
          "Hearth-Peer-Trust: plaintext",
          "X-Forwarded-Host: device.localhost:8332", "X-Forwarded-Proto: http",
        ])
    }
  }

  @Test(arguments: [HTTPRequest.Method.post, .put, .patch, .delete, .init("PURGE")!]) func bodiesReachTheApp(
    _ method: HTTPRequest.Method
  ) async throws {
    try await withApp(Self.mirror) { (address) async throws in
      let known = try await proxy(address).ask(method, "/", body: Body("hello"))
      #expect(known.body.hasSuffix("\nhello") && known.body.contains("Content-Length: 5"))
      let stream = AsyncThrowingStream<ByteBuffer, any Error> { continuation in
        for text in ["he", "llo"] { continuation.yield(ByteBuffer(string: text)) }
        continuation.finish()
      }
      let unknown = try await proxy(address).ask(method, "/", body: Body(stream))
      #expect(unknown.body.hasSuffix("\nhello") && unknown.body.contains("Transfer-Encoding: chunked"))
      let empty = try await proxy(address).ask(method, "/")
      #expect(empty.body.hasPrefix("\(method) /\n"))
    }
  }

  @Test(arguments: [
    "/\\169.254.169.254/", "http://169.254.169.254/", "https://x/", "httpx://a@b/",
    "169.254.169.254:80", "x", "", "*", "/a b", "/a\r\nX: y", "/a#b", "@evil/", "?x",
  ])
  func aPeerCannotNameTheHost(_ path: String) async throws {
    try await withApp({ _, _ in Issue.record("the app was asked") }) { (address) async throws in
      #expect(try await proxy(address).get(path).code == 400)
    }
  }

  /// Netdata asks for `//api/v1/info`.
  @Test(arguments: ["//api/v1/info", "///x", "//169.254.169.254/latest"])
  func aPathMayBeginWithAnEmptySegment(_ path: String) async throws {
    try await withApp(Self.mirror) { (address) async throws in
      let got = try await proxy(address).get(path)
      #expect(got.body.hasPrefix("GET \(path)\nHost: \(address)\n"))
    }
  }

  @Test func otherFormsAreForTheirMethodsOnly() async throws {
    try await withApp(Self.mirror) { (address) async throws in
      #expect(try await proxy(address).ask(.options, "*").body.hasPrefix("OPTIONS *\n"))
      #expect(try await proxy(address).ask(.options, "/x").body.hasPrefix("OPTIONS /x\n"))
      #expect(try await proxy(address).ask(.connect, "x:1").code == 400)
      #expect(try await proxy(address).ask(.get, nil).code == 400)
    }
  }

  @Test func theBaseIsABoundary() async throws {
    try await withApp(Self.mirror) { (address) async throws in
      let proxy = proxy(address, base: "/base")
      #expect(try await proxy.get("/x?y=/../").body.hasPrefix("GET /base/x?y=/../\n"))
      #expect(try await proxy.get("/").body.hasPrefix("GET /base/\n"))
      for path in ["/..", "/../x", "/a/../../x", "/%2e%2e/x", "/..%2fx", "/a%5c..%5c..", "/%2E%2e%5Cx", "/%zz"] {
        #expect(try await proxy.get(path).code == 400, "\(path)")
      }
    }
  }

  @Test(arguments: ["", "0x10", "1e3", "5,5", "5,6", "-1", "+5", "4", "99999999999999999999"])
  func lengthsMustBeTrue(_ length: String) async throws {
    try await withApp({ _, _ in Issue.record("the app was asked") }) { (address) async throws in
      #expect(try await proxy(address).ask(.post, "/", ["Content-Length": length], body: Body("hello")).code == 400)
    }
  }

  @Test func responsesComeAsTheyAre() async throws {
    try await withApp({ request, writer in
      let path = request.head.path ?? ""
      var head = HTTPResponse(status: .init(code: Int(path.dropFirst())!))
      head.headerFields = [
        .setCookie: "a=1", .init("X-a")!: "1", .connection: "X-Hop", .init("X-Hop")!: "1", .eTag: "\"x\"",
        .location: "http://\(request.head.authority!)/next?x", .contentLocation: "http://elsewhere/x",
      ]
      head.headerFields.append(HTTPField(name: .setCookie, value: "b=2"))
      let hasBody = request.method != .head && ![204, 205, 304].contains(head.status.code)
      if hasBody || request.method == .head || path == "/304" { head.headerFields[.contentLength] = "5" }
      if path == "/205" { head.headerFields[.contentLength] = "0" }
      try await writer.write(head, hasBody ? Body("hello") : .empty)
    }) { (address) async throws in
      for code in [200, 201, 204, 205, 206, 301, 304, 404, 418, 500, 599] {
        for method in [HTTPRequest.Method.get, .head, .post] {
          let got = try await proxy(address).ask(method, "/\(code)")
          let hasBody = method != .head && ![204, 205, 304].contains(code)
          #expect(got.code == code && got.body == (hasBody ? "hello" : ""))
          #expect(got.head.headerFields[values: .setCookie] == ["a=1", "b=2"])
          #expect(got["X-Hop"] == nil && got["Connection"] == nil && got["Transfer-Encoding"] == nil)
          #expect(got["Location"] == "/next?x" && got["Content-Location"] == "http://elsewhere/x")
          if hasBody || code == 304 { #expect(got["Content-Length"] == "5") }
          if hasBody { #expect(got.length == 5) }
        }
      }
    }
  }

  @Test func documentsGoAsXMLWhereTheirOwnerWantsThat() async throws {
    try await withApp({ _, writer in
      try await writer.write(HTTPResponse(status: .ok, headerFields: [.contentType: "text/xml"]), Body("<a/>"))
    }) { (address) async throws in
      for xml in [true, false] {
        let proxy = ReverseProxy(
          to: address, options: AppOptions(xml: xml), eventLoopGroup: MultiThreadedEventLoopGroup.singleton)
        let head = HTTPRequest(method: .get, scheme: "http", authority: "device.localhost:8332", path: "/")
        var prefersXML: Bool?
        try await proxy.respond(to: HTTPXRequest(head), from: caller) { prefersXML = $0.prefersXML }
        #expect(prefersXML == xml)
      }
    }
  }

  @Test func redirectsAreNotFollowed() async throws {
    let count = Mutex(0)
    try await withApp({ _, writer in
      count.withLock { $0 += 1 }
      let head = HTTPResponse(status: .found, headerFields: [.location: "/again", .contentLength: "0"])
      try await writer.write(head, .empty)
    }) { (address) async throws in
      #expect(try await proxy(address).get("/").code == 302)
      #expect(count.withLock { $0 } == 1)
    }
  }

  @Test func eventsComeAsTheyAreSentAndEndWithTheirReader() async throws {
    let (go, next) = AsyncStream.makeStream(of: Int.self)
    let (ended, end) = AsyncStream.makeStream(of: Void.self)
    try await withApp({ _, writer in
      defer { end.yield() }
      try await writer.begin(HTTPResponse(status: .ok, headerFields: [.contentType: "text/event-stream"]))
      for await event in go { try await writer.write(ByteBuffer(string: "data: \(event)\n\n")) }
    }) { (address) async throws in
      let head = HTTPRequest(method: .get, scheme: "http", authority: "h", path: "/events")
      try await proxy(address).respond(to: HTTPXRequest(head), from: caller) { response in
        #expect(response.body.length == nil)
        var seen = 0
        next.yield(0)
        for try await part in response.body {
          #expect(String(buffer: part) == "data: \(seen)\n\n")
          seen += 1
          if seen == 10 { break }
          next.yield(seen)
        }
      }
      _ = await ended.first { _ in true }
    }
  }

  @Test func anAppThatIsNotThereIsSaidSo() async throws {
    var gone = HTTPAddress.unix(path: "/tmp/no-such-app.sock")
    for _ in 1...2 {
      let got = try await proxy(gone).get("/")
      #expect(got.code == 502 && got.failure?.error == "connection_refused")
      #expect(got.body.contains("not running") && got["Content-Type"] == "text/plain; charset=utf-8")
      #expect(try await proxy(gone).ask(.head, "/").body.isEmpty)
      try await withApp(Self.mirror) { gone = $0 }
    }
  }

  @Test func anAppThatBreaksOffIsSaidSo() async throws {
    struct Broken: Error {}
    try await withApp({ _, _ in throw Broken() }) { (address) async throws in
      let got = try await proxy(address).ask(.post, "/")
      #expect(got.code == 502 && got.failure?.error == "connection_terminated")
    }
  }

  @Test func anAppThatIsSilentIsSaidSo() async throws {
    var limits = HTTPClientLimits()
    limits.response = .milliseconds(100)
    try await withApp({ _, _ in try await untilCancelled() }) { (address) async throws in
      let got = try await proxy(address, limits: limits).get("/")
      #expect(got.code == 504 && got.failure?.error == "http_response_timeout")
    }
  }

  @Test func aBodyThatBreaksOffIsAnErrorNotAShortBody() async throws {
    struct Broken: Error {}
    try await withApp({ request, writer in
      var head = HTTPResponse(status: .ok)
      if request.head.path == "/length" { head.headerFields[.contentLength] = "100" }
      try await writer.begin(head)
      try await writer.write(ByteBuffer(string: "half"))
      throw Broken()
    }) { (address) async throws in
      for path in ["/length", "/chunked"] {
        await #expect(throws: HTTPClientError.self) { try await proxy(address).get(path) }
      }
    }
  }

  @Test func aCallerThatLeavesIsNotAnAppThatFails() async throws {
    struct Left: Error {}
    try await withApp(Self.mirror) { (address) async throws in
      let head = HTTPRequest(method: .get, scheme: "http", authority: "h", path: "/")
      await #expect(throws: Left.self) {
        try await proxy(address).respond(to: HTTPXRequest(head), from: caller) { _ in throw Left() }
      }
    }
  }

  /// All that one stranger asks hangs: a friend is answered meanwhile, and so are another stranger and the owner.
  @Test func oneStrangerKeepsNobodyFromAnApp() async throws {
    let (gate, open) = AsyncStream.makeStream(of: Void.self)
    let (begun, begin) = AsyncStream.makeStream(of: Void.self)
    try await withApp({ request, writer in
      if request.head.path == "/slow" {
        begin.yield()
        for await _ in gate {}
      }
      try await writer.write(HTTPResponse(status: .noContent), .empty)
    }) { (address) async throws in
      let proxy = proxy(address)
      try await withThrowingTaskGroup(of: Received.self) { group in
        for _ in 0..<192 { group.addTask { try await proxy.ask(.get, "/slow", from: Self.stranger(1)) } }
        var slow = begun.makeAsyncIterator()
        for _ in 0..<32 { await slow.next() }
        // 128 wait, a quarter of those who may: these are refused.
        for _ in 0..<32 {
          let refused = try #require(try await group.next())
          #expect(refused.code == 503 && refused["Retry-After"] == "5")
          #expect(refused.failure?.error == "connection_limit_reached")
        }
        for caller in [Self.friend(2), Self.stranger(3), Self.owner] {
          for method in [HTTPRequest.Method.get, .post] {
            let got = try await proxy.ask(method, "/", from: caller)
            #expect(got.code == 204, "\(caller.standing)")
          }
        }
        open.finish()
        for try await got in group { #expect(got.code == 204) }
      }
    }
  }

  /// A thousand keys are strangers all the same.
  @Test func strangersTogetherHaveHalfOfAnApp() async throws {
    let (gate, open) = AsyncStream.makeStream(of: Void.self)
    let begun = Mutex(0)
    var limits = HTTPClientLimits()
    limits.turn = .milliseconds(200)
    try await withApp({ request, writer in
      if request.head.path == "/slow" {
        begun.withLock { $0 += 1 }
        for await _ in gate {}
      }
      try await writer.write(HTTPResponse(status: .noContent), .empty)
    }) { (address) async throws in
      let proxy = proxy(address, limits: limits)
      try await withThrowingTaskGroup(of: Received.self) { group in
        for key in 1...100 { group.addTask { try await proxy.ask(.get, "/slow", from: Self.stranger(UInt8(key))) } }
        // Those who have no turn in time are told so.
        for _ in 0..<36 {
          let refused = try #require(try await group.next())
          #expect(refused.code == 503 && refused["Retry-After"] == "5")
        }
        #expect(begun.withLock { $0 } == 64)
        #expect(try await proxy.ask(.get, "/", from: Self.friend(2)).code == 204)
        open.finish()
        for try await got in group { #expect(got.code == 204) }
      }
    }
  }

  /// What waits for its turn has read nothing of its body.
  @Test(arguments: [10, 1 << 20]) func whoWaitsHoldsNoBody(_ length: Int) async throws {
    let (gate, open) = AsyncStream.makeStream(of: Void.self)
    let (begun, begin) = AsyncStream.makeStream(of: Void.self)
    var limits = HTTPClientLimits()
    limits.connections = 1
    limits.turn = .milliseconds(200)
    try await withApp({ _, writer in
      begin.yield()
      for await _ in gate {}
      try await writer.write(HTTPResponse(status: .noContent), .empty)
    }) { (address) async throws in
      let proxy = proxy(address, limits: limits)
      async let slow = proxy.ask(.get, "/", from: Self.stranger(1))
      for await _ in begun { break }
      let body = AsyncThrowingStream<ByteBuffer, any Error> {
        Issue.record("the body is read")
        return nil
      }
      let refused = try await proxy.ask(.put, "/", body: Body(body, length: length), from: Self.friend(2))
      #expect(refused.code == 503)
      open.finish()
      #expect(try await slow.code == 204)
      // The place is there again.
      #expect(try await proxy.ask(.put, "/", body: Body(Body("hi"), length: 2), from: Self.friend(2)).code == 204)
    }
  }

  private static func stranger(_ key: UInt8) -> Caller {
    Caller(jid: JID("s@s")!, id: NodeID(digest: [UInt8](repeating: key, count: 32)), standing: .stranger)
  }

  private static func friend(_ key: UInt8) -> Caller {
    let id = NodeID(digest: [UInt8](repeating: key, count: 32))
    return Caller(jid: JID("f@f")!, id: id, standing: .friend(try! Petname("f")))
  }

  private static let owner = Caller(
    jid: JID("o@o")!, id: NodeID(digest: [UInt8](repeating: 9, count: 32)), standing: .self)

  @Test func anAppOnAUnixSocketIsServed() async throws {
    let path = "/tmp/hearth-app-\(UInt32.random(in: 0...UInt32.max)).sock"
    try await withApp(at: .unix(path: path), Self.mirror) { (address) async throws in
      #expect(address == .unix(path: path))
      let origin = try Target("unix:\(path):/base").makeHandler(
        title: "app", eventLoopGroup: MultiThreadedEventLoopGroup.singleton)
      #expect(try await origin.get("/x").body.hasPrefix("GET /base/x\nHost: localhost\n"))
    }
  }
}
