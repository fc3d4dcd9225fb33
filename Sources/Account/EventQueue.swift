import DequeModule
import Mesh
import Synchronization

/// What happens to an account, until it is taken: bounded, so that the one who tells can end what tells too much.
final class EventQueue: Sendable {
  private struct State {
    var events: Deque<AccountEvent> = []
    var waiter: CheckedContinuation<AccountEvent?, Never>?
    var isFinished = false
  }

  private let state = Mutex(State())

  /// False, and not kept, where there are as many as may be. What `isVital` is kept in any case: there are as many of those as there
  /// are connections, and no new one is made while there are too many others.
  func push(_ event: AccountEvent, isVital: Bool = false) -> Bool {
    let (waiter, isKept) = state.withLock { state -> (CheckedContinuation<AccountEvent?, Never>?, Bool) in
      if let waiter = state.waiter.take() { return (waiter, true) }
      guard isVital || state.events.count < AccountLimits.events else { return (nil, false) }
      state.events.append(event)
      return (nil, true)
    }
    waiter?.resume(returning: event)
    return isKept
  }

  /// Whether there is room for what a new connection brings.
  var isTaken: Bool { state.withLock { $0.events.count < AccountLimits.events / 2 } }

  /// For one consumer. nil when it is cancelled.
  func next() async -> AccountEvent? {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let event = state.withLock { state -> AccountEvent?? in
          if let event = state.events.popFirst() { return .some(event) }
          guard !state.isFinished, !Task.isCancelled else { return .some(nil) }
          state.waiter = continuation
          return nil
        }
        if let event { continuation.resume(returning: event) }
      }
    } onCancel: {
      finish()
    }
  }

  /// Nothing is told any more, once what there is was taken.
  func finish() {
    let waiter = state.withLock { state in
      state.isFinished = true
      return state.waiter.take()
    }
    waiter?.resume(returning: nil)
  }
}
