import LinkLocal
import Testing

@Suite struct NameReclaimTests {
  private let start = ContinuousClock.now

  @Test func anOwnNameIsAskedForSoonAndLessAndLessOften() {
    var reclaim = NameReclaim()
    reclaim.held(now: start)
    #expect(reclaim.due == nil)
    var now = start
    for seconds in [20, 40, 80, 160, 320, 640, 900, 900] {
      reclaim.lost(now: now)
      #expect(reclaim.due == now + .seconds(seconds))
      now += .seconds(seconds)
    }
  }

  @Test func anothersNameHasTimeToComeBack() {
    var reclaim = NameReclaim()
    reclaim.lost(now: start)
    #expect(reclaim.due == start + .seconds(120))
    reclaim.lost(now: start + .seconds(120))
    #expect(reclaim.due == start + .seconds(360))
  }

  @Test func whoIsRobbedAgainAndAgainWaitsLonger() {
    var reclaim = NameReclaim()
    reclaim.held(now: start)
    reclaim.lost(now: start + .seconds(1))
    reclaim.held(now: start + .seconds(21))
    #expect(reclaim.due == nil)
    reclaim.lost(now: start + .seconds(22))
    #expect(reclaim.due == start + .seconds(62))
  }

  @Test func aNameThatWasHeldForLongIsLikeNew() {
    var reclaim = NameReclaim()
    reclaim.held(now: start)
    for _ in 1...4 { reclaim.lost(now: start) }
    reclaim.held(now: start)
    reclaim.held(now: start + .seconds(500))
    let later = start + .seconds(900)
    reclaim.lost(now: later)
    #expect(reclaim.due == later + .seconds(20))
  }
}
