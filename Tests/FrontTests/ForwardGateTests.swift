import HTTPTypes
import Testing
import XMPP

@testable import Front

/// What passes at a port that is one device.
struct ForwardGateTests {
  private static let gate = ForwardGate(forward: Forward(port: 6310, to: JID("printer@pi")!))

  private static func request(
    _ method: HTTPRequest.Method = .get, _ target: String = "/a?b", host: String, _ fields: HTTPFields = [:]
  ) -> HTTPRequest {
    HTTPRequest(method: method, scheme: "http", authority: host, path: target, headerFields: fields)
  }

  /// `misdirected`, `forbidden`, `bad` or `unconfirmed`; nil where it passes.
  private static func refusal(_ request: HTTPRequest) -> String? {
    do throws(FrontError) {
      _ = try gate.admit(request)
      return nil
    } catch {
      switch error {
      case .misdirected: return "misdirected"
      case .forbidden: return "forbidden"
      case .badRequest: return "bad"
      case .unconfirmed: return "unconfirmed"
      case .device, .app, .loop, .internalError, .overServers: return "other"
      }
    }
  }

  @Test(arguments: [
    ("localhost:6310", "http://localhost:6310"), ("LocalHost:6310", "http://localhost:6310"),
    ("127.0.0.1:6310", "http://127.0.0.1:6310"), ("[::1]:6310", "http://[::1]:6310"),
    ("localhost", "http://localhost:6310"), ("localhost:631", "http://localhost:6310"),
    ("printer.local", "http://localhost:6310"), ("evil.example:6310", "http://localhost:6310"),
    ("", "http://localhost:6310"), ("192.168.1.9:80", "http://localhost:6310"),
  ])
  func programsMayHaveAnyHost(_ host: String, _ origin: String) throws {
    let passage = try Self.gate.admit(Self.request(host: host))
    #expect(passage == .init(path: "/a?b", origin: origin))
  }

  @Test func theAbsoluteFormNamesTheHost() throws {
    let absolute = Self.request(.get, "http://LOCALHOST:6310/x?y", host: "ignored")
    #expect(try Self.gate.admit(absolute) == .init(path: "/x?y", origin: "http://localhost:6310"))
    #expect(try Self.gate.admit(Self.request(.get, "HTTP://printer?y", host: "")).path == "/?y")
    #expect(try Self.gate.admit(Self.request(.options, "*", host: "a")).path == "*")
  }

  @Test(arguments: [
    (HTTPRequest.Method.connect, "printer:631", "forbidden"), (.get, "httpx://tv@den/", "forbidden"),
    (.get, "https://localhost:6310/", "forbidden"), (.get, "x", "forbidden"), (.get, "*", "forbidden"),
    (.get, "/a#b", "bad"), (.get, "/ä", "bad"),
  ])
  func whatIsNotTheDevicesIsRefused(_ method: HTTPRequest.Method, _ target: String, _ refusal: String) {
    #expect(Self.refusal(Self.request(method, target, host: "localhost:6310")) == refusal)
  }

  /// A rebound name is a page's own: there is no `Origin` with a GET, and no `Sec-Fetch-Site` where it is no secure context.
  @Test(arguments: [
    HTTPField.Name.acceptLanguage, .origin, .referer, .secFetchSite, .secFetchMode,
  ])
  func browsersComeByTheNamesOfLoopbackOnly(_ name: HTTPField.Name) {
    for host in ["evil.example:6310", "printer.local", "localhost", "localhost:6311", "", "a.localhost:6310"] {
      let fields: HTTPFields = [name: "http://evil.example:6310"]
      #expect(Self.refusal(Self.request(host: host, fields)) == "misdirected", "\(host)")
    }
  }

  private static let page: HTTPFields = [.acceptLanguage: "en", .secFetchSite: "same-origin"]
  private static let other: HTTPFields = [.acceptLanguage: "en", .secFetchSite: "cross-site", .secFetchMode: "cors"]
  private static let link: HTTPFields = [
    .acceptLanguage: "en", .secFetchSite: "cross-site", .secFetchMode: "navigate", .secFetchDest: "document",
  ]

  @Test(
    arguments: [
      (HTTPRequest.Method.post, page, nil), (.get, [.acceptLanguage: "en"], nil),
      (.post, [.origin: "http://localhost:6310"], nil), (.get, other, "forbidden"), (.post, other, "forbidden"),
      (.post, [.origin: "http://evil.example"], "forbidden"), (.post, [.origin: "http://localhost:8332"], "forbidden"),
      (.post, [.origin: "http://127.0.0.1:6310"], "forbidden"), (.post, [.origin: "null"], "forbidden"),
      (.get, link, "unconfirmed"), (.post, link, "forbidden"),
      (.get, [.origin: "http://evil.example", .upgrade: "websocket"], "forbidden"),
      (.get, [.origin: "http://localhost:6310", .upgrade: "websocket"], nil), (.get, [.upgrade: "websocket"], nil),
    ] as [(HTTPRequest.Method, HTTPFields, String?)])
  func pagesOfOtherSitesAreKeptOut(_ method: HTTPRequest.Method, _ fields: HTTPFields, _ refusal: String?) {
    #expect(Self.refusal(Self.request(method, host: "localhost:6310", fields)) == refusal)
  }
}
