import NIOCore
import NIOEmbedded
import Synchronization
import Testing

@testable import Mesh

@Suite struct QuietTimerTests {
  private final class Calls: Sendable {
    private let count = Atomic<Int>(0)
    var number: Int { count.load(ordering: .relaxed) }
    func add() { count.add(1, ordering: .relaxed) }
  }

  private let loop = EmbeddedEventLoop()
  private let calls = Calls()
  private func makeTimer() -> QuietTimer { QuietTimer(eventLoop: loop, action: { [calls] in calls.add() }) }

  @Test func requestsThatGoOnKeepItWaiting() {
    let timer = makeTimer()
    for _ in 1...5 {
      timer.somethingEnded()
      loop.advanceTime(by: MeshLimits.quiet - .milliseconds(1))
    }
    #expect(calls.number == 0)
    loop.advanceTime(by: MeshLimits.quiet)
    #expect(calls.number == 1)
  }

  @Test func tellsOnceForEachRest() {
    let timer = makeTimer()
    timer.somethingEnded()
    loop.advanceTime(by: MeshLimits.quiet * 10)
    #expect(calls.number == 1)
    timer.somethingEnded()
    loop.advanceTime(by: MeshLimits.quiet * 2)
    #expect(calls.number == 2)
  }
}
