import Glibc
import NIOCore
import Testing

@testable import Daemon

@Suite(.timeLimit(.minutes(2))) struct ServerLoopTests {
  /// And nobody else does.
  @Test func itsThreadGivesWay() async throws {
    let before = getpriority(.init(PRIO_PROCESS.rawValue), 0)
    let niceness = try await ServerLoop.eventLoop.submit { getpriority(.init(PRIO_PROCESS.rawValue), 0) }.get()
    #expect(niceness == before + DaemonLimits.serverNiceness)
    #expect(before < niceness)
  }
}
