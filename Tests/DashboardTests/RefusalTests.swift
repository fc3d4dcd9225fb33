import Codecs
import FoundationEssentials
import Front
import HTTPTypes
import HTTPX
import Testing
import TestKit
import Trust
import XMPP

@testable import Dashboard
@testable import Mesh

/// What a browser and a program get where a device does not let this node in.
@Suite(.timeLimit(.minutes(1))) struct RefusalTests {
  private static let hello: TestHandler.Respond = { _, _, send in
    try await send(HTTPXResponse(HTTPResponse(status: .ok), body: Body("hello")))
  }
  private static let jid = JID("app@pi")!

  private struct Report: Decodable {
    let error: String
    let device: String
    let standing: String
    let commands: [String]
    let page: String?
    let expectedNode: String?
    let shownNode: String?
  }

  private static func report(_ rig: Rig, _ line: String = "GET /", host: String? = nil) async throws -> Report {
    let answer = try await rig.ask(line, host: host, ["Accept: application/json"])
    return try JSONDecoder().decode(Report.self, from: Data(answer.body))
  }

  @Test func aStrangerIsOfferedToAsk() async throws {
    try await Rig.run { rig in
      try await rig.serve(plaintext: false, answer: Self.hello)
      let ask = "http://\(rig.dashboardHost)/ask/app@pi"
      let page = try await rig.ask("GET /", ["Accept: text/html"])
      #expect(page.status == 403 && page.text.contains("<h1>app@pi does not let this computer in</h1>"))
      #expect(page.text.contains("<a class=\"button\" href=\"\(ask)\">Ask for friendship</a>"))
      #expect(page.text.contains("<code>hearth befriend app@pi</code>"))
      // The device has its say at this origin: nothing here acts.
      #expect(!page.text.contains("<form") && !page.text.contains("<button"))
      #expect(page["Content-Security-Policy"]?.contains("form-action 'none'") == true)
      #expect(page["X-Frame-Options"] == "DENY")
      // It looks again by itself, by a program that the policy knows; what a device puts into a page is none.
      let nonce = try #require(page.text.firstMatch(of: /<script nonce="([0-9-]+)">/)?.1)
      #expect(page["Content-Security-Policy"]?.contains("script-src 'nonce-\(nonce)'; connect-src 'self'") == true)
      #expect(page.text.components(separatedBy: "<script").count == 2)
      let text = try await rig.ask("GET /")
      #expect(text.text.contains("\n    hearth befriend app@pi\n"))
      #expect(text["Proxy-Status"]?.contains("Try: hearth befriend app@pi") == true)
      let report = try await Self.report(rig)
      #expect(report.error == "http_request_denied" && report.device == "app@pi" && report.standing == "stranger")
      #expect(report.commands == ["hearth befriend app@pi", "hearth befriend app@pi --request"])
      #expect(report.page == ask)
      // Who asks by httpx has no dashboard, as far as can be known.
      let program = try await Self.report(rig, "GET httpx://app@pi/", host: "x")
      #expect(program.standing == "stranger" && program.page == nil)
    }
  }

  @Test func aRequestThatWaitsIsShown() async throws {
    try await Rig.run { rig in
      try await rig.serve(plaintext: false, answer: Self.hello)
      let node = try #require(rig.laptop.device(Self.jid)?.node)
      #expect(try await rig.post("/ask/app@pi", "petname=kitchen-pi&node=\(node)").status == 303)
      let own = rig.laptop.trustService.id
      let page = try await rig.ask("GET /", ["Accept: text/html"])
      #expect(page.text.contains("its owner has not answered") && page.text.contains("hearth accept \(own)"))
      // What the owner calls the device is not the device's business.
      #expect(!page.text.contains("kitchen-pi"))
      #expect(try await Self.report(rig).standing == "asked")
    }
  }

  @Test func aRequestOfTheOtherSideIsShown() async throws {
    try await Rig.run { rig in
      try await rig.serve(plaintext: false, answer: Self.hello)
      try await rig.piAsks()
      let report = try await Self.report(rig)
      let id = rig.pi.trustService.id
      #expect(report.standing == "asks" && report.page == rig.front.dashboard)
      #expect(report.commands == ["hearth accept \(id)", "hearth reject \(id.short)"])
    }
  }

  /// It could not even ask: what it is told must not be to do so.
  @Test func whoIsBlockedIsSentToTheOwner() async throws {
    try await Rig.run { rig in
      try await rig.serve(plaintext: false, answer: Self.hello)
      try await rig.pi.trustService.block(rig.laptop.trustService.id.description)
      let page = try await rig.ask("GET /", ["Accept: text/html"])
      #expect(page.status == 403 && page.text.contains("Only its owner can change that"))
      #expect(!page.text.contains("befriend") && !page.text.contains("/ask/"))
      let report = try await Self.report(rig)
      #expect(report.standing == "stranger" && report.commands.isEmpty && report.page == nil)
    }
  }

  @Test func digitsToCompareAreTold() async throws {
    try await Rig.run { rig in
      try await rig.serve(plaintext: false, answer: Self.hello)
      try await rig.laptop.befriend(Self.jid, petname: nil)
      let report = try await Self.report(rig)
      #expect(report.standing == "comparing" && report.commands == ["hearth befriend"])
      #expect(report.page == rig.front.dashboard)
    }
  }

  @Test func aFriendThatRefusesIsAnotherMatter() async throws {
    try await Rig.run { rig in
      try await rig.befriend()
      let policies = [
        ("others", try AccessPolicy(access: .names([Petname("anna")]))),
        ("reading", try AccessPolicy(access: .friends, methods: ["GET"])),
      ]
      for (name, policy) in policies {
        rig.pi.serve(HostedService(name: name, target: "test", policy: policy, handler: TestHandler(Self.hello)))
        _ = try #require(await rig.laptop.awaitOnline("\(name)@pi"))
        let page = try await rig.ask("DELETE /", host: rig.host("\(name)@pi"), ["Accept: text/html"])
        #expect(page.status == 403 && page.text.contains("for its owner to open"))
        #expect(!page.text.contains("Ask for friendship") && !page.text.contains("kitchen-pi"))
        let report = try await Self.report(rig, "DELETE /", host: rig.host("\(name)@pi"))
        #expect(report.standing == "friend" && report.commands == [])
      }
      #expect(try await rig.ask("GET /", host: rig.host("reading@pi")).status == 200)
    }
  }

  /// It is a friend here, and this node is none there.
  @Test func aFriendshipOfOneSideIsSaid() async throws {
    try await Rig.run { rig in
      try await rig.befriend()
      try await rig.serve(plaintext: false, answer: Self.hello)
      #expect(try await rig.ask("GET /").status == 200)
      try await rig.pi.trustService.remove(rig.laptop.trustService.id.description)
      let page = try await rig.ask("GET /", ["Accept: text/html"])
      #expect(page.status == 403 && page.text.contains("you are none of its"))
      let report = try await Self.report(rig)
      #expect(report.standing == "friend" && report.commands == ["hearth befriend app@pi --request"])
    }
  }

  @Test func oneThatIsBlockedHereIsSaidToBe() async throws {
    try await Rig.run { rig in
      try await rig.serve(plaintext: false, answer: Self.hello)
      let id = rig.pi.trustService.id
      try await rig.laptop.trustService.block(id.description)
      let report = try await Self.report(rig)
      #expect(report.standing == "blocked" && report.commands == ["hearth friends unblock \(id)"])
      #expect(report.page == nil)
    }
  }

  @Test func aChangedKeyIsExplainedAndNotAccepted() async throws {
    try await Rig.run { rig in
      let old = try TrustService.fresh("old").id
      await rig.laptop.trustService.setFleet([FleetEntry(id: old, petname: try Petname("kitchen-pi"))])
      await rig.laptop.trustService.met(Self.jid, id: old)
      try await rig.serve(answer: Self.hello)
      let seen = rig.pi.trustService.id
      let page = try await rig.ask("GET /", ["Accept: text/html"])
      #expect(page.status == 502 && page.text.contains("<h1>app@pi shows another key</h1>"))
      for wanted in ["\(old)", "\(seen)", "was reset", "pretends", "hearth friends remove \(old)"] {
        #expect(page.text.contains(wanted), "\(wanted)")
      }
      #expect(!page.text.contains("<form") && !page.text.contains("class=\"button\""))
      let report = try await Self.report(rig)
      #expect(report.error == "tls_certificate_error" && report.standing == "CHANGED" && report.page == nil)
      #expect(report.expectedNode == old.description && report.shownNode == seen.description)
      // Nor does the dashboard accept it.
      let card = try await rig.look("/")
      #expect(card.text.contains("<dd><code>\(old)</code></dd></div><div><dt>seen</dt><dd><code>\(seen)</code></dd>"))
      let friendship = try await rig.look("/ask/app@pi")
      #expect(friendship.text.contains("\(old)") && !friendship.text.contains("<form"))
      #expect(rig.laptop.trustService.current.friends.map(\.id) == [old])
    }
  }

  @Test func whoIsNotTheAnnouncedOneIsNamedToo() throws {
    let (own, seen) = (try TrustService.fresh().current, try TrustService.fresh().id)
    let device = Device(
      jid: Self.jid, name: "app", state: .online, isLocal: false, http: nil, status: "", message: nil, endpoints: [],
      seen: .now, standing: .mismatch(announced: "<b>", seen: seen), node: nil)
    let nextSteps = try #require(NextSteps(for: MeshError(.changed, device: Self.jid, message: ""), at: device, own))
    #expect(nextSteps.expected == "<b>" && nextSteps.shown == seen.description && nextSteps.commands.isEmpty)
    #expect(nextSteps.html("http://x/").contains("&lt;b&gt;"))
    // Failures of other kinds have nothing to do with it.
    #expect(NextSteps(for: MeshError(.away, device: Self.jid, message: ""), at: device, own) == nil)
  }

  @Test(arguments: [
    ("thermostat@pi", "thermostat@pi"), ("a-b.c_d@PI", "a-b.c_d@PI"),
    ("a b@pi", "'httpx://a%20b@pi/'"), ("$(reboot)@pi", "'httpx://$(reboot)@pi/'"),
    ("a;reboot@pi", "'httpx://a;reboot@pi/'"), ("it's@pi", "'httpx://it%27s@pi/'"), ("-x@pi", "'httpx://-x@pi/'"),
    ("`id`@pi", "'httpx://%60id%60@pi/'"), ("plain", "'httpx://plain/'"),
    ("a\u{202E}b@pi", "'httpx://a%E2%80%AEb@pi/'"),
  ])
  func namesAreQuotedForAShell(_ name: String, _ argument: String) throws {
    #expect(Command.befriend(try #require(JID(name))) == "hearth befriend \(argument)")
  }
}
