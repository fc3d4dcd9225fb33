import FoundationEssentials
import Testing
import Trust
import XML
import XMPP

@Suite struct CodecTests {
  private func decode(_ text: String) throws(TrustError) -> FriendBook {
    try FriendBook(decoding: Array(text.utf8), own: me, cryptography: testCryptography)
  }

  private func store(
    schema: Int = 1, friends: String = "", blocked: String = "", requests: String = "", invites: String = ""
  ) -> String {
    """
    {"schema": \(schema), "friends": [\(friends)], "blocked": [\(blocked)], "requests": [\(requests)], "asked": [],
     "invites": [\(invites)]}
    """
  }

  private func friend(_ id: NodeID, _ name: String, _ devices: [String] = []) -> String {
    let list = devices.map { "\"\($0)\"" }.joined(separator: ",")
    return """
      {"id": "\(id)", "petname": "\(name)", "devices": [\(list)], "since": "2024-01-02T03:04:05Z", "origin": "invite"}
      """
  }

  @Test func readsWhatPeopleCanRead() throws {
    let book = try decode(store(friends: friend(anna, "anna", ["anna@laptop", "Büro #2"])))
    #expect(book.friends.count == 1 && book.friends[0].devices.map(\.text) == ["anna@laptop", "Büro #2"])
    #expect(book.friends[0].since == Date(timeIntervalSince1970: 1_704_164_645))
    let text = String(decoding: try book.encoded(), as: UTF8.self)
    #expect(text.contains("\"schema\" : 1") && text.contains("2024-01-02T03:04:05Z"))
    #expect(text.hasSuffix("}\n"))
  }

  @Test func newerVersionsAreNamed() {
    let error = #expect(throws: TrustError.self) { try decode("{\"schema\": 2, \"people\": {}}") }
    #expect(error?.code == .newerSchema)
    #expect(error?.message.contains("schema 2") == true)
    #expect(code { _ = try decode(store(schema: 0)) } == .damaged)
    #expect(code { _ = try decode(store(schema: -1)) } == .damaged)
  }

  @Test func damageIsNamed() throws {
    let date = "\"since\": \"2024-01-02T03:04:05Z\""
    let damaged = [
      "", "{", "[]", "null", "{}", "{\"schema\": \"1\"}", "{\"schema\": 1}", store(friends: "{}"),
      store(friends: friend(anna, "friends")), store(friends: friend(anna, "")),
      store(friends: friend(anna, "anna", [""])),
      store(friends: friend(anna, "anna") + "," + friend(anna, "anne")),
      store(friends: friend(anna, "anna") + "," + friend(bob, "ANNA")),
      store(friends: friend(anna, "anna", ["tv@pi"]) + "," + friend(bob, "bob", ["TV@pi"])),
      store(friends: friend(anna, "anna"), blocked: "{\"id\": \"\(anna)\", \(date)}"),
      store(friends: friend(anna, "anna").replacing(anna.short, with: "AAAAAAA")),
      store(friends: friend(anna, "anna").replacing("2024", with: "yesterday")),
      store(requests: "{\"id\": \"\(anna)\", \(date)},{\"id\": \"\(anna)\", \(date)}"),
      store(requests: (0...64).map { "{\"id\": \"\(FakeKey.id("\($0)"))\", \(date)}" }.joined(separator: ",")),
    ]
    for text in damaged {
      #expect(code { _ = try decode(text) } == .damaged, "\(text.prefix(200))")
    }
    #expect(try decode(store(requests: "{\"id\": \"\(anna)\", \(date)}")).requests.count == 1)
  }

  @Test func aCutFileIsDamaged() throws {
    let whole = try book(with: anna, named: "anna", at: annasLaptop).encoded()
    for length in 0..<whole.count - 2 {
      #expect(throws: TrustError.self) {
        try FriendBook(decoding: Array(whole[..<length]), own: me, cryptography: testCryptography)
      }
    }
  }

  /// Whatever was done, what is loaded is what was stored, and storing it again gives the same bytes.
  @Test(arguments: 0..<12) func survivesRestarts(seed: UInt64) throws {
    var random = Seeded(state: seed)
    var book = newBook()
    let nodes = (0..<30).map { FakeKey.id("node \($0)") }
    for step in 0..<200 {
      let (id, now) = (nodes.randomElement(using: &random)!, start + Double(step) * 30)
      act(on: &book, id, number: Int.random(in: 0..<30, using: &random), now: now, &random)
      guard step.isMultiple(of: 5) else { continue }
      let loaded = try reload(book)
      #expect(loaded.friends == book.friends && loaded.blocked == book.blocked)
      #expect(loaded.requests == book.requests && loaded.asked == book.asked)
      #expect(loaded.invites(now: now) == book.invites(now: now))
      #expect(try loaded.encoded() == book.encoded())
    }
    #expect(Set(book.friends.map(\.petname)).count == book.friends.count)
    let devices = book.friends.flatMap(\.devices)
    #expect(Set(devices).count == devices.count)
    #expect(Set(book.friends.map(\.id)).isDisjoint(with: book.blocked.map(\.id)))
  }

  private func act(on book: inout FriendBook, _ id: NodeID, number: Int, now: Date, _ random: inout Seeded) {
    let jid = JID("Gerät \"\(number)\"\\@pi")!
    switch Int.random(in: 0..<11, using: &random) {
    case 0, 1: _ = book.received(.subscribe(FriendRequest(greeting: "ü\"\\/")), from: peer(id, jid), now: now)
    case 2, 3: _ = try? book.accept(id, petname: number < 10 ? name("n\(number)") : nil, now: now)
    case 4: _ = try? book.reject(id, now: now)
    case 5: _ = book.met(jid, id: id, now: now)
    case 6: _ = try? book.block(id, now: now)
    case 7: _ = try? book.unblock(id)
    case 8: _ = try? book.ask(id, jid: jid, now: now)
    case 9: _ = try? book.invite(token: random.bytes(16), petname: number < 5 ? name("i\(number)") : nil, now: now)
    default: _ = try? book.rename(id, to: name("r\(number)"))
    }
  }
}

@Suite struct FriendshipTests {
  @Test func presenceAndBack() throws {
    let rotation = KeyRotation(old: [1, 2], new: [3], signature: [4, 5, 6])
    let all: [Friendship] = [
      .subscribe(FriendRequest()), .subscribed, .unsubscribe, .unsubscribed, .later,
      .subscribe(FriendRequest(greeting: "hello", token: Array(0..<16), rotations: [rotation, rotation])),
    ]
    for friendship in all {
      let stanza = friendship.stanza(from: annasLaptop, to: thermostat)
      #expect(stanza.from == annasLaptop && stanza.to == thermostat && stanza.kind == .presence)
      let read = try #require(Stanza(stanza.element))
      #expect(Friendship(read) == friendship)
    }
  }

  @Test func otherStanzasAreNone() {
    #expect(Friendship(Stanza(.presence)) == nil)
    #expect(Friendship(Stanza(.presence, type: "probe")) == nil)
    #expect(Friendship(Stanza(.message, type: "subscribe")) == nil)
    #expect(Friendship(Stanza(.presence, type: "error", [StanzaError(.forbidden).element])) == nil)
  }

  @Test func aBrokenTokenStaysOne() throws {
    let stanza = Stanza(.presence, type: "subscribe", [Element("invite", namespace: Namespace.invite, text: "?")])
    var book = newBook()
    let friendship = try #require(Friendship(stanza))
    #expect(book.received(friendship, from: peer(anna), now: start).sent == [.unsubscribed])
    #expect(book.requests.isEmpty)
  }

  @Test func greetingsAreOnePrintableLine() {
    #expect(FriendRequest(greeting: " a\n\u{1B}[2Jb\u{9B}c\u{202E}d \u{2066}e\u{0}").greeting == "a [2Jb cd e")
    #expect(FriendRequest(greeting: "\n\t").greeting == nil)
    #expect(FriendRequest(greeting: "Grüße von Anna 👋").greeting == "Grüße von Anna 👋")
    let long = FriendRequest(greeting: String(repeating: "ö", count: 5000)).greeting ?? ""
    #expect(long.utf8.count == TrustLimits.greetingBytes)
  }
}

@Suite struct RotationTests {
  private func link(_ old: String, _ new: String, by signer: String? = nil) -> KeyRotation {
    let (old, new) = (FakeKey.spki(old), FakeKey.spki(new))
    let statement = KeyRotation.statement(old: old, new: new)
    return KeyRotation(
      old: old, new: new, signature: FakeKey.sign(statement, with: signer.map(FakeKey.spki) ?? old))
  }

  private func ask(
    _ book: inout FriendBook, _ chain: [KeyRotation], as name: String, at jid: JID? = annasLaptop
  ) -> [TrustAction] {
    book.received(.subscribe(FriendRequest(rotations: chain)), from: peer(FakeKey.id(name), jid), now: start)
  }

  @Test func aFriendBringsANewKey() throws {
    var book = try book(with: anna, named: "anna", at: annasLaptop)
    let new = FakeKey.id("anna 2")
    #expect(book.verdict(jid: annasLaptop, id: new) == .changed(expected: anna, seen: new))
    let actions = ask(&book, [link("anna", "anna 2")], as: "anna 2")
    #expect(
      actions == [.persist, .cut(anna), .tell(.rotated(book.friends[0], from: anna)), .send(.subscribed, to: new)])
    book = try reload(book)
    #expect(book.verdict(jid: annasLaptop, id: new) == .friend(name("anna")))
    #expect(
      book.verdict(jid: annasLaptop, id: anna) == .changed(expected: new, seen: anna), "the old key is worth nothing")
    #expect(book.verdict(jid: nil, id: anna) == .stranger)
  }

  @Test func whoWasAwayFollowsTheChain() throws {
    let chain = [link("anna 0", "anna"), link("anna", "anna 2"), link("anna 2", "anna 3")]
    var book = try book(with: anna, named: "anna", at: annasLaptop)
    #expect(ask(&book, chain, as: "anna 3").sent == [.subscribed])
    #expect(book.friends.map(\.id) == [FakeKey.id("anna 3")])
  }

  @Test func forgeriesAreRefused() throws {
    let forged: [(chain: [KeyRotation], bearer: String)] = [
      ([link("anna", "mallory", by: "mallory")], "mallory"),
      ([link("anna", "anna 2")], "mallory"),
      ([link("anna", "anna 2"), link("anna 2", "mallory", by: "mallory")], "mallory"),
      ([link("anna", "anna 2"), link("other", "mallory")], "mallory"),
      ([link("anna 2", "anna 3"), link("anna", "anna 2")], "anna 3"),
      ([link("anna", "anna")], "mallory"),
      ([link("mallory 0", "mallory")], "mallory"),
      (Array(repeating: link("anna", "mallory"), count: 17), "mallory"),
      ([], "mallory"),
    ]
    for (chain, bearer) in forged {
      var book = try book(with: anna, named: "anna", at: annasLaptop)
      let before = try book.encoded()
      #expect(ask(&book, chain, as: bearer).sent == [.unsubscribed])
      #expect(try book.encoded() == before)
    }
  }

  @Test func aReplayChangesNothing() throws {
    var book = try book(with: anna, named: "anna", at: annasLaptop)
    _ = ask(&book, [link("anna", "anna 2")], as: "anna 2")
    _ = ask(&book, [link("anna 2", "anna 3")], as: "anna 3")
    #expect(ask(&book, [link("anna", "anna 2")], as: "anna 2").sent == [.unsubscribed])
    #expect(book.friends.map(\.id) == [FakeKey.id("anna 3")])
  }

  @Test func noKeyOfAnotherIsTakenOver() throws {
    var book = try book(with: anna, named: "anna", at: annasLaptop)
    let blocked = FakeKey.id("blocked")
    _ = try book.block(blocked, now: start)
    #expect(ask(&book, [link("anna", "blocked")], as: "blocked", at: nil).sent == [.unsubscribed])
    #expect(book.friends.map(\.id) == [anna])
    _ = book.setFleet([FleetEntry(id: bob, petname: name("bob"))], now: start)
    #expect(ask(&book, [link("bob", "bob 2")], as: "bob 2", at: nil).sent == [.unsubscribed])
    #expect(book.friend(bob) != nil)
  }

  @Test func aChainOfStrangersIsAnOrdinaryRequest() {
    var book = newBook()
    _ = ask(&book, [link("x", "y")], as: "y")
    #expect(book.requests.map(\.id) == [FakeKey.id("y")])
  }

  @Test func theStatementNamesBothKeys() {
    let statements: Set<[UInt8]> = [
      KeyRotation.statement(old: [1, 2], new: [3]), KeyRotation.statement(old: [1], new: [2, 3]),
      KeyRotation.statement(old: [], new: [1, 2, 3]), KeyRotation.statement(old: [3], new: [1, 2]),
    ]
    #expect(statements.count == 4)
  }

  @Test func elementsAreBounded() {
    let chain = [link("a", "b"), link("b", "c")]
    #expect(KeyRotation.chain(KeyRotation.element(chain)) == chain)
    #expect(KeyRotation.chain(KeyRotation.element(Array(repeating: chain[0], count: 17))) == [])
    let large = KeyRotation(old: Array(repeating: 0, count: 1025), new: [1], signature: [1])
    #expect(KeyRotation.chain(KeyRotation.element([large])) == [])
    #expect(KeyRotation.chain(KeyRotation.element([chain[0], large])) == [], "all or nothing")
  }
}
