import FoundationEssentials
import HTTPEdge
import HTTPTypes
import Logging
import Mesh
import NIOCore
import NIOPosix
import Testing
import Trust
import XMPP

@testable import Control

/// What the control socket tells of what goes on.
@Suite(.timeLimit(.minutes(1))) struct DiagnosticsTests {
  @Test func metricsAreInPrometheusFormat() async throws {
    try await FakeDaemon.with { daemon, client in
      let text = try await client.metrics()
      for line in [
        #"hearth_build_info{version="9"} 1"#, "hearth_requests_in_progress 2", "hearth_transfers 1",
        #"hearth_streams{direction="out"} 3"#, #"hearth_streams{direction="in"} 4"#, "hearth_friends 5",
        #"hearth_refusals_total{reason="blo\"cked"} 6"#, #"hearth_devices{state="online"} 7"#,
        #"hearth_devices{state="gone"} 0"#, #"hearth_held_bytes{of="strangers"} 9"#,
        "# TYPE hearth_request_duration_seconds histogram",
        #"hearth_request_duration_seconds_bucket{side="sent",service="",le="+Inf"} 0"#,
      ] {
        #expect(text.split(separator: "\n").contains { $0 == line }, "\(line)")
      }
      #expect(text.contains("\nprocess_resident_memory_bytes ") && text.contains("\nprocess_open_fds "))
      try Self.check(text)
    }
  }

  /// Each sample belongs to the family announced before it, whose name comes once (Prometheus, text format 0.0.4).
  private static func check(_ text: String) throws {
    var families: Set<String> = []
    var family = ""
    for line in text.split(separator: "\n") {
      let words = line.split(separator: " ", maxSplits: 3)
      if line.hasPrefix("# HELP ") {
        family = String(words[2])
        #expect(families.insert(family).inserted, "\(line)")
      } else if line.hasPrefix("# TYPE ") {
        #expect(words[2] == family && ["counter", "gauge", "histogram"].contains(words[3]), "\(line)")
      } else {
        #expect(line.hasPrefix(family) && line.split(separator: " ").last.flatMap { Double($0) } != nil, "\(line)")
      }
    }
    #expect(text.hasSuffix("\n") && families.count > 10)
  }

  @Test func theLastRequestsAreToldWithoutTheirQuery() async throws {
    try await FakeDaemon.with { daemon, client in
      let requests = try await client.recentRequests().requests
      #expect(requests.map(\.path) == ["/a"] && requests.first?.who == "anna" && requests.first?.seconds == 1.5)
      let text = try await daemon.raw(.get, "/v1/recent").body
      #expect(!text.contains("swordfish") && text.contains(#""failure":null"#))
    }
  }

  /// On TCP numbers alone, and for nobody who thinks that this is another site.
  @Test func metricsOverTCPAreForThisMachine() async throws {
    let (ports, listening) = AsyncStream.makeStream(of: Int.self)
    let server = MetricsServer(
      port: 0, node: try FakeDaemon(), version: "9", eventLoopGroup: .singletonMultiThreadedEventLoopGroup,
      logger: Logger(label: "t") { _ in SwiftLogNoOpLogHandler() }, listening: { listening.yield($0) })
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { await server.run() }
      let port = try #require(await ports.first { _ in true })
      let http = HTTPClient(
        address: .tcp(host: "127.0.0.1", port: port), eventLoopGroup: .singletonMultiThreadedEventLoopGroup)
      for (host, path, fields, status) in [
        ("localhost:\(port)", "/metrics", [:], 200), ("127.0.0.1:\(port)", "/metrics", [:], 200),
        ("evil.example:\(port)", "/metrics", [:], 421), ("localhost:\(port)", "/v1/status", [:], 404),
        ("localhost:\(port)", "/metrics", [.origin: "http://evil.example"], 421),
      ] as [(String, String, HTTPFields, Int)] {
        let head = HTTPRequest(method: .get, scheme: "http", authority: host, path: path, headerFields: fields)
        let answer = try await http.send(head) { response, body in
          (response.status.code, String(buffer: try await body.collect(upTo: 1 << 20)))
        }
        #expect(answer.0 == status && answer.1.contains("hearth_friends 5") == (status == 200), "\(host) \(path)")
      }
      group.cancelAll()
    }
  }

  /// `docs/control-api.md` has a section for each route, and none that there is not.
  @Test func theDocumentNamesEveryRoute() throws {
    let path = #filePath.split(separator: "/").dropLast(3).map { "/\($0)" }.joined() + "/docs/control-api.md"
    let document = try String(contentsOfFile: path, encoding: .utf8)
    let documented = document.split(separator: "\n").filter { $0.hasPrefix("### `") }.map {
      String($0.dropFirst(5).prefix { $0 != "`" && $0 != "?" })
    }
    let routes = ControlRoutes(daemon: try FakeDaemon(), version: "9", frontPort: nil).router().routes.map { route in
      let parts = route.segments.map { $0.hasPrefix(":") ? "{\($0.dropFirst())}" : String($0) }
      return "\(route.method.rawValue) /" + parts.joined(separator: "/")
    }
    #expect(Set(documented) == Set(routes))
    #expect(documented.count == Set(documented).count)
  }

  @Test func whatPassesIsToldAsItPasses() async throws {
    struct Enough: Error {}
    try await FakeDaemon.with { daemon, client in
      var seen: [String] = []
      await #expect(throws: Enough.self) {
        try await client.trace("tv@pi") {
          daemon.pass(.request(FakeDaemon.record("other@pi")))
          daemon.pass(
            .stanza(isSent: true, peer: "anna@laptop", text: "<iq/>", addresses: [JID("tv@pi")!]))
          daemon.pass(.request(FakeDaemon.record()))
        } receive: { event in
          seen.append(event.stanza.map { "\($0.direction) \($0.peer) \($0.xml)" } ?? event.request?.device ?? "")
          if seen.count == 2 { throw Enough() }
        }
      }
      #expect(seen == ["sent anna@laptop <iq/>", "tv@pi"])
      let status = try await daemon.raw(.get, "/v1/trace?device=").status
      #expect(status == .badRequest)
    }
  }
}
