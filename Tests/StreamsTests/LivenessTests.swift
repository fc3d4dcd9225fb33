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
    let (first, second) = (liveness.probing(nil, now: due), liveness.probing(nil, now: due + .seconds(1)))
    #expect(first && !second)
    // Also where nothing is under way any more.
    for isBusy in [true, false] { #expect(liveness.deadline(isBusy: isBusy) == due + Timeouts.control) }
    #expect(liveness.due(isBusy: true, now: due + Timeouts.control) == .look)
    liveness.received(now: due)
    liveness.probed()
    #expect(liveness.deadline(isBusy: true) == due + Timeouts.silence)
  }

  /// What `TCP_INFO` says at one moment.
  private static func moved(
    _ acknowledged: UInt64, _ received: UInt32 = 0, ago: TimeAmount = .zero, repeated: UInt32 = 0
  ) -> ConnectionProgress {
    ConnectionProgress(
      acknowledged: acknowledged, received: received, sinceLastSegment: ago, sent: 400, repeated: repeated)
  }

  private static func probing(_ connection: ConnectionProgress?) -> (Liveness, asked: NIODeadline) {
    var liveness = Liveness(now: start)
    let asked = start + Timeouts.silence
    _ = liveness.probing(connection, now: asked)
    return (liveness, asked)
  }

  @Test func whereNothingMovesItIsDeadInTime() {
    for connection in [nil, Self.moved(1000, 7)] {
      var (liveness, asked) = Self.probing(connection)
      let isAlive = liveness.looked(connection, now: asked + Timeouts.control)
      #expect(!isAlive)
    }
  }

  /// A process that hangs: its kernel takes the question, and nothing comes back.
  @Test func theQuestionsOwnAcknowledgementIsWorthItsTimeOnly() {
    var (liveness, asked) = Self.probing(Self.moved(1000))
    let first = liveness.looked(Self.moved(1100, ago: .milliseconds(9990)), now: asked + Timeouts.control)
    #expect(first && liveness.deadline(isBusy: true) == asked + .milliseconds(10) + Timeouts.control)
    let second = liveness.looked(Self.moved(1100, ago: .seconds(10)), now: asked + .milliseconds(10) + Timeouts.control)
    #expect(!second)
  }

  /// The question waits behind megabytes, or the answer does.
  @Test(arguments: [true, false]) func aConnectionThatMovesIsAlive(isSending: Bool) {
    var (liveness, now) = Self.probing(Self.moved(0, 0))
    for step in 1...10 {
      now = liveness.deadline(isBusy: true)
      let connection = Self.moved(isSending ? UInt64(step) : 0, isSending ? 0 : UInt32(step), ago: .seconds(3))
      let isAlive = liveness.looked(connection, now: now)
      #expect(isAlive && liveness.deadline(isBusy: true) == now - .seconds(3) + Timeouts.control)
    }
    let isAlive = liveness.looked(
      Self.moved(isSending ? 10 : 0, isSending ? 0 : 10, ago: .zero), now: now + Timeouts.control)
    #expect(!isAlive, "window probes are answered by a kernel whose process hangs: they move nothing")
  }

  /// Stanzas that come before the answer are signs as well.
  @Test func whatIsReceivedMeanwhileCounts() {
    var (liveness, asked) = Self.probing(nil)
    liveness.received(now: asked + .seconds(8))
    #expect(liveness.due(isBusy: true, now: asked + Timeouts.control) == .nothing)
    #expect(liveness.deadline(isBusy: true) == asked + .seconds(8) + Timeouts.control)
  }

  @Test func aConnectionThatLosesMuchHasMoreTime() {
    for (repeated, limit) in [(19, Timeouts.control), (20, Timeouts.controlIfLossy)] as [(UInt32, TimeAmount)] {
      let (liveness, asked) = Self.probing(Self.moved(0, repeated: repeated))
      #expect(liveness.deadline(isBusy: true) == asked + limit)
    }
    #expect(!ConnectionProgress(acknowledged: 0, received: 0, sinceLastSegment: .zero, sent: 401, repeated: 20).isLossy)
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
