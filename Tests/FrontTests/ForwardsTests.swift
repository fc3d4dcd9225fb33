import Codecs
import Dashboard
import Front
import HTTPEdge
import HTTPTypes
import HTTPX
import NIOCore
import NIOPosix
import TestKit
import Testing
import XMPP

/// Ports that are one device, over real sockets and streams.
@Suite(.timeLimit(.minutes(1))) struct ForwardsTests {
  private static let mirror: TestHandler.Respond = { request, _, send in
    var text = "\(request.head.method) \(request.head.path ?? "") \(request.head.authority ?? "")\n"
    for field in request.head.headerFields { text += "\(field.name.canonicalName): \(field.value)\n" }
    for try await part in request.body { text += String(buffer: part) }
    let head = HTTPResponse(status: .ok, headerFields: [.location: "httpx://app@pi/next"])
    try await send(HTTPXResponse(head, body: Body(text)))
  }

  /// `port` is that of `app@pi`.
  private static func run(_ body: (Rig, Forwards, _ port: Int) async throws -> Void) async throws {
    try await Rig.run { rig in
      try await rig.serve(answer: mirror)
      let forwards = Forwards(
        node: rig.laptop, front: rig.front,
        responder: DashboardResponder(
          node: rig.laptop, services: TestServices(node: rig.laptop), mayChange: { _ in false }, logger: .silent),
        eventLoopGroup: MultiThreadedEventLoopGroup.singleton, logger: .silent)
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { await forwards.run() }
        let port = try await freePort()
        forwards.open(Forward(port: port, to: JID("app@pi")!))
        let problem = await forwards.problem(afterOpening: port)
        try #require(problem == nil)
        try await body(rig, forwards, port)
        group.cancelAll()
        try await group.waitForAll()
      }
    }
  }

  /// One that was free a moment ago.
  private static func freePort() async throws -> Int {
    let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .bind(host: "127.0.0.1", port: 0).get()
    let port = try #require(channel.localAddress?.port)
    try await channel.close()
    return port
  }

  private static func ask(
    _ port: Int, _ line: String, at ip: String = "127.0.0.1", host: String, _ fields: [String] = [], body: String = ""
  ) async throws -> RawResponse {
    try await withRawClient(SocketAddress(ipAddress: ip, port: port)) {
      try await $0.ask(line, host: host, fields, body: body)
    }
  }

  @Test func aPortIsADeviceForEveryProgram() async throws {
    try await Self.run { rig, _, port in
      for (ip, host, name) in [
        ("127.0.0.1", "localhost:\(port)", "localhost"), ("::1", "[::1]:\(port)", "[::1]"),
        ("127.0.0.1", "127.0.0.1:\(port)", "127.0.0.1"), ("127.0.0.1", "printer.local", "localhost"),
      ] {
        let answer = try await Self.ask(port, "POST /ipp?a", at: ip, host: host, body: "job")
        let lines = answer.text.split(separator: "\n")
        #expect(answer.status == 200 && lines.first == "POST /ipp?a app@pi" && lines.last == "job", "\(answer.text)")
        #expect(lines.contains("x-forwarded-host: \(name):\(port)") && lines.contains("x-forwarded-proto: http"))
        #expect(answer["Location"] == "http://\(name):\(port)/next")
      }
    }
  }

  @Test func otherDevicesAreAtTheFront() async throws {
    try await Self.run { rig, forwards, port in
      let other = port == 65535 ? port - 1 : port + 1
      forwards.open(Forward(port: other, to: JID("nobody@pi")!))
      let problem = await forwards.problem(afterOpening: other)
      try #require(problem == nil)
      let page = try await Self.ask(other, "GET /", host: "localhost:\(other)", ["Accept: text/html"])
      #expect(page.status == 502 && page.text.contains("href=\"\(rig.front.dashboard)\""))
    }
  }

  @Test func pagesOfOtherSitesAreKeptOut() async throws {
    try await Self.run { _, _, port in
      let (host, language) = ("localhost:\(port)", "Accept-Language: en")
      for (host, fields, status) in [
        (host, [language, "Sec-Fetch-Site: none"], 200), (host, [language, "Sec-Fetch-Site: cross-site"], 403),
        (host, [language, "Origin: http://evil.example"], 403), ("evil.example:\(port)", [language], 421),
        // As much as a script can do about it.
        ("evil.example:\(port)", ["Accept-Language:", "User-Agent: curl/8", "Accept: */*"], 421),
        ("evil.example:\(port)", ["Origin: http://evil.example:\(port)"], 421),
      ] {
        let answer = try await Self.ask(port, "GET /", host: host, fields)
        #expect(answer.status == status, "\(host) \(fields)")
      }
    }
  }

  @Test func aPortThatWasClosedIsFree() async throws {
    try await Self.run { _, forwards, port in
      await forwards.close(port)
      await #expect(throws: (any Error).self) { _ = try await Self.ask(port, "GET /", host: "a") }
      forwards.open(Forward(port: port, to: JID("app@pi")!))
      #expect(await forwards.problem(afterOpening: port) == nil)
      let answer = try await Self.ask(port, "GET /", host: "a")
      #expect(answer.status == 200)
    }
  }

  @Test func aPortThatIsTakenIsSaidSo() async throws {
    try await Self.run { rig, forwards, _ in
      forwards.open(Forward(port: rig.front.port, to: JID("app@pi")!))
      #expect(await forwards.problem(afterOpening: rig.front.port)?.code == .inUse)
      #expect(forwards.problem(with: rig.front.port)?.code == .inUse)
    }
  }
}
