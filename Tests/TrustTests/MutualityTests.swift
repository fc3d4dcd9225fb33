import FoundationEssentials
import TestKit
import Testing
import XMPP

@testable import Trust

/// Friendships that only one side knows of.
struct MutualityTests {
  private static func since(_ book: FriendBook, _ id: NodeID = anna) -> Date? { book.friend(id)?.renounced }

  // MARK: The side that still has the other

  /// It refused for that reason, answered so, or said it: each is noted once, and survives a restart.
  @Test func aFriendThatTreatsThisNodeAsAStrangerIsNoted() throws {
    let friendly = try book(with: anna, named: "anna", at: annasLaptop)
    var (refused, told) = (friendly, friendly)
    let actions = refused.renounced(by: anna, now: start + 1)
    #expect(actions.first == .persist && actions.events.map(\.name) == ["friendship-renounced"])
    #expect(refused.renounced(by: anna, now: start + 2).isEmpty)
    #expect(Self.since(refused) == start + 1)
    #expect(try Self.since(reload(refused)) == start + 1)
    #expect(refused.verdict(jid: annasLaptop, id: anna) == .friend(name("anna")))
    #expect(told.received(.unsubscribed, from: peer(anna), now: start + 1).contains(.persist))
    #expect(Self.since(told) == start + 1)
    // Whoever waits for the answer to a request gets it all the same.
    let again = told.received(.unsubscribed, from: peer(anna), now: start + 2)
    #expect(again.events.map(\.name) == ["friendship-renounced"] && !again.contains(.persist))
    #expect(Self.since(told) == start + 1)
  }

  @Test func strangersRenounceNothing() throws {
    var book = try book(with: anna, named: "anna")
    #expect(book.renounced(by: bob, now: start).isEmpty && book.confirmed(by: bob, now: start).isEmpty)
    #expect(Self.since(book) == nil)
  }

  /// Its word, its answer to a report, its request for friendship, and its query for a report all show that it is one again.
  @Test func itIsOverOnceTheFriendSaysSo() throws {
    var renounced = try book(with: anna, named: "anna", at: annasLaptop)
    _ = renounced.renounced(by: anna, now: start)
    let ways: [(inout FriendBook) -> [TrustAction]] = [
      { $0.received(.subscribed, from: peer(anna), now: start + 1) }, { $0.confirmed(by: anna, now: start + 1) },
      { $0.claimed(by: peer(anna), now: start + 1) },
      { $0.received(.subscribe(FriendRequest()), from: peer(anna), now: start + 1) },
    ]
    for (index, way) in ways.enumerated() {
      var book = renounced
      let actions = way(&book)
      #expect(Self.since(book) == nil && actions.contains(.persist), "\(index)")
      #expect(actions.events.map(\.name) == ["friend-confirmed"])
      #expect(try Self.since(reload(book)) == nil)
    }
    _ = try renounced.remove(anna)
    _ = renounced.received(.subscribe(FriendRequest()), from: peer(anna), now: start)
    _ = try renounced.accept(anna, now: start)
    #expect(Self.since(renounced) == nil, "a friend who was made anew is one")
  }

  /// What a friend does in turns shall not keep the disk busy.
  @Test func changesAreWrittenSoOftenOnly() throws {
    var book = try book(with: anna, named: "anna")
    var written = 0
    for _ in 0..<1000 {
      written += book.received(.unsubscribed, from: peer(anna), now: start).count { $0 == .persist }
      written += book.received(.subscribed, from: peer(anna), now: start).count { $0 == .persist }
    }
    #expect(written == TrustLimits.requestBurst)
    _ = book.received(.unsubscribed, from: peer(anna), now: start)
    #expect(Self.since(book) != nil, "it counts all the same")
  }

  @Test func aStoreOfAnEarlierVersionIsRead() throws {
    let text = String(decoding: try book(with: anna, named: "anna").encoded(), as: UTF8.self)
    #expect(!text.contains("renounced"), "an earlier version reads what has not come out")
  }

  // MARK: The side that has not

  @Test func whoeverStillListsThisNodeIsShown() {
    var book = newBook()
    let actions = book.claimed(by: peer(anna, annasLaptop, address: "10.0.0.2"), now: start)
    #expect(actions.events.map(\.name) == ["friendship-claimed"] && !actions.contains(.persist))
    #expect(book.claimedFriendships.map(\.id) == [anna])
    #expect(book.claimedFriendships.map(\.jid) == [annasLaptop])
    #expect(book.claimed(by: peer(anna, annasLaptop), now: start + 1).isEmpty)
    #expect(book.verdict(jid: annasLaptop, id: anna) == .stranger)
  }

  @Test func itIsForgottenOnceItIsOver() throws {
    var claimed = newBook()
    _ = claimed.claimed(by: peer(anna, annasLaptop), now: start)
    var (friend, blocked, gone) = (claimed, claimed, claimed)
    _ = try friend.ask(anna, jid: annasLaptop, now: start)
    _ = friend.received(.subscribed, from: peer(anna, annasLaptop), now: start)
    #expect(friend.friend(anna) != nil && friend.claimedFriendships.isEmpty)
    #expect(try blocked.find("anna@laptop") == anna && blocked.find(anna.short) == anna)
    _ = try blocked.block(anna, now: start)
    #expect(blocked.claimedFriendships.isEmpty && blocked.claimed(by: peer(anna), now: start).isEmpty)
    #expect(gone.received(.unsubscribed, from: peer(anna), now: start).events.count == 1)
    #expect(gone.claimedFriendships.isEmpty)
  }

  /// Who asks, or was asked, waits for a word already.
  @Test func whoeverWaitsIsNotShownTwice() throws {
    var book = newBook()
    _ = book.received(.subscribe(FriendRequest()), from: peer(anna), now: start)
    _ = try book.ask(bob, jid: nil, now: start)
    #expect(book.claimed(by: peer(anna), now: start).isEmpty && book.claimed(by: peer(bob), now: start).isEmpty)
    #expect(book.claimedFriendships.isEmpty)
  }

  @Test func nobodyFillsTheList() {
    var book = newBook()
    for index in 0..<1000 { _ = book.claimed(by: peer(FakeKey.id("\(index)"), address: "10.0.0.9"), now: start) }
    #expect(book.claimedFriendships.count == TrustLimits.requestsPerAddress)
    for index in 0..<1000 { _ = book.claimed(by: peer(FakeKey.id("\(index)"), address: "10.1.\(index)"), now: start) }
    #expect(book.claimedFriendships.count == TrustLimits.requests)
  }

  /// The other side is told, before its streams end.
  @Test func whoIsRemovedIsToldSo() throws {
    var book = try book(with: anna, named: "anna")
    let actions = try book.remove(anna)
    #expect(Array(actions.prefix(3)) == [.persist, .send(.unsubscribed, to: anna), .terminate(anna)])
    var other = newBook()
    _ = other.setFleet([FleetEntry(id: bob, petname: name("bob"))], now: start)
    #expect(other.setFleet([], now: start).sent == [.unsubscribed])
  }
}
