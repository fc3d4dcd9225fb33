import NIOCore
import Testing

@testable import Streams

@Suite struct StanzaMeterTests {
  private static let start = NIODeadline.uptimeNanoseconds(1_000_000_000)

  @Test func aBurstThenARateThenRefusalsThenTheEnd() {
    var meter = StanzaMeter()
    func take(_ count: Int, at time: TimeAmount) -> [StanzaMeter.Verdict: Int] {
      var verdicts: [StanzaMeter.Verdict: Int] = [:]
      for _ in 0..<count { verdicts[meter.take(now: Self.start + time), default: 0] += 1 }
      return verdicts
    }
    let burst = take(Limits.stanzaBurst + 100, at: .zero)
    #expect(burst == [.pass: Limits.stanzaBurst, .refuse: 100])
    let second = take(300, at: .milliseconds(1001))
    #expect(second == [.pass: 200, .refuse: 100])
    // Ten more may be refused by now.
    let flood = take(Limits.refusedStanzas + 1, at: .milliseconds(1002))
    #expect(flood == [.refuse: Limits.refusedStanzas - 190, .end: 191])
    let rested = take(Limits.stanzaBurst + 1, at: .seconds(60))
    #expect(rested == [.pass: Limits.stanzaBurst, .refuse: 1])
  }

  /// A flood of connections is refused by its address, and nobody else is.
  @Test func connectionsHaveARateByAddress() {
    let admission = Admission()
    func admitted(_ address: String, _ count: Int, at time: TimeAmount) -> Int {
      (0..<count).count { _ in
        let ticket = admission.admit(address, now: Self.start + time)
        ticket?.release()
        return ticket != nil
      }
    }
    #expect(admitted("flood", 1000, at: .zero) == Limits.connectionBurst)
    #expect(admitted("other", 10, at: .zero) == 10)
    #expect(admitted("flood", 1000, at: .milliseconds(10_010)) == 20)
  }
}
