import HTTPEdge
import HTTPTypes
import Mesh
import NIOPosix
import TestKit
import Testing
import Trust
import XMPP

@testable import Origins

/// What an app is told of who asks, and that nobody else can tell it.
struct PeerFieldsTests {
  private static let id = NodeID(digest: (0..<32).map { UInt8($0) })!

  private func applied(
    _ fields: HTTPFields, from caller: Caller, _ options: AppOptions = AppOptions()
  ) -> [String: String] {
    var head = HTTPRequest(method: .get, scheme: "http", authority: "tv@pi", path: "/", headerFields: fields)
    ForwardedFields(.tcp(host: "h", port: 80), options: options).apply(to: &head, from: caller)
    var all: [String: String] = head.authority == "h" ? [:] : ["Host": head.authority ?? ""]
    for field in head.headerFields {
      #expect(all[field.name.rawName] == nil, "twice: \(field)")
      all[field.name.rawName] = field.value
    }
    return all
  }

  private func told(of caller: Caller) -> [String: String] {
    applied([:], from: caller).filter { $0.key.hasPrefix("Hearth-") }
  }

  @Test func aFriendIsCalledAsTheOwnerCallsHim() throws {
    let friend = Standing.friend(try Petname("kitchen-pi"))
    let expected = ["Hearth-Peer": "kitchen-pi", "Hearth-Peer-Id": Self.id.description, "Hearth-Peer-Trust": "friend"]
    #expect(told(of: Caller(jid: JID("Anna@phone"), id: Self.id, standing: friend)) == expected)
    #expect(told(of: Caller(jid: nil, id: Self.id, standing: friend)) == expected)
    #expect(Self.id.description.split(separator: "-").map(\.count) == Array(repeating: 7, count: 8))
  }

  // MARK: Options of a service

  private static let browsers: HTTPFields = [
    .origin: "httpx://tv@pi", .referer: "httpx://tv@pi/a?b",
    HTTPField.Name("X-Forwarded-Host")!: "tv--pi.localhost:8332",
    HTTPField.Name("X-Forwarded-Proto")!: "http",
  ]
  private static let guest = Caller(jid: nil, id: nil, standing: .plaintext)

  @Test func anAppThatKnowsItsNamesGetsTheBrowsers() {
    let told = applied(Self.browsers, from: Self.guest, AppOptions(host: .browser))
    #expect(told["Host"] == "tv--pi.localhost:8332" && told["X-Forwarded-Host"] == "tv--pi.localhost:8332")
    #expect(told["Origin"] == "http://tv--pi.localhost:8332" && told["Referer"] == "http://tv--pi.localhost:8332/a?b")
    // A program is no browser.
    #expect(applied([.origin: "httpx://tv@pi"], from: Self.guest, AppOptions(host: .browser))["Origin"] == "http://h")
  }

  @Test func anAddressIsTheMachinesAndNoName() {
    let peer = PeerIdentity(address: JID("anna@phone"), proof: .none, networkAddress: "10.0.0.7")
    let name = "X-Forwarded-For"
    #expect(applied([:], from: Caller(identity: peer, standing: .plaintext))[name] == nil)
    let options = AppOptions(forwardedFor: true)
    #expect(applied([:], from: Caller(identity: peer, standing: .plaintext), options)[name] == "10.0.0.7")
    #expect(applied([:], from: Caller(jid: JID("a@b"), id: nil, standing: .self), options)[name] == "127.0.0.1")
    #expect(applied([:], from: Self.guest, options)[name] == nil)
  }

  /// What Chromium sends with every page.
  @Test func aGadgetGetsLessThan512Bytes() {
    var fields = Self.browsers
    for (name, value) in [
      ("sec-ch-ua", #""Chromium";v="156", "Not?A_Brand";v="24""#), ("sec-ch-ua-mobile", "?0"),
      ("sec-ch-ua-platform", "\"Linux\""), ("Upgrade-Insecure-Requests", "1"), ("DNT", "1"), ("Priority", "u=0, i"),
      (
        "User-Agent",
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36"
      ),
      (
        "Accept",
        "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8"
      ), ("Sec-Fetch-Site", "none"), ("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-User", "?1"),
      ("Sec-Fetch-Dest", "document"), ("Accept-Encoding", "gzip, deflate, br, zstd"),
      ("Accept-Language", "de-DE,de;q=0.9,en-US;q=0.8,en;q=0.7"), ("Hearth-Via", "hearth-4711"),
      ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ] { fields.append(HTTPField(name: HTTPField.Name(name)!, value: value)) }
    let told = applied(fields, from: Self.guest, AppOptions(gadget: true))
    #expect(
      Set(told.keys) == ["Origin", "Referer", "User-Agent", "Accept", "Accept-Encoding", "Sec-WebSocket-Key"])
    #expect(told.reduce(0) { $0 + $1.key.utf8.count + $1.value.utf8.count + 4 } < 512)
  }

  @Test func othersAreCalledByTheirAddress() {
    #expect(
      told(of: Caller(jid: JID("hearth@laptop"), id: nil, standing: .self)) == [
        "Hearth-Peer": "hearth@laptop", "Hearth-Peer-Trust": "self",
      ])
    #expect(
      told(of: Caller(jid: JID("küche, 2@\"pi\""), id: Self.id, standing: .stranger)) == [
        "Hearth-Peer": "k%C3%BCche%2C%202@%22pi%22", "Hearth-Peer-Id": Self.id.description,
        "Hearth-Peer-Trust": "stranger",
      ])
    #expect(told(of: Caller(jid: nil, id: nil, standing: .plaintext)) == ["Hearth-Peer-Trust": "plaintext"])
  }

  @Test func namesOfFriendsAreASCII() throws {
    let told = told(of: Caller(jid: JID("a@b"), id: Self.id, standing: .friend(try Petname("Büro"))))
    #expect(told["Hearth-Peer"] == "B%C3%BCro" && told["Hearth-Peer-Trust"] == "friend")
  }

  @Test func noAddressPassesForAPetname() throws {
    let petname = try Petname("anna")
    for standing in [Standing.stranger, .plaintext] {
      let told = told(of: Caller(jid: JID(petname.text), id: nil, standing: standing))
      #expect(told == ["Hearth-Peer-Trust": standing.word])
    }
  }

  @Test(arguments: [
    "Hearth-Peer", "hearth-peer", "HEARTH-PEER-ID", "Hearth-Peer-Trust", "hEARTH-pEER-tRUST", "Hearth_Peer",
    "HEARTH_PEER_ID", "Hearth-Peer_Trust", "Hearth_Peer-Trust", "Hearth.Peer", "Hearth~Peer!Trust",
    "Hearth-Peer-Groups",
    "hearth_peer_groups", "X-Forwarded-For", "x_forwarded_for", "X_Forwarded_Host", "X-Forwarded_Proto", "X_Real_IP",
    "X-Original-URL", "Remote_User", "X-Forwarded-User", "X-Auth-Request-Email", "X-Remote-User",
    "Forwarded", "X_FORWARDED_PREFIX", "Via",
  ])
  func whatThePeerSaysOfItselfNeverPasses(_ name: String) throws {
    let caller = Caller(jid: JID("a@b"), id: Self.id, standing: .stranger)
    var fields: HTTPFields = [.init("X-Kept")!: "1", .init("Hearth-Peers")!: "2", .init("X_Kept")!: "3"]
    let honest = applied(fields, from: caller)
    for value in ["self", "friend"] { fields.append(HTTPField(name: .init(name)!, value: value)) }
    fields[.connection] = "Hearth-Peer-Trust, Hearth-Peer-Id, Hearth-Peer"
    #expect(applied(fields, from: caller) == honest)
    #expect(honest["X-Kept"] == "1" && honest["Hearth-Peers"] == "2" && honest["X_Kept"] == "3")
    #expect(honest.count == 6)
  }

  /// What the front says that its browser used; whatever a stranger makes up could end in an app's mails.
  @Test(arguments: [
    ("thermostat--pi.localhost:8332", "http", true), ("a.localhost", "http", true),
    ("a.localhost:8332", "https", false),
    ("evil.example", "http", false), ("a.b.localhost", "http", false), ("localhost:6310", "http", true),
    ("127.0.0.1:6310", "http", true), ("[::1]:6310", "http", true), ("localhost:6310", "https", false),
    ("localhost", "http", false), ("127.0.0.1", "http", false), ("[::1]", "http", false),
    ("127.0.0.2:6310", "http", false), ("[::2]:6310", "http", false), ("localhost:", "http", false),
    ("LOCALHOST:6310", "http", false), ("[::1]:1:2", "http", false), ("[::1]x:1", "http", false),
    ("evil.example:6310", "http", false), ("localhost:6310, a.localhost", "http", false),
    (".localhost", "http", false), ("a.localhost:1:2", "http", false), ("a.localhost:x", "http", false),
    ("a.localhost, b.localhost", "http", false), ("A.localhost", "http", false), ("a.localhost:99999", "http", false),
  ])
  func onlyAnOriginOfAFrontIsForwarded(_ host: String, _ scheme: String, _ passes: Bool) {
    let fields: HTTPFields = [.init("X-Forwarded-Host")!: host, .init("X-Forwarded-Proto")!: scheme]
    let told = applied(fields, from: Caller(jid: nil, id: nil, standing: .plaintext))
    #expect(told["X-Forwarded-Host"] == (passes ? host : nil))
    #expect(told["X-Forwarded-Proto"] == (passes ? "http" : nil))
  }

  /// The device's origin is the app's own, however it is called; the others stay.
  @Test(arguments: [
    ("Origin", "httpx://app@pi", "http://h:1"), ("Origin", "http://app--pi.localhost:8332", "http://h:1"),
    ("Origin", "http://evil.example", "http://evil.example"), ("Origin", "null", "null"),
    ("Origin", "httpx://app@pic", "httpx://app@pic"),
    ("Referer", "HTTPX://App@Pi/x?y#z", "http://h:1/base/x?y#z"), ("Referer", "httpx://app@pi?q", "http://h:1/base?q"),
    ("Referer", "http://app--pi.localhost:83321/", "http://app--pi.localhost:83321/"),
    ("Destination", "http://app--pi.localhost:8332/b.txt", "http://h:1/base/b.txt"),
    ("Destination", "/b.txt", "/b.txt"),
    (
      "If", "<httpx://app@pi/a> (<urn:uuid:1> [\"e\"]) <http://x/> (Not <DAV:no-lock>)",
      "<http://h:1/base/a> (<urn:uuid:1> [\"e\"]) <http://x/> (Not <DAV:no-lock>)"
    ),
    ("If", "<httpx://app@pi/a", "<httpx://app@pi/a"),
  ])
  func theDevicesOriginIsTheApps(_ name: String, _ value: String, _ expected: String) {
    var head = HTTPRequest(
      method: .get, scheme: "httpx", authority: "app@pi", path: "/",
      headerFields: [
        .init(name)!: value, .init("X-Forwarded-Host")!: "app--pi.localhost:8332", .init("X-Forwarded-Proto")!: "http",
      ])
    ForwardedFields(.tcp(host: "h", port: 1), base: "/base")
      .apply(to: &head, from: Caller(jid: nil, id: nil, standing: .plaintext))
    #expect(head.headerFields[.init(name)!] == expected)
    #expect(head.authority == "h:1")
  }

  @Test func theAppSeesThemAndNoOthers() async throws {
    try await withApp(ReverseProxyTests.mirror) { (address) async throws in
      let proxy = ReverseProxy(to: address, eventLoopGroup: MultiThreadedEventLoopGroup.singleton)
      let friend = Caller(jid: JID("anna@phone"), id: Self.id, standing: .friend(try Petname("anna")))
      let got = try await proxy.ask(
        .get, "/", ["hearth-peer": "root", "Hearth_Peer_Trust": "self", "HEARTH-PEER-ID": "x"], from: friend)
      let told = got.body.split(separator: "\n").filter { $0.lowercased().contains("hearth") }
      #expect(
        Set(told) == ["Hearth-Peer: anna", "Hearth-Peer-Trust: friend", "Hearth-Peer-Id: \(Self.id.description)"])
    }
  }
}
