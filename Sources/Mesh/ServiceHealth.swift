import FoundationEssentials
import HTTPX
import Synchronization

/// What is known of the health of one service, by those who ask it and those who look.
final class ServiceHealth: Sendable {
  private let machine: Mutex<HealthMachine>
  /// Most responses change nothing, and take no lock.
  private let isOK = Atomic(false)

  init(now: Date = Date()) {
    machine = Mutex(HealthMachine(now: now))
  }

  var report: HealthReport { machine.withLock { $0.report } }

  /// - Returns: what it is from now on, where that is something else than before, and not what was to be expected.
  func answered() -> HealthReport? {
    isOK.load(ordering: .relaxed) ? nil : change { $0.answered(now: $1) }
  }

  func reached() -> HealthReport? { change { $0.reached(now: $1) } }

  func failed(_ failure: OriginFailure) -> HealthReport? { change { $0.failed(failure, now: $1) } }

  private func change(_ verb: (inout HealthMachine, Date) -> Void) -> HealthReport? {
    machine.withLock { machine in
      let before = machine.report
      verb(&machine, Date())
      isOK.store(machine.report.health == .ok, ordering: .relaxed)
      switch (before.health, machine.report.health) {
      case (.unknown, .ok): return nil
      case (let old, let new): return old == new ? nil : machine.report
      }
    }
  }
}
