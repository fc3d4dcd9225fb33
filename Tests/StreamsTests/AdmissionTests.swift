import Testing

@testable import Streams

@Suite struct AdmissionTests {
  @Test(arguments: [true, false]) func everyWayOutGivesThePlaceBack(_ isKnown: Bool) throws {
    let admission = Admission()
    for _ in 1...100 {
      let early = try #require(admission.admit("a"))
      early.release()
      early.release()
      #expect(!early.established(isKnown: isKnown))
      let late = try #require(admission.admit("a"))
      #expect(late.established(isKnown: isKnown))
      #expect(late.established(isKnown: isKnown))
      late.release()
    }
    #expect(admission.remembered == 0)
  }

  @Test func limitsHoldByAddressAndInAll() {
    let admission = Admission()
    let four = (1...4).map { _ in admission.admit("a") }
    #expect(four.allSatisfy { $0 != nil })
    #expect(admission.admit("a") == nil)
    #expect(four[0]?.established(isKnown: false) == true)
    #expect(admission.admit("a") != nil)
    var all = 0
    for address in 0..<100 where admission.admit("\(address)") != nil { all += 1 }
    #expect(all == 60, "64 with the four of before")
  }

  /// How many of 70 streams from each of so many addresses find a place.
  private static func places(_ addresses: Range<Int>, isKnown: Bool, at admission: Admission) -> Int {
    var all = 0
    for address in addresses {
      for _ in 1...70 {
        guard let ticket = admission.admit("\(address)") else { break }
        if ticket.established(isKnown: isKnown) { all += 1 } else { ticket.release() }
      }
    }
    return all
  }

  @Test func establishedStreamsAreBoundedToo() {
    #expect(Self.places(0..<1, isKnown: true, at: Admission()) == Limits.streamsPerAddress)
    #expect(Self.places(0..<1, isKnown: false, at: Admission()) == Limits.strangerStreamsPerAddress)
    #expect(Self.places(0..<1000, isKnown: true, at: Admission()) == Limits.streams)
  }

  @Test func guestsTakeNoFriendsPlace() {
    let admission = Admission()
    #expect(Self.places(0..<1000, isKnown: false, at: admission) == Limits.strangerStreams)
    #expect(Self.places(0..<1000, isKnown: true, at: admission) == Limits.streams)
  }

  /// What waits for strangers that never read is bounded in all, and a friend's own limit is its own.
  @Test func unreadAnswersAreBounded() throws {
    let admission = Admission()
    let friend = try #require(admission.admit("friend"))
    #expect(friend.established(isKnown: true))
    var held = 0
    var strangers: [Admission.Ticket] = []
    for number in 0..<Limits.strangerStreams {
      let stranger = try #require(admission.admit("\(number)"))
      #expect(stranger.established(isKnown: false))
      strangers.append(stranger)
      var bytes = 0
      while bytes < Limits.unsentBytes, stranger.mayHold(bytes + 64 * 1024) { bytes += 64 * 1024 }
      #expect(bytes >= Limits.unsentBytesOfStranger)
      held += bytes
    }
    #expect(held <= Limits.unsentBytesOfStrangers + Limits.strangerStreams * (Limits.unsentBytesOfStranger + 64 * 1024))
    #expect(friend.mayHold(Limits.unsentBytes) && !friend.mayHold(Limits.unsentBytes + 1))
    // Who reads, or goes, makes room for others.
    for stranger in strangers.dropFirst() { stranger.release() }
    #expect(strangers[0].mayHold(Limits.unsentBytes / 2))
  }
}
