import Testing
import Trust
import XMPP

@Suite struct PinningTests {
  @Test func aFriendsDeviceIsItsOwnFromFirstContact() throws {
    var book = try book(with: anna, named: "anna")
    #expect(book.verdict(jid: thermostat, id: anna) == .friend(name("anna")))
    #expect(book.met(thermostat, id: anna, now: start).first == .persist)
    #expect(book.met(thermostat, id: anna, now: start) == [])
    #expect(book.verdict(jid: JID("Thermostat@PI"), id: bob) == .changed(expected: anna, seen: bob))
    #expect(book.verdict(jid: thermostat, id: nil) == .changed(expected: anna, seen: nil), "no way back to plaintext")
    #expect(book.met(thermostat, id: bob, now: start) == [])
    #expect(book.friends[0].devices == [thermostat], "untouched")
  }

  @Test func oneFriendCannotTakeAnothersDevice() throws {
    var book = try book(with: anna, named: "anna", at: thermostat)
    _ = book.received(.subscribe(FriendRequest()), from: peer(bob), now: start)
    _ = try book.accept(bob, petname: name("bob"), now: start)
    #expect(book.met(thermostat, id: bob, now: start) == [])
    #expect(book.verdict(jid: thermostat, id: bob) == .changed(expected: anna, seen: bob))
    #expect(book.verdict(jid: thermostat, id: anna) == .friend(name("anna")))
  }

  @Test func strangersPinNothing() {
    var book = newBook()
    #expect(book.met(thermostat, id: anna, now: start) == [])
    #expect(book.verdict(jid: thermostat, id: bob) == .stranger)
  }

  @Test func aRequestUnderAFriendsNameIsRefused() throws {
    var book = try book(with: anna, named: "anna", at: annasLaptop)
    let actions = book.received(.subscribe(FriendRequest()), from: peer(bob, annasLaptop), now: start)
    #expect(actions.sent == [.unsubscribed])
    #expect(actions.events == [.requestRefused(bob, annasLaptop, .changed)])
    #expect(book.requests.isEmpty)
  }

  @Test func whoWaitsUnderANameThatIsTakenMeanwhileDoesNotGetIt() throws {
    var book = newBook()
    _ = book.received(.subscribe(FriendRequest()), from: peer(bob, annasLaptop), now: start)
    _ = book.received(.subscribe(FriendRequest()), from: peer(anna, annasLaptop), now: start)
    _ = try book.accept(anna, now: start)
    #expect(code { _ = try book.accept(bob, now: start) } == .changed)
  }

  @Test func announcedIdsAreComparedAndProveNothing() throws {
    var book = try book(with: anna, named: "anna")
    let hint = anna.description
    #expect(book.verdict(jid: thermostat, id: bob, hint: hint) == .mismatch(announced: hint, seen: bob))
    #expect(book.verdict(jid: thermostat, id: nil, hint: hint) == .mismatch(announced: hint, seen: nil))
    #expect(book.verdict(jid: thermostat, id: bob, hint: "nonsense") == .mismatch(announced: "nonsense", seen: bob))
    #expect(book.verdict(jid: thermostat, id: nil, hint: "nonsense") == .mismatch(announced: "nonsense", seen: nil))
    #expect(book.verdict(jid: thermostat, id: bob, hint: bob.description.lowercased()) == .stranger)
    #expect(book.verdict(jid: thermostat, id: anna, hint: hint) == .friend(name("anna")))
    #expect(book.verdict(jid: thermostat, id: nil) == .plaintext)
    // A pinned key outranks what anybody may announce, so that a spoofed record does not lock a friend out.
    _ = book.met(thermostat, id: anna, now: start)
    #expect(book.verdict(jid: thermostat, id: anna, hint: bob.description) == .friend(name("anna")))
    #expect(book.verdict(jid: thermostat, id: bob, hint: bob.description) == .changed(expected: anna, seen: bob))
  }

  @Test func appearances() throws {
    var book = try book(with: anna, named: "anna", at: annasLaptop)
    _ = try book.block(bob, now: start)
    let carl = FakeKey.id("carl")
    #expect(book.appearance(jid: annasLaptop, hint: anna.description) == .friend(name("anna")))
    #expect(book.appearance(jid: annasLaptop, hint: nil) == .friend(name("anna")))
    #expect(book.appearance(jid: annasLaptop, hint: carl.description) == .changed(expected: anna, seen: carl))
    #expect(book.appearance(jid: thermostat, hint: anna.description) == .friend(name("anna")))
    #expect(book.appearance(jid: thermostat, hint: nil) == .plaintext)
    #expect(book.appearance(jid: thermostat, hint: carl.description) == .stranger)
    #expect(book.appearance(jid: thermostat, hint: bob.description) == .blocked)
    #expect(book.appearance(jid: thermostat, hint: "?").word == "CHANGED")
    #expect(book.appearance(jid: thermostat, hint: me.description) == .stranger, "anyone can announce our id")
    #expect(book.expectedKey(of: annasLaptop, hint: carl.description) == anna)
    #expect(book.expectedKey(of: thermostat, hint: carl.description) == carl)
    #expect(book.expectedKey(of: thermostat, hint: nil) == nil)
  }

  @Test func devicesAreBounded() throws {
    var book = try book(with: anna, named: "anna")
    for number in 0..<TrustLimits.devices { _ = book.met(JID("d\(number)@pi")!, id: anna, now: start) }
    let more = book.met(thermostat, id: anna, now: start)
    #expect(more.events.map(\.name) == ["device-not-pinned"])
    #expect(book.friends[0].devices.count == TrustLimits.devices)
    #expect(try reload(book).friends == book.friends)
  }

  @Test func verdictsHaveTheirWordsAndReasons() {
    let standings: [Standing] = [
      .self, .friend(name("anna")), .stranger, .plaintext, .changed(expected: anna, seen: bob), .blocked,
    ]
    #expect(standings.map(\.word) == ["self", "friend", "stranger", "plaintext", "CHANGED", "blocked"])
    #expect(standings.map { $0.refusal == nil } == [true, true, true, true, false, false])
    let detail = Standing.changed(expected: anna, seen: bob).refusal?.detail ?? ""
    #expect(detail.contains(anna.description) && detail.contains(bob.description))
  }
}
