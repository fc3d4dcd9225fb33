import FoundationEssentials
import Front
import Glibc
import HTTPTypes
import HTTPX
import NIOCore
import NIOPosix
import TestKit
import Testing
import Trust
import XMPP

@testable import Dashboard
@testable import Mesh

/// What waits for the owner, and who may answer it how.
@Suite(.timeLimit(.minutes(1))) struct DashboardTests {
  @Test func aRequestIsAcceptedUnderAName() async throws {
    try await Rig.run { rig in
      try await rig.piAsks(greeting: "It's <b>Anna</b>")
      let id = rig.pi.trustService.id
      let page = try await rig.look("/")
      #expect(page.text.contains("It says “<bdi>It&#39;s &lt;b&gt;Anna&lt;/b&gt;</bdi>”"))
      #expect(page.text.contains("action=\"/requests/\(id)/accept\"") && page.text.contains("<b>\(id.short)</b>"))
      #expect(try await rig.post("/requests/\(id)/accept").status == 422)
      #expect(try await rig.post("/requests/\(rig.laptop.trustService.id)/accept", "petname=x").status == 404)
      #expect(rig.laptop.trustService.current.friends.isEmpty)
      let accepted = try await rig.post("/requests/\(id)/accept", "petname=+anna+")
      #expect(accepted.status == 303 && accepted["Location"] == rig.front.dashboard && accepted.body.isEmpty)
      #expect(rig.laptop.trustService.current.friends.map(\.petname.text) == ["anna"])
      #expect(try await rig.look("/").text.contains("<span class=\"name\">anna</span>"))
      // The form sent twice does nothing twice.
      #expect(try await rig.post("/requests/\(id)/accept", "petname=eve").status == 404)
    }
  }

  /// For browsers without JavaScript alone.
  static let refresh = "<noscript><meta http-equiv=\"refresh\" content=\"3\"></noscript>"

  @Test func aRequestIsRefused() async throws {
    try await Rig.run { rig in
      try await rig.piAsks()
      #expect(try await rig.post("/requests/\(rig.pi.trustService.id)/reject").status == 303)
      #expect(rig.laptop.trustService.current.requests.isEmpty && rig.laptop.trustService.current.friends.isEmpty)
    }
  }

  @Test func theOpenDoorCountsDown() async throws {
    try await Rig.run { rig in
      #expect(try await rig.look("/").text.contains("The door is open") == false)
      try await rig.laptop.trustService.permit(seconds: 100)
      let page = try await rig.look("/")
      #expect(page.text.contains("The door is open") && page.text.contains(Self.refresh) && page["Refresh"] == nil)
      let seconds = page.text.firstMatch(of: /--from:(\d+);/).flatMap { Int($0.1) }
      #expect(seconds.map { (90...100).contains($0) } == true)
      #expect(try await rig.post("/permit/close").status == 303)
      #expect(rig.laptop.trustService.current.permit(now: .now) == nil)
    }
  }

  // MARK: Hostile pages

  /// What a page of another device, of another site, or of a rebound name can make a browser say; and programs.
  private static func hostile(_ rig: Rig) -> [[String]] {
    let (own, device) = ("Origin: http://\(rig.dashboardHost)", "Origin: http://\(rig.host())")
    return [
      // A form, a fetch, and one from a frame, of another site or label, by browsers of today.
      ["Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document", device],
      ["Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: no-cors", "Sec-Fetch-Dest: empty", device],
      ["Sec-Fetch-Site: same-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document", device],
      ["Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: iframe", "Origin: null"],
      // Older ones.
      [device], ["Origin: null"], ["Origin: https://\(rig.dashboardHost)"], ["Origin: http://hearth.localhost"], [],
      // No page at all: a bookmark, a download manager, a program that says nothing.
      ["Sec-Fetch-Site: none"], ["Sec-Fetch-Site: none", own], ["Sec-Fetch-Site: cross-site", own],
      // Contradictions.
      ["Sec-Fetch-Site: same-origin", device], ["Sec-Fetch-Site: same-origin", "Origin: null"],
      ["Sec-Fetch-Site: same-origin", "Sec-Fetch-Site: cross-site", own], [own, device],
      // Through somebody's proxy.
      rig.ownForm + ["Via: 1.1 somebody"], rig.ownForm + ["X-Forwarded-For: anna@phone"],
      rig.ownForm + ["Forwarded: for=_x"], rig.ownForm + ["Hearth-Peer-Trust: friend"],
    ]
  }

  @Test func pagesOfOthersChangeNothing() async throws {
    try await Rig.run { rig in
      try await rig.serve(plaintext: false) { _, _, _ in }
      let guest = try await rig.guestAsks()
      try await rig.laptop.trustService.permit(seconds: 600)
      let before = try rig.laptop.trustService.current.encoded()
      let id = rig.pi.trustService.id
      for fields in Self.hostile(rig) {
        for (path, form) in [
          ("/ask/app@pi", "petname=x&node=\(id)"), ("/befriend/app@pi", "petname=x&node=\(id)"),
          ("/requests/\(guest)/accept", "petname=x"), ("/requests/\(guest)/reject", ""), ("/permit/close", ""),
          ("/pairing/confirm", "petname=x&digits=123456"), ("/pairing/cancel", ""), ("/invites", "petname=x"),
          ("/join", "petname=x&line=httpx://a@b/invite"), ("/services", "name=x&target=3000&access=public"),
          ("/services/x/stop", ""), ("/nodes/\(guest)/block", ""), ("/friends/\(id)/rename", "petname=y"),
        ] {
          let answer = try await rig.post(path, form, fields: fields)
          #expect(answer.status == 403 && answer["Location"] == nil, "\(path) \(fields)")
        }
      }
      let book = rig.laptop.trustService.current
      #expect(try book.encoded() == before)
      #expect(book.permit(now: .now) != nil && book.pairingPeer == nil)
    }
  }

  @Test func otherNamesAndMethodsChangeNothing() async throws {
    try await Rig.run { rig in
      try await rig.piAsks()
      let path = "/requests/\(rig.pi.trustService.id)/reject"
      let type = "Content-Type: application/x-www-form-urlencoded"
      // A name that was rebound to loopback is not the dashboard's, whatever its page says of itself.
      for host in ["evil.example:\(rig.front.port)", "127.0.0.1:\(rig.front.port)", "hearth.localhost", rig.host()] {
        let fields = ["Sec-Fetch-Site: same-origin", "Origin: http://\(host)", type]
        let answer = try await rig.ask("POST \(path)", host: host, fields)
        #expect(answer.status == (host == rig.host() ? 502 : 421), "\(host)")
      }
      for method in ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"] {
        let answer = try await rig.ask("\(method) \(path)", host: rig.dashboardHost, rig.ownForm)
        #expect(answer.status == 405 && answer["Allow"] == "POST", "\(method)")
      }
      for type in ["text/plain", "multipart/form-data; boundary=x", "application/json", ""] {
        let fields = rig.ownForm + ["Content-Type: \(type)"]
        #expect(
          try await rig.ask("POST \(path)", host: rig.dashboardHost, fields, body: "a=b").status == 415, "\(type)")
      }
      #expect(try await rig.post(path, String(repeating: "a", count: 5000)).status == 413)
      #expect(rig.laptop.trustService.current.requests.count == 1)
    }
  }

  @Test func pagesOfOthersSeeNothing() async throws {
    try await Rig.run { rig in
      try await rig.serve(plaintext: false) { _, _, _ in }
      for path in ["/", "/ask/app@pi", "/live", "/dashboard.js"] {
        for (mode, dest) in [
          ("no-cors", "image"), ("cors", "empty"), ("navigate", "iframe"), ("navigate", "object"),
          ("no-cors", "script"),
        ] {
          let fields = ["Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: \(mode)", "Sec-Fetch-Dest: \(dest)"]
          let answer = try await rig.ask("GET \(path)", host: rig.dashboardHost, fields)
          #expect(answer.status == 403 && answer["Cross-Origin-Resource-Policy"] == "same-origin", "\(mode) \(dest)")
        }
        guard ["/", "/ask/app@pi"].contains(path) else { continue }
        // A link of theirs leads there; what it opens, nobody frames, holds or reads, and its forms go nowhere else.
        let link = ["Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document"]
        let page = try await rig.ask("GET \(path)", host: rig.dashboardHost, link + ["Accept: text/html"])
        #expect(page.status == 200 && page["X-Frame-Options"] == "DENY")
        let policy = try #require(page["Content-Security-Policy"])
        #expect(policy.contains("frame-ancestors 'none'") && policy.contains("form-action 'self'"))
        // One program runs, which is the dashboard's own file; nothing on a page does.
        #expect(policy.contains("default-src 'none'") && (path != "/") == !policy.contains("script-src"))
        #expect(path != "/" || policy.contains("script-src 'self'; connect-src 'self'; img-src 'self';"))
        let own = "<script src=\"/dashboard.js\" defer></script>"
        #expect(page.text.replacing(own, with: "").contains("<script") == false)
        #expect(page["Cross-Origin-Opener-Policy"] == "same-origin" && page["Cache-Control"] == "no-store")
        #expect(page["Access-Control-Allow-Origin"] == nil)
      }
    }
  }

  // MARK: Other users

  @Test func whoMayNotChangeAnythingIsToldWhoMay() async throws {
    try await Rig.run(mayChange: { _ in false }) { rig in
      try await rig.serve(plaintext: false) { _, _, _ in }
      let ask = try await rig.look("/ask/app@pi")
      #expect(!ask.text.contains("<form") && ask.text.contains("hearth befriend app@pi --request"))
      try await rig.piAsks(greeting: "hello")
      let id = rig.pi.trustService.id
      let page = try await rig.look("/")
      #expect(page.status == 200 && page.text.contains("app@pi") && page.text.contains("members of the group hearth"))
      #expect(!page.text.contains("<form") && !page.text.contains("hello"))
      for (path, command) in [
        ("/requests/\(id)/accept", "hearth accept \(id.short)"),
        ("/requests/\(id)/reject", "hearth reject \(id.short)"),
        ("/ask/app@pi", "hearth befriend app@pi --request"), ("/pairing/cancel", "hearth befriend"),
        ("/permit/close", "hearth permit off"),
      ] {
        let answer = try await rig.post(path, "petname=x&node=\(id)")
        #expect(answer.status == 403 && answer.text.contains(command), "\(path)")
        #expect(answer.text.contains("root, and members of the group hearth"))
      }
      #expect(rig.laptop.trustService.current.requests.count == 1)
    }
  }

  @Test(.enabled(if: geteuid() == 0, "only root can be another user"), arguments: ["127.0.0.1", "[::1]"])
  func anotherUserOfThisMachineIsNotTheOwner(_ ip: String) async throws {
    try await Rig.run { rig in
      try await rig.piAsks()
      let path = "/requests/\(rig.pi.trustService.id)/reject"
      #expect(try await Self.curl(rig, path, at: ip, as: 65534) == 403)
      #expect(rig.laptop.trustService.current.requests.count == 1)
      #expect(try await Self.curl(rig, path, at: ip, as: 0) == 303)
      #expect(rig.laptop.trustService.current.requests.isEmpty)
    }
  }

  /// The status that a program of this user gets, which says what the dashboard's own page would.
  private static func curl(_ rig: Rig, _ path: String, at ip: String, as user: uid_t) async throws -> Int {
    let arguments =
      ["setpriv", "--reuid=\(user)", "--clear-groups", "curl", "-s", "--max-time", "20", "-o", "/dev/null"]
      + ["-w", "%{http_code}", "-X", "POST", "--data", "", "--resolve", "\(rig.dashboardHost):\(ip)"]
      + rig.ownForm.flatMap { ["-H", $0] } + ["http://\(rig.dashboardHost)\(path)"]
    // Waiting for a process blocks a thread, and the server needs its own.
    return try await NIOThreadPool.singleton.runIfActive { try run(arguments) }
  }

  private static func run(_ arguments: [String]) throws -> Int {
    let output = "/tmp/hearth-status-\(UUID())"
    defer { unlink(output) }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT, 0o600)
    var argv: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
    defer { argv.forEach { free($0) } }
    var child = pid_t()
    try #require(posix_spawnp(&child, arguments[0], &actions, nil, &argv, environ) == 0)
    var status: CInt = 0
    while waitpid(child, &status, 0) < 0, errno == EINTR {}
    let text = try String(decoding: Data(contentsOf: URL(filePath: output)), as: UTF8.self)
    return try #require(Int(text), "curl said \(text), status \(status)")
  }
}
