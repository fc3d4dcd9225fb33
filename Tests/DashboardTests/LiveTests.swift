import FoundationEssentials
import Front
import HTTPTypes
import HTTPX
import TestKit
import Testing
import Trust
import XMPP

@testable import Dashboard
@testable import Mesh

/// What changes on a page that is open, and what its forms do.
@Suite(.timeLimit(.minutes(1))) struct LiveTests {
  private static func listen<Result: Sendable>(
    _ rig: Rig, _ body: (RawConnection) async throws -> sending Result
  ) async throws -> Result {
    try await rig.connected { client in
      try await client.begin("GET /live", host: rig.dashboardHost, ["Sec-Fetch-Site: same-origin"])
      let head = try await client.head()
      #expect(head.status == 200 && head["Content-Type"] == "text/event-stream" && head["Cache-Control"] == "no-store")
      return try await body(client)
    }
  }

  /// Reads until an event holds this.
  private static func expectEvent(_ text: String, _ client: RawConnection) async throws {
    while let chunk = try await client.chunk() {
      if String(decoding: chunk, as: UTF8.self).contains(text) { return }
    }
    throw RigGone()
  }

  private struct RigGone: Error {}

  @Test func aDeviceThatAppearsIsOnAnOpenPage() async throws {
    try await Rig.run { rig in
      try await Self.listen(rig) { client in
        try await Self.expectEvent("\"part\":\"devices\"", client)
        try await rig.serve("lamp", plaintext: false) { _, _, _ in }
        let begun = ContinuousClock.now
        try await Self.expectEvent("d-lamp--pi", client)
        #expect(ContinuousClock.now - begun < .seconds(2))
        try await rig.piAsks(greeting: "hello")
        try await Self.expectEvent("hello", client)
        #expect(rig.pi.unserve("lamp"))
        try await Self.expectEvent("device gone", client)
      }
    }
  }

  @Test func whoeverMayNotChangeAnythingHearsNothingOfPeople() async throws {
    try await Rig.run(mayChange: { _ in false }) { rig in
      try await rig.piAsks(greeting: "hello")
      try await Self.listen(rig) { client in
        let first = String(decoding: try await client.chunk() ?? [], as: UTF8.self)
        #expect(first.hasPrefix("retry: 2000\n\n") && first.contains("\"part\":\"devices\""))
        #expect(!first.contains("hello") && !first.contains("\"part\":\"friends\""))
      }
    }
  }

  @Test func onlySoManyPagesAreLive() async throws {
    try await Rig.run { rig in
      try await withListeners(DashboardLimits.listeners, rig) {
        let answer = try await rig.look("/live")
        #expect(answer.status == 503 && answer["Retry-After"] == "5")
      }
      // Those that went away leave room.
      while try await rig.ask("HEAD /live", host: rig.dashboardHost).status == 503 {}
    }
  }

  private func withListeners(_ count: Int, _ rig: Rig, _ body: () async throws -> Void) async throws {
    guard count > 0 else { return try await body() }
    try await Self.listen(rig) { _ in try await withListeners(count - 1, rig, body) }
  }

  @Test func aServiceIsServedAndStoppedFromThePage() async throws {
    try await Rig.run { rig in
      let page = try await rig.look("/")
      #expect(page.text.contains("action=\"/services\"") && page.text.contains("Nothing yet."))
      #expect(try await rig.post("/services", "name=notes&target=3000&access=friends&title=Our+notes").status == 303)
      _ = await rig.laptop.awaitOnline("notes@laptop")
      let served = try await rig.look("/").text
      #expect(served.contains("http://localhost:3000") && served.contains("action=\"/services/notes/stop\""))
      let status = rig.laptop.status().services
      #expect(status.map(\.name) == ["notes"] && status.first?.policy.access == .friends)
      #expect(try await rig.post("/services/notes/stop").status == 303)
      #expect(rig.laptop.status().services.isEmpty)
      #expect(try await rig.post("/services/notes/stop").status == 422)
      for form in ["", "name=x", "target=3000&access=friends", "name=x&target=3000", "name=x&target=3000&access=all"] {
        #expect(try await rig.post("/services", form).status == 422, "\(form)")
      }
      #expect(try await rig.post("/services", "name=taken&target=3000&access=public").text.contains("hearth.toml"))
      #expect(try await rig.post("/services", "name=x&target=3000&access=only+anna").status == 303)
      #expect(rig.laptop.status().services.first?.policy.access == .names([try Petname("anna")]))
    }
  }

  @Test func anInviteIsShownUntilItIsUsed() async throws {
    try await Rig.run { rig in
      #expect(try await rig.post("/invites").status == 422)
      #expect(try await rig.post("/invites", "petname=anna").status == 303)
      let page = try await rig.look("/").text
      let line = try #require(page.firstMatch(of: /id="i-[0-9-]+-line">(httpx:[^<]+)</)?.1)
      #expect(page.contains("For <b>anna</b>, once, for <span class=\"left\" data-until="))
      _ = try await rig.pi.join(try InviteLine(String(line)), petname: "laptop")
      let after = try await rig.look("/").text
      #expect(!after.contains("httpx://node@laptop/invite") && after.contains("<span class=\"name\">anna</span>"))
    }
  }

  @Test func whatAPageShowsIsNotTakenBackByOlderNews() async throws {
    try await Rig.run { rig in
      try await Self.listen(rig) { other in
        // What is made for all is as old as this.
        _ = try await other.chunk()
        #expect(try await rig.post("/invites", "petname=anna").status == 303)
        try await Self.listen(rig) { client in
          let first = String(decoding: try await client.chunk() ?? [], as: UTF8.self)
          #expect(first.contains("For <b>anna</b>"))
        }
      }
    }
  }

  @Test func anInviteIsUsedOnThePage() async throws {
    try await Rig.run { rig in
      guard await rig.laptop.awaitOnline("node@pi") != nil else { throw RigGone() }
      let line = try await rig.pi.trustService.invite(jid: JID("node@pi")!, petname: "laptop")
      #expect(try await rig.post("/join", "line=\(line)").status == 422)
      #expect(try await rig.post("/join", "line=x&petname=pi").status == 422)
      #expect(try await rig.post("/join", "line=+\(line)+&petname=pi").status == 303)
      #expect(rig.laptop.trustService.current.friends.map(\.petname.text) == ["pi"])
    }
  }

  @Test func friendsAreChangedOnThePage() async throws {
    try await Rig.run { rig in
      try await rig.befriend()
      let id = rig.pi.trustService.id
      let page = try await rig.look("/").text
      for verb in ["friends/\(id)/rename", "friends/\(id)/remove", "nodes/\(id)/block"] {
        #expect(page.contains("action=\"/\(verb)\""), "\(verb)")
      }
      #expect(page.contains("here now"))
      #expect(try await rig.post("/friends/\(id)/rename", "petname=a+b").status == 422)
      #expect(try await rig.post("/friends/\(id)/rename", "petname=anna").status == 303)
      #expect(rig.laptop.trustService.current.friends.map(\.petname.text) == ["anna"])
      #expect(try await rig.post("/nodes/\(id)/block").status == 303)
      #expect(rig.laptop.trustService.current.blocked.map(\.id) == [id])
      #expect(try await rig.look("/").text.contains("action=\"/nodes/\(id)/unblock\""))
      #expect(try await rig.post("/nodes/\(id)/unblock").status == 303)
      #expect(try await rig.post("/friends/\(id)/remove").status == 404)
      #expect(rig.laptop.trustService.current.friends.isEmpty && rig.laptop.trustService.current.blocked.isEmpty)
    }
  }

  @Test(arguments: [
    ("web%2Bhttpx%3A%2F%2Fthermostat@pi%2Fa%3Fb", "http://thermostat--pi.localhost:PORT/a?b"),
    ("web%2Bhttpx%3A%2F%2Fpi", nil), ("http%3A%2F%2Fevil.example%2F", nil), ("web%2Bhttp%3A%2F%2Fa@b%2F", nil),
    ("", nil),
  ])
  func linksOfTheSchemeLeadToDevicesOnly(_ uri: String, _ location: String?) async throws {
    try await Rig.run { rig in
      let answer = try await rig.look("/open?uri=\(uri)")
      guard let location else { return #expect(answer["Location"]?.contains("evil") != true) }
      #expect(answer.status == 303)
      #expect(answer["Location"] == location.replacing("PORT", with: "\(rig.front.port)"))
    }
  }
}
