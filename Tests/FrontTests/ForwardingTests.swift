import Codecs
import FoundationEssentials
import Front
import HTTPTypes
import HTTPX
import Mesh
import NIOCore
import Synchronization
import TestKit
import Testing
import XMPP

/// Requests over real sockets and real streams, from a client that speaks bytes.
@Suite(.timeLimit(.minutes(1))) struct ForwardingTests {
  /// Answers with what it was asked, as `METHOD path` and one field a line.
  private static let mirror: TestHandler.Respond = { request, _, send in
    var text = "\(request.head.method) \(request.head.path ?? "") \(request.head.authority ?? "")\n"
    for field in request.head.headerFields { text += "\(field.name.canonicalName): \(field.value)\n" }
    for try await part in request.body { text += String(buffer: part) }
    try await send(HTTPXResponse(HTTPResponse(status: .ok), body: Body(text)))
  }

  @Test func everyFormOfTargetReachesTheDevice() async throws {
    try await Rig.run { rig in
      try await rig.serve(answer: Self.mirror)
      let own = "http://\(rig.host())/a?b=%20"
      for (line, host) in [
        ("GET /a?b=%20", rig.host()), ("GET /a?b=%20", rig.host().uppercased()), ("GET \(own)", "x"),
        ("GET httpx://app@pi/a?b=%20", "x"), ("GET HTTPX://APP@PI/a?b=%20", "evil.example"),
      ] {
        let answer = try await rig.ask(line, host: host)
        #expect(answer.status == 200)
        #expect(answer.text.hasPrefix("GET /a?b=%20 app@pi\n"), "\(line)")
      }
      // Both families listen, on loopback.
      let sixth = try await rig.connected(at: "::1") { try await $0.ask("GET /", host: rig.host()) }
      #expect(sixth.status == 200)
    }
  }

  @Test func whatIsNotOursIsRefused() async throws {
    try await Rig.run { rig in
      try await rig.serve(answer: Self.mirror)
      let port = rig.front.port
      for (line, host, status) in [
        ("GET /", "example.com", 421), ("GET /", "app--pi.localhost", 421), ("POST /", "127.0.0.1:\(port)", 421),
        ("GET /", "nobody.localhost:\(port)", 421), ("GET /", "192.168.1.1:\(port)", 421), ("GET /", "", 421),
        ("GET http://example.com/", "x", 403), ("GET https://example.com/", "x", 403),
        ("CONNECT example.com:443", "example.com:443", 403), ("CONNECT \(rig.host())", rig.host(), 403),
        ("GET httpx://app@pi:80/", "x", 400), ("GET /a#b", rig.host(), 400),
        ("GET /", "127.0.0.1:\(port)", 302), ("GET /", "[::1]:\(port)", 302), ("GET /", "localhost:\(port)", 302),
      ] {
        let answer = try await rig.ask(line, host: host)
        #expect(answer.status == status, "\(line) \(host)")
        if status == 302 { #expect(answer["Location"] == rig.front.dashboard) }
        if status == 421 {
          #expect(answer["Proxy-Status"]?.hasPrefix("\"node@laptop\"; error=http_request_error") == true)
        }
      }
    }
  }

  @Test func theDashboardListsTheDevices() async throws {
    try await Rig.run { rig in
      try await rig.serve(answer: Self.mirror)
      let host = "hearth.localhost:\(rig.front.port)"
      let page = try await rig.ask("GET /", host: host)
      #expect(page.status == 200)
      #expect(page.text.contains("<a href=\"http://\(rig.host())/\">app</a>"))
      #expect(try await rig.ask("HEAD /", host: host)["Content-Length"] == "\(page.body.count)")
      #expect(try await rig.ask("GET /x", host: host).status == 404)
      #expect(try await rig.ask("POST /", host: host)["Allow"] == "GET, HEAD")
      #expect(try await rig.ask("GET /", host: host, ["Sec-Fetch-Site: cross-site"]).status == 403)
    }
  }

  @Test func failuresSayWhatHappened() async throws {
    try await Rig.run { rig in
      let unknown = try await rig.ask("GET /", host: rig.host("nobody@pi"), ["Accept: application/json"])
      #expect(unknown.status == 502)
      #expect(unknown["Proxy-Status"]?.hasPrefix("\"node@laptop\"; error=destination_not_found; details=") == true)
      #expect(unknown["Content-Type"] == "application/json")
      #expect(unknown.text.contains(#""error":"destination_not_found""#))
      let page = try await rig.ask("GET /", host: rig.host("nobody@pi"), ["Accept: text/html"])
      #expect(page.text.contains("<h1>nobody@pi is not on this network</h1>"))
      #expect(try await rig.ask("HEAD /", host: rig.host("nobody@pi")).status == 502)
      // A node is a device that serves nothing.
      _ = await rig.laptop.awaitOnline("node@pi")
      let node = try await rig.ask("GET /", host: rig.host("node@pi"))
      #expect(node.status == 502 && node["Proxy-Status"]?.contains("http_protocol_error") == true)
      try await rig.serve("closed", plaintext: false, answer: Self.mirror)
      let closed = try await rig.ask("GET /", host: rig.host("closed@pi"))
      #expect(closed.status == 403 && closed["Proxy-Status"]?.contains("http_request_denied") == true)
      #expect(try await rig.ask("GET httpx://nobody@pi/", host: "x").status == 502)
    }
  }

  @Test func theDeviceGetsTheRequestAsItWasSent() async throws {
    try await Rig.run { rig in
      try await rig.serve(answer: Self.mirror)
      let origin = "http://\(rig.host())"
      let answer = try await rig.ask(
        "PATCH /x",
        [
          "X-One: 1", "x-one: 2", "Cookie: a=b; c=d", "Connection: keep-alive, X-Hop", "X-Hop: gone",
          "Keep-Alive: timeout=5", "TE: trailers", "Proxy-Authorization: Basic eA==", "Origin: \(origin)",
          "Referer: \(origin)/y?z", "Range: bytes=0-", "If-Range: \"e\"", "Via: 1.0 first",
        ], body: "hello")
      let lines = answer.text.split(separator: "\n").map(String.init)
      #expect(lines.first == "PATCH /x app@pi")
      #expect(lines.last == "hello")
      #expect(lines.contains("x-one: 1") && lines.contains("x-one: 2") && lines.contains("cookie: a=b; c=d"))
      #expect(lines.contains("range: bytes=0-") && lines.contains("if-range: \"e\""))
      #expect(lines.contains("origin: httpx://app@pi") && lines.contains("referer: httpx://app@pi/y?z"))
      #expect(lines.contains { $0.hasPrefix("hearth-via: hearth-") })
      #expect(lines.contains("x-forwarded-host: \(rig.host())") && lines.contains("x-forwarded-proto: http"))
      for gone in ["connection", "x-hop", "keep-alive", "te", "proxy-authorization", "transfer-encoding"] {
        #expect(!lines.contains { $0.hasPrefix(gone + ":") }, "\(gone)")
      }
    }
  }

  @Test(arguments: ["FOO /dump", "M-SEARCH /dump", "GET //api/v1/info", "PROPFIND /a%20b"])
  func anyMethodAndPathArriveAsTheyWereSent(_ line: String) async throws {
    try await Rig.run { rig in
      try await rig.serve(answer: Self.mirror)
      let answer = try await rig.ask(line)
      #expect(answer.status == 200 && answer.text.hasPrefix(line + " app@pi\n"), "\(answer.text)")
    }
  }

  @Test(arguments: [
    ("Transfer-Encoding: xchunked", "hello", "Transfer-Encoding is not chunked alone"),
    ("Transfer-Encoding: chunked", "zz\r\nhello\r\n0\r\n\r\n", "a chunk has no size"),
    ("Content-Length: 5\r\nContent-Length: 6", "hello!", "Content-Length is not one number"),
  ])
  func whatCannotBeReadIsRefusedBeforeTheAppIsAsked(_ field: String, _ body: String, _ reason: String) async throws {
    try await Rig.run { rig in
      try await rig.serve { _, _, _ in Issue.record("the app was asked") }
      let answer = try await rig.connected { client in
        try await client.write("POST /dump HTTP/1.1\r\nHost: \(rig.host())\r\n\(field)\r\n\r\n\(body)")
        return try await client.readToEnd()
      }
      #expect(answer.hasPrefix("HTTP/1.1 400 Bad Request\r\n") && answer.contains(reason), "\(answer)")
    }
  }

  @Test func theBrowserGetsTheAnswerAdapted() async throws {
    try await Rig.run { rig in
      try await rig.serve { _, _, send in
        var head = HTTPResponse(status: .found)
        head.headerFields = [
          .location: "httpx://app@pi/next", .strictTransportSecurity: "max-age=1", .connection: "X-Hop",
          .init("X-Hop")!: "gone", .init("Keep-Alive")!: "timeout=1", .contentSecurityPolicy: "default-src 'self'",
        ]
        head.headerFields.append(HTTPField(name: .setCookie, value: "a=1; Domain=pi"))
        head.headerFields.append(HTTPField(name: .setCookie, value: "b=2"))
        try await send(HTTPXResponse(head, body: Body("moved")))
      }
      let answer = try await rig.ask("GET /")
      #expect(answer.status == 302 && answer.text == "moved")
      #expect(answer["Location"] == "http://\(rig.host())/next")
      #expect(answer["Set-Cookie"] == "a=1, b=2")
      #expect(answer["Content-Security-Policy"] == "default-src 'self', treat-as-public-address")
      #expect(answer["X-Frame-Options"] == "SAMEORIGIN" && answer["Referrer-Policy"] == "same-origin")
      for gone in ["Strict-Transport-Security", "X-Hop", "Keep-Alive"] { #expect(answer[gone] == nil) }
      // Who asks by httpx gets what the device sent.
      let raw = try await rig.ask("GET httpx://app@pi/", host: "x")
      #expect(raw["Location"] == "httpx://app@pi/next")
      #expect(raw["Strict-Transport-Security"] == "max-age=1" && raw["X-Frame-Options"] == nil)
      #expect(raw["Via"]?.hasPrefix("1.1 hearth-") == true)
    }
  }

  @Test func answersWithoutBodiesAndPartsOfBodiesPassVerbatim() async throws {
    try await Rig.run { rig in
      try await rig.serve { request, _, send in
        let status = request.head.path.flatMap { Int($0.dropFirst()) } ?? 200
        var head = HTTPResponse(status: .init(code: status))
        head.headerFields[.eTag] = "W/\"v1\""
        switch status {
        case 204: return try await send(HTTPXResponse(head))
        case 304: return try await send(HTTPXResponse(head))
        case 206:
          head.headerFields[.contentRange] = "bytes 2-4/10"
          head.headerFields[.acceptRanges] = "bytes"
          return try await send(HTTPXResponse(head, body: Body("cde")))
        default:
          head.headerFields[.contentLength] = "10"
          let body = request.head.method == .head ? Body.empty : Body("abcdefghij")
          return try await send(HTTPXResponse(head, body: body))
        }
      }
      try await rig.connected { client in
        for (line, status, length, body) in [
          ("GET /200", 200, "10", "abcdefghij"), ("HEAD /200", 200, "10", ""), ("GET /204", 204, nil, ""),
          ("GET /304", 304, nil, ""), ("GET /206", 206, "3", "cde"), ("GET /404", 404, "10", "abcdefghij"),
          ("GET /599", 599, "10", "abcdefghij"),
        ] {
          let answer = try await client.ask(line, host: rig.host())
          #expect(answer.status == status && answer.text == body, "\(line)")
          #expect(answer["ETag"] == "W/\"v1\"")
          if let length { #expect(answer["Content-Length"] == length || answer["Transfer-Encoding"] == "chunked") }
          if status == 206 { #expect(answer["Content-Range"] == "bytes 2-4/10") }
        }
      }
    }
  }

  @Test func requestsOnOneConnectionAreAnsweredInTheirOrder() async throws {
    try await Rig.run { rig in
      try await rig.serve(answer: Self.mirror)
      try await rig.serve("lamp", answer: Self.mirror)
      try await rig.connected { client in
        var lines: [(String, String)] = []
        for number in 0..<20 {
          lines.append(("GET /\(number)", number.isMultiple(of: 2) ? rig.host() : rig.host("lamp@pi")))
        }
        for (line, host) in lines { try await client.begin(line, host: host) }
        for (line, host) in lines {
          let answer = try await client.response(to: line)
          #expect(answer.text.hasPrefix("\(line) \(host.prefix { $0 != "-" })@pi\n"))
        }
      }
    }
  }

  @Test func twoDevicesAreTwoOrigins() async throws {
    try await Rig.run { rig in
      try await rig.serve(answer: Self.mirror)
      try await rig.serve("lamp", answer: Self.mirror)
      let fetch = ["Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: cors", "Sec-Fetch-Dest: empty"]
      let visit = ["Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document"]
      let lamp = rig.host("lamp@pi")
      for (line, fields, status) in [
        ("GET /", ["Origin: http://\(rig.host())"] + fetch, 403), ("POST /", ["Origin: http://\(rig.host())"], 403),
        ("GET /", ["Origin: http://\(lamp)"], 200), ("GET /", visit, 200), ("GET /?on", visit, 403),
        ("POST /", visit, 403), ("OPTIONS /", ["Origin: http://\(rig.host())"] + fetch, 403),
        ("GET /", ["Upgrade: websocket", "Connection: Upgrade", "Origin: http://\(rig.host())"], 403),
      ] {
        let answer = try await rig.ask(line, host: lamp, fields)
        #expect(answer.status == status, "\(line) \(fields)")
        #expect(!answer.fields.contains { $0.name.lowercased().hasPrefix("access-control-") })
      }
      let page = try await rig.ask("GET /x?on=1&y", host: lamp, visit)
      #expect(page.text.contains("href=\"http://\(lamp)/x?on=1&amp;y\""))
    }
  }

  @Test func aDeviceOfThisNodeNeedsNoDetour() async throws {
    try await Rig.run { rig in
      rig.laptop.serve(
        HostedService(name: "own", target: "test", plaintext: false, handler: TestHandler(Self.mirror)))
      _ = await rig.laptop.awaitOnline("own@laptop")
      let answer = try await rig.ask("GET /a", host: rig.host("own@laptop"))
      #expect(answer.status == 200 && answer.text.hasPrefix("GET /a own@laptop\n"))
      #expect(rig.laptop.status().streams == 0)
    }
  }

  @Test func aRequestThatWentRoundIsRefused() async throws {
    try await Rig.run { rig in
      try await rig.serve { request, _, send in
        // An app that asks the front for this very device, as a reverse proxy set up in a circle does.
        let via = request.head.headerFields.filter { $0.name == .hearthVia }.map { "Hearth-Via: \($0.value)" }
        let answer = try await rig.ask("GET /", via)
        let head = HTTPResponse(status: .init(code: answer.status))
        try await send(HTTPXResponse(head, body: Body(answer["Proxy-Status"] ?? "none")))
      }
      let answer = try await rig.ask("GET /")
      #expect(answer.status == 508)
      #expect(answer.text.hasPrefix("\"node@laptop\"; error=proxy_loop_detected"))
    }
  }

  /// RFC 9209 §2: each says it in its own name, the nearest last.
  @Test func aDeadAppIsToldFromADeadNode() async throws {
    try await Rig.run { rig in
      try await rig.serve { request, _, send in
        let failure = OriginFailure(.unreachable, error: "connection_refused", reason: "Connection refused")
        var response = HTTPXResponse(HTTPResponse(status: .badGateway), body: Body("not running"), failure: failure)
        if request.head.path == "/nginx" {
          response.failure = nil
          response.head.headerFields[.proxyStatus] = "nginx; error=dns_error"
        }
        if request.head.path == "/well" { response = HTTPXResponse(HTTPResponse(status: .ok)) }
        try await send(response)
      }
      let dead = try await rig.ask("GET /")
      #expect(dead.status == 502 && dead.text == "not running")
      #expect(dead["Proxy-Status"] == #""app@pi"; error=connection_refused, "node@laptop""#)
      // Whoever lists the devices there sees it, for as long as it may hold, and until the app answers.
      let health = { rig.laptop.device(JID("app@pi")!)?.health(now: $0)?.health }
      #expect(health(Date()) == .down("connection refused") && health(Date() + 121) == nil)
      #expect(try await rig.ask("GET /well").status == 200)
      #expect(health(Date()) == nil)
      let other = try await rig.ask("GET /nginx")
      #expect(other["Proxy-Status"] == #"nginx; error=dns_error, "app@pi", "node@laptop""#)
      let gone = try await rig.ask("GET /", host: rig.host("nobody@pi"))
      #expect(gone["Proxy-Status"]?.hasPrefix(#""node@laptop"; error=destination_not_found"#) == true)
    }
  }

  @Test func headersThatWouldBeTwoLinesNeverComeOut() async throws {
    try await Rig.run { rig in
      let asked = Mutex(0)
      try await rig.serve { _, _, send in
        asked.withLock { $0 += 1 }
        var head = HTTPResponse(status: .ok)
        // HTTPTypes makes spaces of CR and LF; a hostile peer's stanza is refused by its codec.
        head.headerFields[.init("X-Split")!] = "a\r\nX-Injected: b"
        head.headerFields[.location] = "httpx://app@pi/%0d%0aX-Injected:%20c"
        try await send(HTTPXResponse(head, body: Body("ok")))
      }
      let answer = try await rig.ask("GET /%0d%0aX-Injected:%20d")
      #expect(answer.status == 200 && answer["X-Injected"] == nil && answer.text == "ok")
      let smuggled = try await rig.connected { client in
        try await client.write("GET / HTTP/1.1\r\nHost: \(rig.host())\r\nX: a\rX-Injected: b\r\n\r\n")
        return try await client.head()
      }
      #expect(smuggled.status == 400)
      let twice = try await rig.ask("GET /", ["Host: example.com"])
      #expect(twice.status == 400)
      #expect(asked.withLock { $0 } == 1)
    }
  }

  @Test func hugeHeadsAreRefusedAndLargeOnesPass() async throws {
    try await Rig.run { rig in
      try await rig.serve(answer: Self.mirror)
      let large = try await rig.ask("GET /", ["Cookie: a=" + String(repeating: "x", count: 8000)])
      #expect(large.status == 200 && large.text.contains("xxx"))
      for fields in [
        ["X: " + String(repeating: "x", count: 200_000)], (0..<1000).map { "X-\($0): y" },
      ] {
        let huge = try await rig.ask("GET /", fields)
        #expect(huge.status == 431, "\(huge.status)")
      }
      #expect(try await rig.ask("GET /").status == 200)
    }
  }
}
