import Synchronization

/// Opens once; the one who waits for that goes on, cancelled or not.
final class Completion: Sendable {
  enum Outcome: Sendable { case done, gaveUp }

  private enum State {
    case closed(waiter: CheckedContinuation<Outcome, Never>?)
    case open(Outcome)
  }
  private let state = Mutex(State.closed(waiter: nil))

  /// Only the first call counts.
  func open(_ outcome: Outcome) {
    let waiter = state.withLock { state -> CheckedContinuation<Outcome, Never>? in
      switch state {
      case .closed(let waiter):
        state = .open(outcome)
        return waiter
      case .open:
        return nil
      }
    }
    waiter?.resume(returning: outcome)
  }

  func wait() async -> Outcome {
    await withCheckedContinuation { continuation in
      let outcome = state.withLock { state -> Outcome? in
        switch state {
        case .closed:
          state = .closed(waiter: continuation)
          return nil
        case .open(let outcome):
          return outcome
        }
      }
      if let outcome { continuation.resume(returning: outcome) }
    }
  }
}
