import NIOCore
import Testing

@testable import Streams

@Suite struct LivenessTests {
  private static let start = NIODeadline.uptimeNanoseconds(1_000_000_000)

  @Test func anIdleStreamIsClosedInTime() {
    var liveness = Liveness(now: Self.start)
    #expect(liveness.deadline(isBusy: false) == Self.start + Timeouts.idle)
    liveness.touch(now: Self.start + .seconds(7))
    let due = Self.start + .seconds(7) + Timeouts.idle
    #expect(liveness.due(isBusy: false, now: due - .nanoseconds(1)) == .nothing)
    #expect(liveness.due(isBusy: false, now: due) == .close)
  }

  @Test func aSilentPeerIsAskedOnceWhileSomethingIsUnderWay() {
    var liveness = Liveness(now: Self.start)
    let due = Self.start + Timeouts.silence
    #expect(liveness.due(isBusy: true, now: due) == .probe)
    let (first, second) = (liveness.probing(), liveness.probing())
    #expect(first && !second)
    #expect(liveness.deadline(isBusy: true) == nil)
    #expect(liveness.due(isBusy: true, now: due + .hours(1)) == .nothing)
    liveness.received(now: due)
    liveness.probed()
    #expect(liveness.deadline(isBusy: true) == due + Timeouts.silence)
  }

  /// What this side says proves nothing about the other.
  @Test func onlyWhatIsReceivedTakesDoubtAway() {
    var liveness = Liveness(now: Self.start)
    let later = Self.start + Timeouts.doubt
    #expect(!liveness.isDoubtful(now: later - .nanoseconds(1)))
    liveness.touch(now: later)
    #expect(liveness.isDoubtful(now: later))
    liveness.received(now: later)
    #expect(!liveness.isDoubtful(now: later))
  }
}
