import FoundationEssentials
import Testing
import Trust
import XMPP

@Suite struct CodecTests {
  private func decode(_ text: String) throws(TrustError) -> FriendBook {
    try FriendBook(decoding: Array(text.utf8), own: me, ownKey: [], cryptography: testCryptography)
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

  /// What is read is what would be written.
  @Test(arguments: ["2024-01-02T03:04:0.7Z", "2024-01-02T03:04:05.9Z"]) func datesAreOfWholeSeconds(_ date: String)
    throws
  {
    let text = friend(anna, "anna").replacing("2024-01-02T03:04:05Z", with: date)
    guard let book = try? decode(store(friends: text)) else { return }
    #expect(try decode(String(decoding: book.encoded(), as: UTF8.self)).friends == book.friends)
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
        try FriendBook(decoding: Array(whole[..<length]), own: me, ownKey: [], cryptography: testCryptography)
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
