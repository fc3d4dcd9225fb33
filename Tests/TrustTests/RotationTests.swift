import Testing
import Trust
import XMPP

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
      actions == [
        .persist, .terminate(anna), .tell(.rotated(book.friends[0], from: anna)), .send(.subscribed, to: new),
      ])
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
