import Codecs
import Dashboard
import Front
import HTTPTypes
import HTTPX
import Mesh
import TestKit
import Testing
import Trust
import XMPP

/// Asking for friendship on the dashboard, and what comes of it.
@Suite(.timeLimit(.minutes(1))) struct AskingTests {
  private static let hello: TestHandler.Respond = { _, _, send in
    try await send(HTTPXResponse(HTTPResponse(status: .ok), body: Body("hello")))
  }

  private static func node(_ rig: Rig) -> String { rig.pi.trustService.id.description }

  @Test func theOwnerOverThereAnswers() async throws {
    try await Rig.run { rig in
      try await rig.serve(plaintext: false, answer: Self.hello)
      let form = try await rig.look("/ask/app@pi")
      #expect(form.status == 200 && form.text.contains("<form method=\"post\" action=\"/ask/app@pi\">"))
      #expect(form.text.contains("name=\"node\" value=\"\(Self.node(rig))\"") && form.text.contains("required"))
      let asked = try await rig.post("/ask/app@pi", "petname=kitchen-pi&node=\(Self.node(rig))")
      #expect(asked.status == 303 && asked["Location"] == "http://\(rig.dashboardHost)/ask/app@pi")
      #expect(rig.laptop.trustService.current.asked.first?.petname?.text == "kitchen-pi")
      // Looking again asks nobody again.
      let own = rig.laptop.trustService.id
      for _ in 0..<2 {
        let page = try await rig.look("/ask/app@pi")
        #expect(
          page.text.contains("hearth accept \(own)") && page.text.contains("Your id is <code>\(own)</code>"))
        #expect(page["Refresh"] == nil && page.text.contains(DashboardTests.refresh))
      }
      #expect(rig.pi.trustService.current.requests.map(\.id) == [own])
      // Asking again keeps the name.
      #expect(try await rig.post("/ask/app@pi", "node=\(Self.node(rig))").status == 303)
      let events = rig.laptop.trustService.events()
      try await rig.pi.trustService.accept(own.description, petname: "laptop")
      for await event in events {
        if case .befriended? = event { break }
      }
      let friends = try await rig.look("/ask/app@pi")
      #expect(friends.text.contains("is a friend of yours") && friends.text.contains("href=\"http://\(rig.host())/\""))
      #expect(rig.laptop.trustService.current.friends.map(\.petname.text) == ["kitchen-pi"])
      #expect(try await rig.ask("GET /").text == "hello")
      // A friend may have forgotten this node; that takes no name.
      #expect(try await rig.post("/ask/app@pi", "node=\(Self.node(rig))").status == 303)
    }
  }

  @Test func anOpenDoorMakesFriendsAtOnce() async throws {
    try await Rig.run { rig in
      try await rig.serve(plaintext: false, answer: Self.hello)
      try await rig.pi.trustService.permit(seconds: 60)
      #expect(try await rig.post("/ask/app@pi", "petname=pi&node=\(Self.node(rig))").status == 303)
      #expect(try await rig.look("/ask/app@pi").text.contains("is a friend of yours"))
      #expect(try await rig.ask("GET /").text == "hello")
    }
  }

  @Test func aNoIsShown() async throws {
    try await Rig.run { rig in
      try await rig.serve(plaintext: false, answer: Self.hello)
      let form = "petname=pi&node=\(Self.node(rig))"
      #expect(try await rig.post("/ask/app@pi", form).status == 303)
      let events = rig.laptop.trustService.events()
      try await rig.pi.trustService.reject(rig.laptop.trustService.id.short)
      for await event in events {
        if case .declined? = event { break }
      }
      #expect(try await rig.post("/ask/app@pi", form).status == 303)
      let page = try await rig.look("/ask/app@pi")
      #expect(page.text.contains("It said no") && page.text.contains("<form"))
      #expect(rig.laptop.trustService.current.friends.isEmpty)
    }
  }

  @Test func nobodyBecomesAFriendWithoutAName() async throws {
    try await Rig.run { rig in
      try await rig.serve(plaintext: false, answer: Self.hello)
      for (form, status) in [
        ("", 409), ("petname=pi", 409), ("petname=pi&node=\(rig.laptop.trustService.id)", 409),
        ("node=\(Self.node(rig))", 422), ("petname=&node=\(Self.node(rig))", 422),
        ("petname=+&node=\(Self.node(rig))", 422), ("petname=a%20b&node=\(Self.node(rig))", 422),
        ("petname=friends&node=\(Self.node(rig))", 422),
      ] {
        for path in ["/ask/app@pi", "/befriend/app@pi"] {
          #expect(try await rig.post(path, form).status == status, "\(path) \(form)")
        }
      }
      #expect(try await rig.post("/ask/nobody@pi", "petname=pi").status == 502)
      #expect(try await rig.look("/ask/nobody@pi").status == 502)
      #expect(rig.laptop.trustService.current.asked.isEmpty && rig.laptop.trustService.current.pairingPeer == nil)
      #expect(rig.pi.trustService.current.requests.isEmpty)
    }
  }

  @Test func digitsAreComparedOnBothDashboards() async throws {
    try await Rig.run { rig in
      try await rig.serve(plaintext: false, answer: Self.hello)
      #expect(try await rig.look("/").text.contains("id=\"pairing\"") == false)
      let (events, others) = (rig.laptop.trustService.events(), rig.pi.trustService.events())
      let begun = try await rig.post("/befriend/app@pi", "petname=kitchen-pi&node=\(Self.node(rig))")
      #expect(begun.status == 303 && begun["Location"] == rig.front.dashboard)
      for await event in events where event == nil { break }
      for await event in others where event == nil { break }
      let digits = try #require(rig.laptop.trustService.current.pairingQuestion?.digits)
      #expect(digits == rig.pi.trustService.current.pairingQuestion?.digits)
      let page = try await rig.look("/")
      #expect(page.text.contains("<span class=\"digits\">\(digits.prefix(3)) \(digits.suffix(3))</span>"))
      #expect(page.text.contains(Self.node(rig)) && page.text.contains(DashboardTests.refresh) == false)
      #expect(page.text.contains("You call it <b>kitchen-pi</b>"))
      // Other digits than those on the page.
      #expect(try await rig.post("/pairing/confirm", "petname=pi&digits=1").status == 409)
      // The name was said at the start.
      #expect(try await rig.post("/pairing/confirm", "digits=\(digits)").status == 303)
      let waiting = try await rig.look("/")
      #expect(waiting.text.contains("Waiting for the other side") && waiting.text.contains(DashboardTests.refresh))
      #expect(rig.laptop.trustService.current.friends.isEmpty)
      try await rig.pi.trustService.confirmPairing(digits: digits, petname: "laptop")
      for await event in events {
        if case .befriended? = event { break }
      }
      #expect(rig.laptop.trustService.current.friends.map(\.petname.text) == ["kitchen-pi"])
    }
  }

  @Test func whoHasNotNamedTheOtherSideDoesSo() async throws {
    try await Rig.run { rig in
      try await rig.serve(plaintext: false, answer: Self.hello)
      let events = rig.laptop.trustService.events()
      try await rig.laptop.befriend(JID("app@pi")!, petname: nil)
      for await event in events where event == nil { break }
      let digits = try #require(rig.laptop.trustService.current.pairingQuestion?.digits)
      #expect(try await rig.look("/").text.contains("name=\"petname\""))
      #expect(try await rig.post("/pairing/confirm", "digits=\(digits)").status == 422)
      #expect(try await rig.post("/pairing/confirm", "petname=pi&digits=\(digits)").status == 303)
    }
  }

  @Test func aRequestIsTakenBack() async throws {
    try await Rig.run { rig in
      try await rig.serve(plaintext: false, answer: Self.hello)
      #expect(try await rig.post("/ask/app@pi", "petname=pi&node=\(Self.node(rig))").status == 303)
      let withdraw = "/asked/\(Self.node(rig))/withdraw"
      for path in ["/", "/ask/app@pi"] {
        #expect(try await rig.look(path).text.contains("action=\"\(withdraw)\""), "\(path)")
      }
      #expect(try await rig.post(withdraw).status == 303)
      #expect(rig.laptop.trustService.current.asked.isEmpty)
      #expect(try await rig.post(withdraw).status == 404)
    }
  }

  @Test func digitsThatDifferMakeNoFriends() async throws {
    try await Rig.run { rig in
      try await rig.serve(plaintext: false, answer: Self.hello)
      let events = rig.laptop.trustService.events()
      try await rig.laptop.befriend(JID("app@pi")!, petname: nil)
      for await event in events where event == nil { break }
      #expect(try await rig.post("/pairing/cancel").status == 303)
      #expect(rig.laptop.trustService.current.pairingPeer == nil && rig.laptop.trustService.current.friends.isEmpty)
    }
  }
}
