import FoundationEssentials
import Testing
import Trust
import XMPP

@Suite struct OwnerTests {
  @Test func removingCutsStreams() throws {
    var book = try book(with: anna, named: "anna", at: annasLaptop)
    let friend = book.friends[0]
    #expect(
      try book.remove(anna) == [.persist, .send(.unsubscribed, to: anna), .terminate(anna), .tell(.removed(friend))])
    #expect(book.verdict(jid: annasLaptop, id: anna) == .stranger)
    #expect(book.verdict(jid: annasLaptop, id: bob) == .stranger, "nothing is pinned any more")
    #expect(code { _ = try book.remove(anna) } == .unknown)
  }

  @Test func blockingCutsStreamsAndLasts() throws {
    var book = try book(with: anna, named: "anna", at: annasLaptop)
    let actions = try book.block(anna, now: start)
    #expect(actions == [.persist, .terminate(anna), .tell(.blocked(book.blocked[0]))])
    book = try reload(book)
    #expect(book.friends.isEmpty && book.blocked.map(\.petname) == [name("anna")])
    #expect(book.verdict(jid: annasLaptop, id: anna) == .blocked)
    #expect(book.received(.subscribe(FriendRequest()), from: peer(anna), now: start).sent == [.unsubscribed])
    #expect(book.received(.subscribed, from: peer(anna), now: start) == [])
    _ = try book.permit(seconds: 60, now: start)
    #expect(book.received(.subscribe(FriendRequest()), from: peer(anna), now: start).sent == [.unsubscribed])
    #expect(try book.find("Anna") == anna, "by what it was called")
    #expect(try book.unblock(anna).first == .persist)
    #expect(book.verdict(jid: annasLaptop, id: anna) == .stranger)
    #expect(code { _ = try book.unblock(anna) } == .unknown)
  }

  @Test func blockingEndsWhatWaits() throws {
    var book = newBook()
    _ = book.received(.subscribe(FriendRequest()), from: peer(anna), now: start)
    _ = try book.ask(bob, jid: nil, now: start)
    _ = try book.block(anna, now: start)
    _ = try book.block(bob, now: start)
    #expect(book.requests.isEmpty && book.asked.isEmpty)
    _ = try book.block(bob, now: start)
    #expect(book.blocked.count == 2)
  }

  @Test func petnamesAreUnique() throws {
    var book = try book(with: anna, named: "anna")
    _ = book.received(.subscribe(FriendRequest()), from: peer(bob), now: start)
    #expect(code { _ = try book.accept(bob, petname: name("Anna"), now: start) } == .petnameTaken)
    #expect(book.requests.count == 1, "the request still waits")
    _ = try book.accept(bob, petname: name("bob"), now: start)
    #expect(code { _ = try book.rename(bob, to: name("ANNA")) } == .petnameTaken)
    let renamed = try book.rename(anna, to: name("Anna"))
    #expect(renamed.first == .persist && book.friends[0].petname.text == "Anna")
    #expect(code { _ = try book.rename(me, to: name("x")) } == .unknown)
    #expect(code { _ = try book.accept(me, now: start) } == .unknown)
    #expect(code { _ = try book.reject(me, now: start) } == .unknown)
    #expect(code { _ = try book.withdraw(me) } == .unknown)
  }

  @Test func nodesAreFound() throws {
    var book = try book(with: anna, named: "anna", at: annasLaptop)
    _ = book.received(.subscribe(FriendRequest()), from: peer(bob, thermostat), now: start)
    #expect(try book.find("Anna") == anna)
    #expect(try book.find("anna@laptop") == anna)
    #expect(try book.find(anna.short.lowercased()) == anna)
    #expect(try book.find("THERMOSTAT@pi") == bob)
    #expect(try book.find(bob.short) == bob)
    #expect(try book.find(me.description.lowercased()) == me)
    #expect(code { _ = try book.find("nobody") } == .unknown)
    #expect(code { _ = try book.find("") } == .unknown)
    _ = book.received(.subscribe(FriendRequest()), from: peer(FakeKey.id("carl"), thermostat), now: start)
    #expect(code { _ = try book.find("thermostat@pi") } == .ambiguous)
  }

  @Test func theFleetComesFromFiles() throws {
    var book = newBook()
    let both = [FleetEntry(id: anna, petname: name("anna")), FleetEntry(id: bob, petname: name("bob"))]
    let added = book.setFleet(both, now: start)
    #expect(added.first == .persist && added.events.map(\.name) == ["friend-added", "friend-added"])
    #expect(book.setFleet(both, now: start + 1) == [])
    #expect(code { _ = try book.remove(anna) } == .policy)
    _ = book.met(annasLaptop, id: anna, now: start)
    book = try reload(book)
    #expect(book.verdict(jid: annasLaptop, id: bob) == .changed(expected: anna, seen: bob))
    let removed = book.setFleet([FleetEntry(id: anna, petname: name("anne"))], now: start)
    #expect(removed.first == .persist && removed.contains(.terminate(bob)))
    #expect(book.friends.map(\.petname.text) == ["anne"])
    #expect(book.friends[0].devices == [annasLaptop])
  }

  @Test func theFleetDoesNotOverruleTheOwner() throws {
    var book = try book(with: anna, named: "anna")
    _ = try book.block(bob, now: start)
    let carl = FakeKey.id("carl")
    let actions = book.setFleet(
      [
        FleetEntry(id: anna, petname: name("other")), FleetEntry(id: bob, petname: name("bob")),
        FleetEntry(id: carl, petname: name("anna")), FleetEntry(id: me, petname: name("me")),
      ], now: start)
    #expect(actions.events.map(\.name) == ["fleet-entry-refused", "fleet-entry-refused"])
    #expect(!actions.contains(.persist))
    #expect(book.friends.map(\.petname.text) == ["anna"] && book.friends[0].origin == .request)
    #expect(book.setFleet([], now: start) == [])
    #expect(book.friends.count == 1)
  }
}
