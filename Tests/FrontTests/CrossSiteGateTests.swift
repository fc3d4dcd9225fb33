import Front
import HTTPTypes
import Testing

struct CrossSiteGateTests {
  private static let origin = "http://lamp--pi.localhost:8332"

  enum Outcome { case pass, ask, refuse }

  private static func outcome(
    _ method: HTTPRequest.Method, _ path: String, _ fields: [(String, String)]
  ) -> Outcome {
    var request = HTTPRequest(method: method, scheme: "http", authority: "lamp--pi.localhost:8332", path: path)
    for (name, value) in fields { request.headerFields.append(HTTPField(name: .init(name)!, value: value)) }
    return switch CrossSiteGate.verdict(on: request, to: path, at: origin) {
    case .pass: .pass
    case .ask: .ask
    case .refuse: .refuse
    }
  }

  private static func fetched(_ site: String, mode: String = "cors", dest: String = "empty") -> [(String, String)] {
    [("Sec-Fetch-Site", site), ("Sec-Fetch-Mode", mode), ("Sec-Fetch-Dest", dest)]
  }

  private static func navigation(_ site: String) -> [(String, String)] {
    fetched(site, mode: "navigate", dest: "document")
  }

  @Test(arguments: ["same-origin", "none"], [HTTPRequest.Method.get, .head, .post, .put, .delete, .options])
  func theDevicesOwnPageAndTheUserPass(_ site: String, _ method: HTTPRequest.Method) {
    #expect(Self.outcome(method, "/a?b", Self.fetched(site)) == .pass)
  }

  @Test(arguments: ["cross-site", "same-site", "", "bogus", "same-origin, cross-site", "SAME-ORIGIN"])
  func othersOnlyNavigate(_ site: String) {
    #expect(Self.outcome(.get, "/", Self.navigation(site)) == .pass)
    #expect(Self.outcome(.head, "/a", Self.navigation(site)) == .pass)
    #expect(Self.outcome(.get, "/a?b", Self.navigation(site)) == .ask)
    #expect(Self.outcome(.get, "/?", Self.navigation(site)) == .ask)
    for method in [HTTPRequest.Method.post, .put, .delete, .options, .patch] {
      #expect(Self.outcome(method, "/", Self.navigation(site)) == .refuse)
    }
  }

  @Test(arguments: [
    ("cors", "empty"), ("no-cors", "image"), ("no-cors", "script"), ("no-cors", "style"), ("websocket", "websocket"),
    ("navigate", "iframe"), ("navigate", "frame"), ("navigate", "object"), ("navigate", "embed"), ("navigate", ""),
    ("", "document"), ("same-origin", "worker"), ("no-cors", "document"),
  ])
  func framesImagesScriptsAndFetchesOfOthersAreRefused(_ mode: String, _ dest: String) {
    #expect(Self.outcome(.get, "/", Self.fetched("cross-site", mode: mode, dest: dest)) == .refuse)
  }

  @Test func twoValuesAreNoneThatCanBeTrusted() {
    #expect(Self.outcome(.get, "/", [("Sec-Fetch-Site", "none"), ("Sec-Fetch-Site", "cross-site")]) == .refuse)
  }

  @Test(arguments: [
    ([], Outcome.pass), ([origin], .pass), (["HTTP://LAMP--PI.localhost:8332"], .pass), (["null"], .refuse),
    (["http://tv--pi.localhost:8332"], .refuse), (["http://lamp--pi.localhost"], .refuse), ([""], .refuse),
    (["https://lamp--pi.localhost:8332"], .refuse), ([origin + ".evil.example"], .refuse), ([origin, origin], .refuse),
    ([origin, "http://evil.example"], .refuse),
  ])
  func whereTheBrowserSaysNothingElseItsOriginCounts(_ origins: [String], _ outcome: Outcome) {
    #expect(Self.outcome(.get, "/", origins.map { ("Origin", $0) }) == outcome)
    #expect(Self.outcome(.post, "/?a", origins.map { ("Origin", $0) }) == outcome)
  }

  @Test(arguments: [
    ([("Origin", origin)], Outcome.pass), ([], .refuse), ([("Origin", "http://evil.example")], .refuse),
    ([("Origin", "http://evil.example"), ("Sec-Fetch-Site", "same-origin")], .refuse),
    ([("Origin", "http://evil.example"), ("Sec-Fetch-Site", "none")], .refuse),
  ])
  func webSocketsNeedTheDevicesOrigin(_ fields: [(String, String)], _ outcome: Outcome) {
    #expect(Self.outcome(.get, "/", fields + [("Upgrade", "websocket"), ("Connection", "Upgrade")]) == outcome)
    #expect(Self.outcome(.get, "/", fields + [("Upgrade", "h2c, WebSocket")]) == outcome)
  }

  @Test func curlMayOfferHTTP2() {
    #expect(Self.outcome(.get, "/", [("Upgrade", "h2c"), ("Connection", "Upgrade, HTTP2-Settings")]) == .pass)
  }
}
