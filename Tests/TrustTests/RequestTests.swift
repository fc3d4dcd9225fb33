import FoundationEssentials
import Testing
import Trust
import XMPP

@Suite struct RequestTests {
  @Test func aRequestWaitsForTheOwner() throws {
    var book = newBook()
    let asked = book.received(
      .subscribe(FriendRequest(greeting: "it is me")), from: peer(anna, annasLaptop, address: "10.0.0.5"), now: start)
    #expect(asked.first == .persist)
    #expect(asked.events.map(\.name) == ["request-waiting"])
    #expect(asked.sent.isEmpty)
    let request = try #require(book.requests.first)
    #expect(request.id == anna && request.jid == annasLaptop && request.address == "10.0.0.5")
    #expect(request.greeting == "it is me" && request.since == start)
    #expect(book.verdict(jid: annasLaptop, id: anna) == .stranger)

    let accepted = try book.accept(anna, petname: name("anna"), now: start + 5)
    #expect(accepted == [.persist, .tell(.befriended(book.friends[0])), .send(.subscribed, to: anna)])
    #expect(book.requests.isEmpty)
    #expect(book.verdict(jid: annasLaptop, id: anna) == .friend(name("anna")))
    #expect(book.friends[0].devices == [annasLaptop])
    #expect(book.friends[0].origin == .request)
  }

  @Test func askingAgainChangesTheGreeting() {
    var book = newBook()
    _ = book.received(.subscribe(FriendRequest()), from: peer(anna), now: start)
    let again = book.received(.subscribe(FriendRequest(greeting: "please")), from: peer(anna), now: start + 1)
    #expect(again == [.persist, .tell(.requested(book.requests[0]))])
    #expect(book.requests.count == 1 && book.requests[0].greeting == "please" && book.requests[0].since == start)
    for request in [FriendRequest(), FriendRequest(greeting: "please")] {
      #expect(book.received(.subscribe(request), from: peer(anna), now: start + 2) == [])
    }
    // Not more often than there may be requests.
    let changes = (0..<100).count { number in
      !book.received(.subscribe(FriendRequest(greeting: "\(number)")), from: peer(anna), now: start + 3).isEmpty
    }
    #expect(changes < TrustLimits.requestBurst)
  }

  @Test func aFriendWhoAsksIsTold() throws {
    var book = try book(with: anna, named: "anna")
    #expect(book.received(.subscribe(FriendRequest()), from: peer(anna), now: start) == [.send(.subscribed, to: anna)])
  }

  @Test func rejectedNodesMustWait() throws {
    var book = newBook()
    _ = book.received(.subscribe(FriendRequest()), from: peer(anna), now: start)
    let rejected = try book.reject(anna, now: start)
    #expect(rejected == [.persist, .tell(.requestRejected(anna)), .send(.unsubscribed, to: anna)])
    let again = book.received(.subscribe(FriendRequest()), from: peer(anna), now: start + 60)
    #expect(again.sent == [.unsubscribed])
    #expect(book.requests.isEmpty)
    _ = book.received(.subscribe(FriendRequest()), from: peer(anna), now: start + TrustLimits.rejectionPause)
    #expect(book.requests.count == 1)
  }

  @Test func modesOfTheConfiguration() {
    var closed = newBook(mode: .reject)
    #expect(closed.received(.subscribe(FriendRequest()), from: peer(anna), now: start).sent == [.unsubscribed])
    #expect(closed.requests.isEmpty && closed.friends.isEmpty)

    var open = newBook(mode: .accept)
    let actions = open.received(.subscribe(FriendRequest()), from: peer(anna, annasLaptop), now: start)
    #expect(actions.first == .persist)
    #expect(actions.last == .send(.subscribed, to: anna))
    #expect(open.friends.map(\.origin) == [.open])
    #expect(open.friends[0].petname.text.hasPrefix("node-"), "never what the peer says of itself")
  }

  @Test func theWindowOpensAndCloses() throws {
    var book = newBook(mode: .reject)
    #expect(try book.permit(seconds: 120, now: start) == [.tell(.permitOpened(seconds: 120))])
    #expect(book.deadline == start + 120)
    #expect(book.permit(now: start + 20)?.seconds(now: start + 20) == 100)
    #expect(book.received(.subscribe(FriendRequest()), from: peer(anna), now: start + 119).sent == [.subscribed])
    #expect(book.friends.map(\.origin) == [.permit])
    #expect(book.received(.subscribe(FriendRequest()), from: peer(bob), now: start + 120).sent == [.unsubscribed])
    #expect(book.expire(now: start + 119) == [])
    #expect(book.expire(now: start + 120) == [.tell(.permitClosed)])
    #expect(book.deadline == nil && book.closePermit() == [])
  }

  @Test func aClockThatIsSetBackClosesTheWindow() throws {
    var book = newBook(mode: .reject)
    _ = try book.permit(seconds: 120, now: start)
    #expect(book.received(.subscribe(FriendRequest()), from: peer(anna), now: start - 1).sent == [.unsubscribed])
    #expect(book.expire(now: start - 1) == [.tell(.permitClosed)])
  }

  @Test func theWindowHasLimitsAndDoesNotLetInWhoWaitedBefore() throws {
    var book = newBook()
    _ = book.received(.subscribe(FriendRequest()), from: peer(anna), now: start)
    for seconds in [0, -5, 901, .infinity, .nan] {
      #expect(throws: TrustError.self) { try book.permit(seconds: seconds, now: start) }
    }
    _ = try book.permit(seconds: 60, now: start)
    #expect(book.friends.isEmpty && book.requests.count == 1)
    #expect(book.received(.subscribe(FriendRequest()), from: peer(anna), now: start + 1).sent == [.subscribed])
    #expect(book.requests.isEmpty)
  }

  @Test func requestsCanBeTakenBack() {
    var book = newBook()
    _ = book.received(.subscribe(FriendRequest()), from: peer(anna), now: start)
    let actions = book.received(.unsubscribe, from: peer(anna), now: start)
    #expect(actions == [.persist, .tell(.requestWithdrawn(anna))])
    #expect(book.received(.unsubscribe, from: peer(anna), now: start) == [])
  }

  @Test func nobodyFollowsFromAnUnaskedYes() {
    var book = newBook()
    #expect(book.received(.subscribed, from: peer(anna), now: start) == [])
    #expect(book.friends.isEmpty)
  }

  @Test func oneOwnKeyIsNoFriend() throws {
    var book = newBook(mode: .accept)
    #expect(book.received(.subscribe(FriendRequest()), from: peer(me), now: start).sent == [.unsubscribed])
    #expect(throws: TrustError.self) { try book.ask(me, jid: nil, now: start) }
    #expect(throws: TrustError.self) { try book.block(me, now: start) }
    #expect(book.friends.isEmpty)
  }
}

@Suite struct AskingTests {
  @Test func aYesMakesAFriend() throws {
    var book = newBook()
    let actions = try book.ask(anna, jid: annasLaptop, petname: name("anna"), greeting: "hello", now: start)
    #expect(actions.sent == [.subscribe(FriendRequest(greeting: "hello"))])
    #expect(actions.first == .persist)
    #expect(book.asked.map(\.id) == [anna])
    #expect(book.verdict(jid: annasLaptop, id: anna) == .stranger)
    book = try reload(book)
    let agreed = book.received(.subscribed, from: peer(anna, annasLaptop), now: start + 3600)
    #expect(agreed == [.persist, .tell(.befriended(book.friends[0]))])
    #expect(book.verdict(jid: annasLaptop, id: anna) == .friend(name("anna")))
    #expect(book.asked.isEmpty)
  }

  @Test func aYesOfAnotherKeyIsNone() throws {
    var book = newBook()
    _ = try book.ask(anna, jid: annasLaptop, now: start)
    #expect(book.received(.subscribed, from: peer(bob, annasLaptop), now: start) == [])
    #expect(book.friends.isEmpty && book.asked.count == 1)
  }

  @Test func aYesUnderAnothersAddressIsNone() throws {
    var book = try book(with: bob, named: "bob", at: thermostat)
    _ = try book.ask(anna, jid: annasLaptop, now: start)
    #expect(book.received(.subscribed, from: peer(anna, thermostat), now: start) == [])
    #expect(book.friends.count == 1)
  }

  @Test func aNoEndsIt() throws {
    var book = newBook()
    _ = try book.ask(anna, jid: nil, now: start)
    let node = book.asked[0]
    #expect(book.received(.unsubscribed, from: peer(anna), now: start) == [.persist, .tell(.declined(node))])
    #expect(book.asked.isEmpty)
  }

  @Test func bothAtOnceAgree() throws {
    var book = newBook()
    _ = try book.ask(anna, jid: nil, petname: name("anna"), now: start)
    let actions = book.received(.subscribe(FriendRequest()), from: peer(anna), now: start)
    #expect(actions.sent == [.subscribed])
    #expect(book.friends.map(\.petname) == [name("anna")])
    #expect(book.asked.isEmpty)

    var other = newBook()
    _ = other.received(.subscribe(FriendRequest()), from: peer(anna), now: start)
    let answer = try other.ask(anna, jid: nil, petname: name("anna"), now: start)
    #expect(answer.sent == [.subscribed, .subscribe(FriendRequest())])
    #expect(other.friends.count == 1 && other.requests.isEmpty)
  }

  @Test func askingIsRefusedWhereItCannotEndWell() throws {
    var book = try book(with: anna, named: "anna", at: annasLaptop)
    _ = try book.block(bob, now: start)
    #expect(code { _ = try book.ask(bob, jid: nil, now: start) } == .blocked)
    let carl = FakeKey.id("carl")
    #expect(code { _ = try book.ask(carl, jid: annasLaptop, now: start) } == .changed)
    #expect(code { _ = try book.ask(carl, jid: nil, petname: name("ANNA"), now: start) } == .petnameTaken)
    #expect(book.asked.isEmpty)
    #expect(try book.ask(anna, jid: annasLaptop, now: start) == [.send(.subscribe(FriendRequest()), to: anna)])
    for index in 0..<TrustLimits.asked { _ = try book.ask(FakeKey.id("\(index)"), jid: nil, now: start) }
    #expect(code { _ = try book.ask(carl, jid: nil, now: start) } == .full)
    _ = try book.withdraw(FakeKey.id("0"))
    _ = try book.ask(carl, jid: nil, now: start)
  }

  @Test func aFriendWhoRenouncesStaysAFriendHere() throws {
    var book = try book(with: anna, named: "anna", at: annasLaptop)
    let actions = book.received(.unsubscribed, from: peer(anna), now: start)
    #expect(actions.events.map(\.name) == ["friendship-renounced"])
    #expect(book.verdict(jid: annasLaptop, id: anna) == .friend(name("anna")))
  }
}

func code(_ body: () throws -> Void) -> TrustError.Code? {
  do {
    try body()
    return nil
  } catch {
    return (error as? TrustError)?.code
  }
}
