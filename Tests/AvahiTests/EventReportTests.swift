import LinkLocal
import Synchronization
import Testing

@testable import Avahi

/// Events that come faster than somebody reads them.
@Suite struct EventReportTests {
  @Test func whatFindsNoPlaceIsToldAndTheRestIsThere() async {
    let losses = Mutex(0)
    let report = EventReport(capacity: 2) { losses.withLock { $0 += 1 } }
    for number in 0..<5 { report.yield(.resolved(InstanceName("lamp\(number)@pi")!)) }
    #expect(losses.withLock { $0 } == 3)
    report.finish()
    let read = await report.events.reduce(into: []) { $0.append($1) }
    #expect(read == [.resolved(InstanceName("lamp0@pi")!), .resolved(InstanceName("lamp1@pi")!)])
  }

  @Test func theSessionHearsOnceOfWhatWasLost() {
    let desired = DesiredAnnouncements()
    #expect(!desired.takeLoss())
    desired.lostEvents()
    desired.lostEvents()
    #expect(desired.takeLoss())
    #expect(!desired.takeLoss())
  }
}
