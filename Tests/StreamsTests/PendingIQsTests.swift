import NIOCore
import Testing
import XMPP

@testable import Streams

@Suite struct PendingIQsTests {
  private let romeo = JID("romeo@montague")!
  private let juliet = JID("juliet@capulet")!

  static func at(_ seconds: UInt64) -> NIODeadline { .uptimeNanoseconds(seconds * 1_000_000_000) }

  @Test func anAnswerFindsItsWaiterOnce() {
    var pending = PendingIQs<Int>()
    let first = pending.register(1, deadline: Self.at(5))
    let second = pending.register(2, deadline: Self.at(5))
    #expect(first != second)
    #expect(pending.resolve(second, from: nil) == 2)
    #expect(pending.resolve(second, from: nil) == nil)
    #expect(pending.resolve(nil, from: nil) == nil)
    #expect(pending.resolve("unknown", from: nil) == nil)
    #expect(pending.count == 1)
  }

  /// Ids can be guessed: only who was asked may answer (RFC 6120 §§8.1.2.1, 10.5).
  @Test func anAnswerOfAnotherThanWasAskedIsNone() throws {
    var pending = PendingIQs<Int>()
    let full = try #require(JID("romeo@forza/orchard"))
    let id = pending.register(1, to: full, deadline: Self.at(5))
    for sender in [nil, romeo, juliet, JID("romeo@forza/Orchard"), JID("mallory@forza/orchard")] {
      #expect(pending.resolve(id, from: sender) == nil)
    }
    #expect(pending.count == 1 && pending.nextDeadline() == Self.at(5), "it still waits")
    #expect(pending.resolve(id, from: JID("Romeo@Forza/orchard")) == 1)
    #expect(pending.resolve(id, from: full) == nil)
  }

  @Test func onADirectStreamAllIsThePeers() {
    var pending = PendingIQs<Int>()
    let ids = (0..<2).map { pending.register($0, deadline: nil) }
    #expect(pending.resolve(ids[0], from: romeo) == 0)
    #expect(pending.resolve(ids[1], from: nil) == 1)
  }

  @Test func whoNoLongerWaitsIsRemoved() {
    var pending = PendingIQs<Int>()
    let id = pending.register(1, to: romeo, deadline: Self.at(5))
    #expect(pending.remove(id) == 1)
    #expect(pending.remove(id) == nil && pending.resolve(id, from: romeo) == nil)
    #expect(pending.nextDeadline() == nil)
  }

  @Test func waitersExpireInOrder() {
    var pending = PendingIQs<String>()
    #expect(pending.nextDeadline() == nil)
    let late = pending.register("late", deadline: Self.at(9))
    let early = pending.register("early", deadline: Self.at(3))
    _ = pending.register("middle", deadline: Self.at(5))
    #expect(pending.nextDeadline() == Self.at(3))
    #expect(pending.resolve(early, from: nil) == "early")
    #expect(pending.nextDeadline() == Self.at(5))
    #expect(pending.expired(Self.at(4)).isEmpty)
    #expect(pending.expired(Self.at(9)) == ["middle", "late"])
    #expect(pending.expired(Self.at(99)).isEmpty)
    #expect(pending.resolve(late, from: nil) == nil, "too late")
    #expect(pending.nextDeadline() == nil)
  }

  @Test func theEndOfTheStreamFailsAll() {
    var pending = PendingIQs<Int>()
    let ids = (0..<5).map { pending.register($0, deadline: Self.at(UInt64($0))) }
    _ = pending.resolve(ids[2], from: nil)
    #expect(pending.failAll().sorted() == [0, 1, 3, 4])
    #expect(pending.failAll().isEmpty)
    #expect(pending.expired(Self.at(99)).isEmpty)
    #expect(pending.count == 0)
  }

  @Test func idsAreNeverUsedAgain() {
    var pending = PendingIQs<Int>()
    var seen = Set<String>()
    for index in 0..<10_000 {
      let id = pending.register(index, deadline: Self.at(1))
      #expect(seen.insert(id).inserted)
      #expect(pending.resolve(id, from: nil) == index)
      if index % 1000 == 0 { _ = pending.failAll() }
    }
  }

  @Test func deadlinesOfTheAnsweredAreNotKept() {
    var pending = PendingIQs<Int>()
    let slow = pending.register(-1, deadline: Self.at(7))
    for index in 0..<100_000 {
      let id = pending.register(index, deadline: Self.at(120))
      #expect(pending.resolve(id, from: nil) == index)
      if pending.deadlines > 70 { break }
    }
    #expect(pending.deadlines <= 70)
    #expect(pending.nextDeadline() == Self.at(7))
    #expect(pending.resolve(slow, from: nil) == -1)
  }

  @Test func thoseOfOneKindAreForgotten() {
    var pending = PendingIQs<Int>()
    let ids = (0..<10).map { pending.register($0, deadline: $0 == 4 ? Self.at(1) : nil) }
    pending.removeAll { $0.isMultiple(of: 2) }
    #expect(pending.count == 5)
    #expect(pending.resolve(ids[4], from: nil) == nil)
    #expect(pending.resolve(ids[5], from: nil) == 5)
    #expect(pending.nextDeadline() == nil)
  }
}
