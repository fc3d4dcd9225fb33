import Testing

@testable import Streams

@Suite struct AdmissionTests {
  @Test func everyWayOutGivesThePlaceBack() throws {
    let admission = Admission()
    for _ in 1...100 {
      let early = try #require(admission.admit("a"))
      early.release()
      early.release()
      early.established()
      let late = try #require(admission.admit("a"))
      late.established()
      late.established()
      late.release()
    }
    #expect(admission.remembered == 0)
  }

  @Test func limitsHoldByAddressAndInAll() {
    let admission = Admission()
    let four = (1...4).map { _ in admission.admit("a") }
    #expect(four.allSatisfy { $0 != nil })
    #expect(admission.admit("a") == nil)
    four[0]?.established()
    #expect(admission.admit("a") != nil)
    var all = 0
    for address in 0..<100 where admission.admit("\(address)") != nil { all += 1 }
    #expect(all == 60, "64 with the four of before")
  }

  @Test func establishedStreamsAreBoundedToo() {
    let admission = Admission()
    var all = 0
    for address in 0..<1000 {
      for _ in 1...70 {
        guard let ticket = admission.admit("\(address)") else { break }
        ticket.established()
        all += 1
      }
      if address == 0 { #expect(all == Limits.streamsPerAddress) }
    }
    #expect(all == Limits.streams)
  }
}
