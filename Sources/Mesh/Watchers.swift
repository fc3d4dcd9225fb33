import Synchronization

/// Who watches something. One that does not keep up loses the oldest of what it was told.
///
/// While a watcher is told, its lock is not held: a cancellation, which holds a lock of the watcher's task, wants it to let
/// the watcher go, and whoever tells needs the task's lock to wake it.
final class Watchers<Element: Sendable>: Sendable {
  private let state = Mutex<(next: Int, all: [Int: AsyncStream<Element>.Continuation])>((0, [:]))
  private let capacity: Int

  /// - Parameter capacity: how much waits for one watcher.
  init(capacity: Int) {
    self.capacity = capacity
  }

  /// One more, who is told `first` before all that comes from now on.
  func add(first: [Element] = []) -> AsyncStream<Element> {
    let (stream, continuation) = AsyncStream.makeStream(of: Element.self, bufferingPolicy: .bufferingNewest(capacity))
    for element in first { continuation.yield(element) }
    let id = state.withLock { state in
      state.next += 1
      state.all[state.next] = continuation
      return state.next
    }
    continuation.onTermination = { [weak self] _ in
      self?.state.withLock { _ = $0.all.removeValue(forKey: id) }
    }
    return stream
  }

  func tell(_ element: Element) {
    for watcher in all { watcher.yield(element) }
  }

  /// Ends every watch.
  func finish() {
    for watcher in all { watcher.finish() }
  }

  private var all: [AsyncStream<Element>.Continuation] { state.withLock { Array($0.all.values) } }
}
