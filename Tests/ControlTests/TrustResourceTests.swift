import FoundationEssentials
import HTTPTypes
import Mesh
import Synchronization
import Testing
import Trust
import XMPP

@testable import Control

/// Friends over a real unix socket, with a friend book that is not made up.
@Suite(.timeLimit(.minutes(1))) struct TrustResourceTests {
  @Test func identity() async throws {
    try await FakeDaemon.with { daemon, client in
      let id = daemon.trustService.id
      let identity = try await client.identity()
      #expect(
        identity
          == IdentityResource(jid: "hearth@pi", id: id.description, short: id.short))
      let rotation = try await client.rotateKey()
      #expect(rotation.id == FakeDaemon.bob.description)
    }
  }

  @Test func theSchemaOfFriendsIsWhatWasPromised() async throws {
    try await FakeDaemon.with { daemon, _ in
      let friends = try await daemon.raw(.get, "/v1/friends").body
      let requests = try await daemon.raw(.get, "/v1/requests").body
      #expect(
        friends == """
          {"blocked":[{"id":"\(FakeDaemon.mallory)","petname":null,"short":"\(FakeDaemon.mallory.short)",\
          "since":"1970-01-12T13:46:40Z"}],"claimed":[],"friends":[{"devices":["anna@laptop"],"id":"\(FakeDaemon.anna)",\
          "online":false,"origin":"request","petname":"anna","renounced":null,"short":"\(FakeDaemon.anna.short)",\
          "since":"1970-01-12T13:46:40Z"}],"schema":1}

          """)
      #expect(
        requests == """
          {"asked":[{"id":"\(FakeDaemon.carol)","jid":"carol@attic","petname":null,\
          "short":"\(FakeDaemon.carol.short)","since":"1970-01-12T13:46:40Z"}],"contacts":[],"pairing":{"digits":null,"id":null,"jid":null,"short":null},\
          "permit":{"open":false,"seconds":0},"requests":[{"address":"10.0.0.9","greeting":"Hello",\
          "id":"\(FakeDaemon.bob)","jid":"bob@den","short":"\(FakeDaemon.bob.short)",\
          "since":"1970-01-12T13:46:40Z"}],"schema":1}

          """)
    }
  }

  @Test func renamingRemovingAndBlocking() async throws {
    try await FakeDaemon.with { daemon, client in
      try await client.rename("anna", to: "anna.s")
      #expect(try await client.friends().friends.map(\.petname) == ["anna.s"])
      try await client.block("anna@laptop")
      #expect(try await client.friends().blocked.map(\.petname) == [nil, "anna.s"])
      try await client.unblock(FakeDaemon.anna.short)
      try await client.unblock(FakeDaemon.mallory.description)
      let list = try await client.friends()
      #expect(list.friends.isEmpty && list.blocked.isEmpty)
      let error = await #expect(throws: ControlError.self) { try await client.remove("anna.s") }
      #expect(error?.code == .notFound && error?.nextStep == .listFriends)
    }
  }

  @Test func removing() async throws {
    try await FakeDaemon.with { _, client in
      try await client.remove("ANNA")
      #expect(try await client.friends().friends.isEmpty)
    }
  }

  @Test(arguments: [("anna", "bob@x", ControlError.Code.invalid), ("nobody", "x", .notFound), ("", "x", .invalid)])
  func badRenames(_ who: String, _ name: String, _ code: ControlError.Code) async throws {
    try await FakeDaemon.with { _, client in
      let error = await #expect(throws: ControlError.self) { try await client.rename(who, to: name) }
      #expect(error?.code == code, "\(String(describing: error))")
    }
  }

  @Test func requestsAreAcceptedAndRejected() async throws {
    try await FakeDaemon.with { daemon, client in
      let bob = FakeDaemon.bob.description
      let taken = await #expect(throws: ControlError.self) { _ = try await client.accept(bob, petname: "anna") }
      #expect(taken?.code == .conflict)
      // What can be imitated is not enough to make a friend by.
      for name in ["bob@den", FakeDaemon.bob.short] {
        let error = await #expect(throws: ControlError.self) { _ = try await client.accept(name, petname: "bob") }
        #expect(error?.nextStep == .compareID(FakeDaemon.bob))
      }
      let friend = try await client.accept(bob, petname: "bob")
      #expect(friend.petname == "bob" && friend.id == FakeDaemon.bob.description)
      #expect(try await client.requests().requests.isEmpty)
      await #expect(throws: ControlError.self) { try await client.reject("bob@den") }
    }
    try await FakeDaemon.with { daemon, client in
      try await client.reject(FakeDaemon.bob.short)
      #expect(daemon.trustService.current.requests.isEmpty)
      #expect(try await client.friends().friends.map(\.petname) == ["anna"])
    }
  }

  @Test func whatWasAskedIsTakenBack() async throws {
    try await FakeDaemon.with { daemon, client in
      #expect(try await client.requests().asked.map(\.id) == [FakeDaemon.carol.description])
      try await client.withdraw("carol@attic")
      #expect(daemon.trustService.current.asked.isEmpty)
      await #expect(throws: ControlError.self) { try await client.withdraw("carol@attic") }
    }
  }

  @Test func invitesNameThisNode() async throws {
    try await FakeDaemon.with { daemon, client in
      let invite = try await client.invite(petname: "carol")
      let line = try InviteLine(invite.line)
      #expect(line.jid == JID("hearth@pi") && line.id == daemon.trustService.id)
      #expect(abs(invite.expires.timeIntervalSinceNow - 600) < 20)
      #expect(daemon.trustService.current.invites(now: Date()).map(\.petname?.text) == ["carol"])
      _ = try await client.invite(petname: nil)
      let taken = await #expect(throws: ControlError.self) { _ = try await client.invite(petname: "anna") }
      #expect(taken?.code == .conflict)
    }
  }

  @Test func joiningAndAskingGoToTheMesh() async throws {
    try await FakeDaemon.with { daemon, client in
      let line = InviteLine(jid: JID("hearth@den")!, id: FakeDaemon.bob, token: Array(repeating: 7, count: 16))!
      #expect(try await client.join("\(line)", petname: "den").petname == "anna")
      let typo = await #expect(throws: ControlError.self) { _ = try await client.join("httpx://a@b", petname: nil) }
      #expect(typo?.code == .invalid)
      let answer = try await client.request(device: "tv@den", petname: nil, greeting: "Hi")
      #expect(answer.outcome == .waiting && answer.friend == nil)
      let away = await #expect(throws: ControlError.self) {
        _ = try await client.beginPairing(device: "tv@den", petname: "den")
      }
      #expect(away?.code == .unreachable && away?.message == "switched off")
      let noDevice = await #expect(throws: ControlError.self) {
        _ = try await client.beginPairing(device: "den", petname: nil)
      }
      #expect(noDevice?.code == .invalid)
      #expect(daemon.asked.withLock { $0 } == ["join hearth@den den", "ask tv@den - Hi", "befriend tv@den den"])
    }
  }

  @Test func thereIsNothingToConfirm() async throws {
    try await FakeDaemon.with { _, client in
      let pairing = try await client.pairing()
      #expect(pairing.id == nil)
      let error = await #expect(throws: ControlError.self) {
        try await client.confirmPairing(digits: "123456", petname: nil)
      }
      #expect(error?.code == .conflict)
      try await client.cancelPairing()
    }
  }

  @Test func theDoor() async throws {
    try await FakeDaemon.with { _, client in
      let before = try await client.permit()
      #expect(!before.open)
      let open = try await client.permit(seconds: 120)
      #expect(open.open && (119...120).contains(open.seconds))
      #expect(try await client.requests().permit.open)
      try await client.closePermit()
      #expect(try await !client.permit().open)
      for wrong in [0, -1, 901] {
        let error = await #expect(throws: ControlError.self) { _ = try await client.permit(seconds: wrong) }
        #expect(error?.code == .invalid)
      }
    }
  }

  @Test func eventsMissNothingThatReadySetsOff() async throws {
    struct Enough: Error {}
    try await FakeDaemon.with { _, client in
      _ = try await client.permit(seconds: 60)
      var events: [String] = []
      await #expect(throws: Enough.self) {
        try await client.watchEvents {
          try await client.rename("anna", to: "eve")
          try await client.closePermit()
        } receive: { event in
          events.append("\(event.event) \(event.fields["petname"] ?? event.fields["seconds"] ?? "")")
          if event.event == "permit-closed" { throw Enough() }
        }
      }
      // The first line is how things stood when the reading began, before or after that.
      #expect(events.filter { !$0.hasPrefix("permit-opened") } == ["friend-renamed eve", "permit-closed "])
    }
  }

  @Test func eventsEndWithTheDaemon() async throws {
    try await FakeDaemon.with { daemon, client in
      try await client.watchEvents {
        daemon.shutDown()
      } receive: { _ in
      }
    }
  }

  @Test(arguments: ["{", "[]", #"{"seconds": "x"}"#]) func bodiesThatAreNotUnderstood(_ body: String) async throws {
    try await FakeDaemon.with { daemon, _ in
      for (method, path) in [
        (HTTPRequest.Method.put, "/v1/permit"), (.post, "/v1/invites"), (.patch, "/v1/friends/anna"),
        (.post, "/v1/pairing"),
      ] {
        let answer = try await daemon.raw(method, path, body: body)
        #expect(answer.status == .badRequest && answer.body.contains("JSON"), "\(path)")
      }
    }
  }

  @Test(arguments: [
    ("friends", AccessResource.friends, #""friends""#), ("public", .public, #""public""#),
    (
      "friends,contacts,jid:anna@example.net", .names(["friends", "contacts", "jid:anna@example.net"]),
      #"["friends","contacts","jid:anna@example.net"]"#
    ),
    ("anna", .names(["anna"]), #"["anna"]"#), ("anna,bob", .names(["anna", "bob"]), #"["anna","bob"]"#),
  ])
  func access(_ text: String, _ access: AccessResource, _ json: String) throws {
    #expect(AccessResource(text) == access)
    #expect(access.description == text)
    #expect(String(decoding: try ControlJSON.encode(access), as: UTF8.self) == json)
    #expect(try ControlJSON.decode(AccessResource.self, from: Data(json.utf8)) == access)
    let (parsed, accounts) = try access.audience
    #expect(AccessResource(parsed, accounts) == access)
  }

  @Test func nextStepsTravel() throws {
    let steps: [NextStep] = [
      .unblock(FakeDaemon.anna), .remove(try Petname("anna")), .withdraw, .compareID(FakeDaemon.bob), .listFriends,
      .listDevices, .permit, .invite, .copyInvite,
    ]
    for step in steps {
      let json = try ControlJSON.encode(NextStepResource(step))
      #expect(try ControlJSON.decode(NextStepResource.self, from: json).nextStep == step)
    }
    let json = try ControlJSON.encode(NextStepResource(.unblock(FakeDaemon.anna)))
    #expect(String(decoding: json, as: UTF8.self) == #"{"node":"\#(FakeDaemon.anna)","step":"unblock"}"#)
  }

  @Test(arguments: ["", "anna,", "Friends", "a b", "anna,public", "jid:anna", "jid:", "jid:a@b/c"])
  func accessThatCannotBeMeant(_ text: String) {
    #expect(throws: TrustError.self) { _ = try AccessResource(text).audience }
  }
}
