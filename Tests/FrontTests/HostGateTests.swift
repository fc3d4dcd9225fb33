import Front
import HTTPTypes
import HTTPX
import Testing
import XMPP

struct HostGateTests {
  private static let lamp = JID("lamp@pi")!
  /// Knows `lamp@pi`, and no other.
  private static let gate = HostGate(front: FrontAddress(port: 8332)) { $0 == "lamp--pi" ? lamp : nil }

  private static func destination(
    _ target: String, host: String? = nil, _ method: HTTPRequest.Method = .get
  ) -> HostGate.Destination {
    gate.destination(of: HTTPRequest(method: method, scheme: "http", authority: host, path: target))
  }

  private static func kind(_ destination: HostGate.Destination) -> String {
    switch destination {
    case .device: "device"
    case .absolute: "absolute"
    case .dashboard: "dashboard"
    case .redirectToDashboard: "redirect"
    case .misdirected: "421"
    case .badRequest: "400"
    case .notAProxy: "403"
    }
  }

  @Test(arguments: [
    ("lamp--pi.localhost:8332", "/"), ("LAMP--PI.LocalHost:8332", "/a?b=c"), ("lamp--pi.localhost.:8332", "//x/y"),
    ("lamp--pi.localhost:8332", "/%23?a=%0A"),
  ])
  func aDeviceHasItsOwnName(_ host: String, _ path: String) {
    let origin = "http://" + host.lowercased()
    #expect(Self.destination(path, host: host) == .device(Self.lamp, path: path, origin: origin))
    #expect(Self.destination(path, host: host, .post) == .device(Self.lamp, path: path, origin: origin))
    // The absolute form of the same, for which Host does not count (RFC 9112 §3.2.2).
    #expect(Self.destination("http://\(host)\(path)", host: "x") == .device(Self.lamp, path: path, origin: origin))
  }

  @Test func emptyPathsInAbsoluteFormAreTheRoot() {
    let origin = "http://lamp--pi.localhost:8332"
    #expect(Self.destination(origin, host: "x") == .device(Self.lamp, path: "/", origin: origin))
    #expect(Self.destination(origin + "?a", host: "x") == .device(Self.lamp, path: "/?a", origin: origin))
  }

  /// What `http_proxy` makes of it: the name at whatever port. The origin is what the program takes it for.
  @Test(arguments: ["lamp--pi.localhost", "Lamp--Pi.localhost:80", "lamp--pi.localhost:8333"])
  func asAProxyTheFrontTakesItsNamesAtAnyPort(_ host: String) {
    #expect(
      Self.destination("http://\(host)/x?y", host: host)
        == .device(Self.lamp, path: "/x?y", origin: "http://" + host.lowercased()))
    #expect(Self.kind(Self.destination("https://\(host)/x", host: host)) == "403")
  }

  @Test(arguments: [
    "lamp--pi.localhost", "lamp--pi.localhost:80", "lamp--pi.localhost:8333", "lamp--pi.localhost:", "",
    "localhost:8332.", "nobody.localhost:8332", "a.lamp--pi.localhost:8332", "lamp--pi.localhost.example:8332",
    "lamp--pi:8332", "user@lamp--pi.localhost:8332", "example.com:8332", "192.168.1.2:8332", "[fe80::1]:8332",
    "0.0.0.0:8332", "127.1:8332", "lamp--pi.localhost:8332:8332", "lamp--pi.localhost..:8332",
    "lamp--pi.localhost:8332/", "lamp--pi.localhost:8332\u{0301}", "\u{212B}amp--pi.localhost:8332", "evil.example",
    "hearth.evil.example:8332", ".localhost:8332",
  ])
  func otherNamesAreMisdirected(_ host: String) {
    #expect(Self.kind(Self.destination("/", host: host)) == "421")
    #expect(Self.kind(Self.destination("/", host: host, .post)) == "421")
  }

  @Test(arguments: ["localhost:8332", "127.0.0.1:8332", "[::1]:8332", "LOCALHOST.:8332"])
  func onlyTheRootByAddressLeadsToTheDashboard(_ host: String) {
    #expect(Self.destination("/", host: host) == .redirectToDashboard)
    #expect(Self.destination("/", host: host, .head) == .redirectToDashboard)
    #expect(Self.kind(Self.destination("/", host: host, .post)) == "421")
    #expect(Self.kind(Self.destination("/x", host: host)) == "421")
    #expect(Self.kind(Self.destination("/?x", host: host)) == "421")
  }

  @Test func theDashboardHasAName() {
    let origin = "http://hearth.localhost:8332"
    #expect(Self.destination("/a", host: "hearth.localhost:8332") == .dashboard(path: "/a", origin: origin))
  }

  @Test(arguments: [
    ("httpx://lamp@pi/a?b", "httpx://lamp@pi/a?b"), ("HTTPX://nobody@nowhere", "httpx://nobody@nowhere/"),
    ("httpx://living%20room@pi/x", "httpx://living%20room@pi/x"),
  ])
  func httpxURIsAreServedWhateverTheHost(_ target: String, _ uri: String) throws {
    for host in ["x", "127.0.0.1:8332", "evil.example", nil] {
      #expect(Self.destination(target, host: host) == .absolute(try HTTPXURI(uri)))
    }
  }

  @Test(arguments: [
    ("http://example.com/", "403"), ("https://example.com/", "403"), ("https://lamp--pi.localhost:8332/", "403"),
    ("ftp://example.com/", "403"), ("http://lamp--pi.localhost:x/", "403"), ("http://x.lamp--pi.localhost/", "403"),
    ("http://localhost/", "403"),
    ("http://a@lamp--pi.localhost:8332/", "403"),
    ("ws://lamp--pi.localhost:8332/", "403"), ("http:/x", "403"), ("example.com:443", "403"), ("urn:x", "403"),
    ("http://127.0.0.1:8332/x", "403"), ("http://127.0.0.1:8332/", "redirect"), ("httpx:///x", "400"),
    ("httpx:lamp@pi", "400"), ("httpx://lamp@pi:80/", "400"), ("lamp", "400"), ("", "400"), ("*", "400"),
    ("/a b", "400"), ("/a#b", "400"), ("/a\r\nX: y", "400"), ("/a\u{7F}b", "400"), ("/ä", "400"),
    ("httpx://lamp@pi/a\nb", "400"),
  ])
  func otherTargets(_ target: String, _ kind: String) {
    #expect(Self.kind(Self.destination(target, host: "lamp--pi.localhost:8332")) == kind)
  }

  @Test func connectIsRefusedAndOptionsMayAskForTheServer() {
    let host = "lamp--pi.localhost:8332"
    #expect(Self.destination("example.com:443", host: "example.com:443", .connect) == .notAProxy)
    #expect(Self.destination(host, host: host, .connect) == .notAProxy)
    #expect(Self.destination("*", host: host, .options) == .device(Self.lamp, path: "*", origin: "http://" + host))
  }
}
