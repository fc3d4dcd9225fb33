import FoundationEssentials
import Testing
import Trust
import XMPP

@Suite struct FloodTests {
  private let keys = (0..<1000).map { FakeKey.id("flood \($0)") }

  /// 10,000 requests from 1,000 keys, within ten minutes.
  private func flood(_ book: inout FriendBook, addresses: Int) -> [TrustAction] {
    var actions: [TrustAction] = []
    for number in 0..<10_000 {
      let from = peer(
        keys[number % 1000], JID("bulb-\(number % 1000)@home"), address: "10.0.0.\(number % 1000 % addresses)")
      let greeting = String(repeating: "spam ", count: 1000)
      let now = start + Double(number) * 0.06
      actions += book.received(.subscribe(FriendRequest(greeting: greeting)), from: from, now: now)
    }
    return actions
  }

  @Test(arguments: [1, 1000]) func staysBounded(addresses: Int) throws {
    var book = try book(with: anna, named: "anna", at: annasLaptop)
    let actions = flood(&book, addresses: addresses)
    #expect(book.requests.count <= (addresses == 1 ? TrustLimits.requestsPerAddress : TrustLimits.requests))
    #expect(book.requests.count >= TrustLimits.requestsPerAddress)
    // Writes to disk and lines of the log: a burst, then one in ten seconds.
    #expect(actions.count { $0 == .persist } <= TrustLimits.requests)
    #expect(actions.events.count <= 64 + 2 * (TrustLimits.refusalBurst + 60))
    let hidden = actions.events.reduce(0) { if case .suppressed(let count) = $1 { $0 + count } else { $0 } }
    #expect(hidden > 7000, "what is not logged is counted")
    #expect(try book.encoded().count < 64 * 1024)
    // The friend and the owner notice nothing.
    #expect(book.verdict(jid: annasLaptop, id: anna) == .friend(name("anna")))
    #expect(book.friends.count == 1)
    let first = try #require(book.requests.first)
    #expect(try book.accept(first.id, now: start).sent == [.subscribed])
    #expect(book.requests.allSatisfy { ($0.greeting ?? "").utf8.count <= TrustLimits.greetingBytes })
  }

  @Test func oneGadgetDoesNotCloseTheDoorForOthers() throws {
    var book = newBook()
    _ = flood(&book, addresses: 1)
    _ = book.received(.subscribe(FriendRequest()), from: peer(bob, address: "10.0.0.77"), now: start + 660)
    #expect(book.requests.contains { $0.id == bob })
  }

  @Test func theRefusedAreToldToComeBack() throws {
    var book = newBook()
    for number in 0..<4 {
      _ = book.received(.subscribe(FriendRequest()), from: peer(keys[number], address: "10.0.0.1"), now: start)
    }
    let refused = book.received(.subscribe(FriendRequest()), from: peer(anna, address: "10.0.0.1"), now: start)
    #expect(refused.sent == [.later])
    #expect(refused.events == [.requestRefused(anna, nil, .queueFull)])
  }

  @Test func anOpenNodeTakesNoMoreFriendsThanItCanHold() throws {
    var book = newBook(mode: .accept)
    for number in 0..<1200 {
      let id = FakeKey.id("guest \(number)")
      _ = book.received(.subscribe(FriendRequest()), from: peer(id), now: start + Double(number) * 10)
    }
    #expect(book.friends.count == TrustLimits.friends)
    let last = book.received(.subscribe(FriendRequest()), from: peer(anna), now: start + 1_000_000)
    #expect(last.sent == [.later])
    #expect(last.events.last == .requestRefused(anna, nil, .friendsFull))
  }

  @Test func comingAndGoingIsLimitedToo() {
    var book = newBook()
    var writes = 0
    for number in 0..<1000 {
      let now = start + Double(number) * 0.01
      writes += book.received(.subscribe(FriendRequest()), from: peer(anna), now: now).count { $0 == .persist }
      writes += book.received(.unsubscribe, from: peer(anna), now: now).count { $0 == .persist }
    }
    #expect(writes <= 2 * (TrustLimits.requestBurst + 1))
  }

  @Test func aClockThatIsSetBackGivesNothingAndTakesNothing() {
    var book = newBook(mode: .accept)
    for number in 0..<100 { _ = book.received(.subscribe(FriendRequest()), from: peer(keys[number]), now: start) }
    #expect(book.friends.count == TrustLimits.requestBurst)
    let past = start - 365 * 86400
    let refused = book.received(.subscribe(FriendRequest()), from: peer(anna), now: past)
    #expect(refused.sent == [.later])
    let later = book.received(.subscribe(FriendRequest()), from: peer(anna), now: past + TrustLimits.requestInterval)
    #expect(later.sent == [.subscribed])
    let future = start + 365 * 86400
    for number in 100..<300 { _ = book.received(.subscribe(FriendRequest()), from: peer(keys[number]), now: future) }
    #expect(book.friends.count == 2 * TrustLimits.requestBurst + 1)
  }

  @Test func forgedTokensDoNotFloodTheLog() {
    var book = newBook()
    var (random, actions) = (Seeded(state: 7), [TrustAction]())
    for number in 0..<10_000 {
      let request = FriendRequest(token: random.bytes(16))
      actions += book.received(.subscribe(request), from: peer(keys[number % 1000]), now: start)
    }
    #expect(actions.sent.count == 10_000 && actions.sent.allSatisfy { $0 == .unsubscribed })
    #expect(actions.events.count == TrustLimits.refusalBurst)
    #expect(!actions.contains(.persist))
    #expect(book.requests.isEmpty)
  }
}
