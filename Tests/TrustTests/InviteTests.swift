import FoundationEssentials
import Testing
import Trust
import XMPP

@Suite struct InviteTests {
  private let token = Array(repeating: UInt8(7), count: 16)

  private func redeem(_ book: inout FriendBook, _ token: [UInt8], by id: NodeID = anna, at now: Date) -> [TrustAction] {
    book.received(.subscribe(FriendRequest(token: token)), from: peer(id), now: now)
  }

  @Test func worksOnceAndAtOnce() throws {
    var book = newBook(mode: .reject)
    #expect(try book.invite(token: token, petname: name("anna"), now: start).first == .persist)
    book = try reload(book)
    let actions = redeem(&book, token, at: start + 599)
    #expect(actions == [.persist, .tell(.befriended(book.friends[0])), .send(.subscribed, to: anna)])
    #expect(book.friends[0].petname == name("anna") && book.friends[0].origin == .invite)
    #expect(redeem(&book, token, by: bob, at: start + 599).sent == [.unsubscribed])
    book = try reload(book)
    #expect(redeem(&book, token, by: bob, at: start + 599).sent == [.unsubscribed], "used up over restarts")
    #expect(book.friends.count == 1)
  }

  @Test func usedLateForgedAndForeignTokensLookTheSame() throws {
    var book = newBook()
    _ = try book.invite(token: token, now: start)
    _ = redeem(&book, token, by: bob, at: start)
    _ = try book.invite(token: [UInt8](repeating: 8, count: 16), now: start)
    var elsewhere = newBook(own: FakeKey.id("another node"))
    _ = try elsewhere.invite(token: [UInt8](repeating: 9, count: 16), now: start)

    let used = redeem(&book, token, at: start + 1)
    let late = redeem(&book, [UInt8](repeating: 8, count: 16), at: start + 600)
    let forged = redeem(&book, [UInt8](repeating: 1, count: 16), at: start + 1)
    let foreign = redeem(&book, [UInt8](repeating: 9, count: 16), at: start + 1)
    let broken = redeem(&book, [1, 2, 3], at: start + 1)
    let all = [used, late, forged, foreign, broken]
    for actions in all {
      #expect(actions.count == 2 && actions.last == .send(.unsubscribed, to: anna))
    }
    let reasons = all.flatMap(\.events).map { $0.fields["reason"] }
    #expect(reasons == ["used", "expired", "unknown", "unknown", "unknown"], "the owner's log tells them apart")
    #expect(book.requests.isEmpty, "a token that fails is no ordinary request")
  }

  @Test func aStoreOpensNothingAtAnotherNode() throws {
    var book = newBook()
    _ = try book.invite(token: token, now: start)
    var thief = try FriendBook(
      decoding: book.encoded(), own: FakeKey.id("thief"), ownKey: [], mode: .reject, cryptography: testCryptography)
    #expect(redeem(&thief, token, at: start).sent == [.unsubscribed])
  }

  @Test func aClockThatIsSetBackMakesNoInviteImmortal() throws {
    var book = newBook()
    _ = try book.invite(token: token, now: start)
    #expect(redeem(&book, token, at: start - 1).sent == [.unsubscribed])
    #expect(redeem(&book, token, at: start + 50 * 365 * 86400).sent == [.unsubscribed])
  }

  @Test func aBlockedBearerUsesTheTokenUp() throws {
    var book = newBook()
    _ = try book.block(anna, now: start)
    _ = try book.invite(token: token, now: start)
    let actions = redeem(&book, token, at: start)
    #expect(actions.first == .persist && actions.sent == [.unsubscribed])
    #expect(redeem(&book, token, by: bob, at: start).sent == [.unsubscribed])
    #expect(book.friends.isEmpty)
  }

  @Test func aFriendUsesTheTokenUpToo() throws {
    var book = try book(with: anna, named: "anna")
    _ = try book.invite(token: token, now: start)
    #expect(redeem(&book, token, at: start) == [.persist, .send(.subscribed, to: anna)])
    #expect(redeem(&book, token, by: bob, at: start).sent == [.unsubscribed])
    #expect(redeem(&book, token, at: start) == [.send(.subscribed, to: anna)])
  }

  @Test func underAFriendsAddressATokenHelpsNobody() throws {
    var book = try book(with: anna, named: "anna", at: annasLaptop)
    _ = try book.invite(token: token, now: start)
    let request = Friendship.subscribe(FriendRequest(token: token))
    #expect(book.received(request, from: peer(bob, annasLaptop), now: start).sent == [.unsubscribed])
    #expect(book.verdict(jid: annasLaptop, id: anna) == .friend(name("anna")))
  }

  @Test func theStoreHoldsNoToken() throws {
    var book = newBook()
    let token = Array("sixteen secret b".utf8)
    _ = try book.invite(token: token, now: start)
    let stored = String(decoding: try book.encoded(), as: UTF8.self)
    let line = try #require(InviteLine(jid: thermostat, id: me, token: token)).description
    let secret = try #require(line.split(separator: "/").last)
    #expect(!stored.lowercased().contains(secret))
    #expect(!stored.contains(Data(token).base64EncodedString()))
    #expect(!stored.contains("sixteen"))
  }

  @Test func invitesAreBounded() throws {
    var book = newBook()
    var random = Seeded(state: 3)
    for round in 0..<20 {
      let now = start + Double(round) * 600
      for _ in 0..<TrustLimits.openInvites { _ = try book.invite(token: random.bytes(16), now: now) }
      #expect(code { _ = try book.invite(token: random.bytes(16), now: now) } == .full)
      #expect(book.invites(now: now).count == TrustLimits.openInvites)
    }
    #expect(try book.encoded().count < 32 * 1024)
    #expect(book.invites(now: start + 20 * 600).isEmpty)
    #expect(code { _ = try book.invite(token: [1], now: start) } == .range)
  }

  @Test func aNameThatIsTakenMeanwhileDoesNotSpoilTheInvite() throws {
    var book = newBook()
    _ = try book.invite(token: token, petname: name("anna"), now: start)
    _ = book.received(.subscribe(FriendRequest()), from: peer(bob), now: start)
    _ = try book.accept(bob, petname: name("anna"), now: start)
    #expect(redeem(&book, token, at: start).sent == [.subscribed])
    #expect(book.friends.count == 2)
    let other = Array(repeating: UInt8(6), count: 16)
    #expect(code { _ = try book.invite(token: other, petname: name("anna"), now: start) } == .petnameTaken)
  }

  @Test func joiningIsAskingWithAToken() throws {
    var inviting = newBook(mode: .reject)
    _ = try inviting.invite(token: token, now: start)
    var joining = newBook(own: anna)
    let actions = try joining.ask(me, jid: thermostat, petname: name("heating"), token: token, now: start)
    let request = try #require(actions.sent.first)
    // Over the wire and back.
    let arrived = try #require(Friendship(request.stanza(from: annasLaptop, to: thermostat)))
    let answer = inviting.received(arrived, from: peer(anna, annasLaptop), now: start)
    #expect(answer.sent == [.subscribed])
    _ = joining.received(.subscribed, from: peer(me, thermostat), now: start)
    #expect(joining.verdict(jid: thermostat, id: me) == .friend(name("heating")))
    #expect(joining.friends[0].origin == .invite && inviting.friends[0].origin == .invite)
  }
}

@Suite struct InviteLineTests {
  private let token = (0..<16).map { UInt8($0 * 16 + 1) }

  @Test(arguments: [
    "node@machine", "Büro Nr. 1@pi", "a'b\"c$(rm)&;|<>*?!~#%=+,@x", "no-at", "a/b@c", String(repeating: "ö", count: 31),
  ])
  func survivesShells(text: String) throws {
    let line = try #require(JID(text).flatMap { InviteLine(jid: $0, id: anna, token: token) })
    let plain = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:/@-._%")
    #expect(Set(line.description).isSubset(of: plain))
    #expect(line.description.utf8.count <= TrustLimits.lineBytes)
    #expect(try InviteLine(line.description) == line)
    #expect(try InviteLine("  \(line)\r\n") == line)
    #expect(try InviteLine(line.description).jid.text == text)
  }

  @Test func hasTheWholeID() throws {
    let line = try #require(InviteLine(jid: thermostat, id: anna, token: token))
    #expect(line.description.hasPrefix("httpx://thermostat@pi/invite/\(anna)/"))
    #expect(line.description.count == "httpx://thermostat@pi/invite/".count + 63 + 1 + 26)
    #expect(try InviteLine(line.description.replacing("httpx:", with: "HTTPX:")) == line)
    #expect(InviteLine(jid: thermostat, id: anna, token: [1]) == nil)
    let account = try #require(JID("pi@example.org/hearth.abc1234"))
    let far = try #require(InviteLine(jid: thermostat, id: anna, token: token, account: account))
    #expect(far.description == line.description + "/pi@example.org%2Fhearth.abc1234")
    #expect(try InviteLine(far.description).account == account)
    for wrong in ["/", "/x", "/@a", "/a@b/c"] {
      #expect(code { _ = try InviteLine(line.description + wrong) } == .invite, "\(wrong)")
    }
  }

  @Test func saysWhatIsWrong() throws {
    let line = try #require(InviteLine(jid: thermostat, id: anna, token: token)).description
    for length in 0..<line.count {
      #expect(throws: TrustError.self) { try InviteLine(String(line.prefix(length))) }
    }
    #expect(code { _ = try InviteLine("httpx://thermostat@pi/") } == .invite)
    #expect(code { _ = try InviteLine("https" + line.dropFirst(5)) } == .invite)
    #expect(code { _ = try InviteLine(line + "a") } == .invite)
    #expect(code { _ = try InviteLine(line + "/") } == .invite)
    #expect(code { _ = try InviteLine(line.replacing("thermostat@pi", with: "%zz")) } == .invite)
    #expect(code { _ = try InviteLine(line.replacing("thermostat@pi", with: "")) } == .invite)
    #expect(code { _ = try InviteLine(line.replacing("thermostat@pi", with: "%0A")) } == .invite)
    #expect(code { _ = try InviteLine(line.replacing(anna.short, with: "AAAAAAA")) } == .nodeID)
    #expect(code { _ = try InviteLine(String(repeating: "a", count: 100_000)) } == .invite)
  }
}
