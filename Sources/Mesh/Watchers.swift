import Synchronization

/// Who watches something. One that does not keep up loses the oldest of what it was told.
///
/// While a watcher is told, its lock is not held: a cancellation, which holds a lock of the watcher's task, wants it to let
/// the watcher go, and whoever tells needs the task's lock to wake it.
final class Watchers<Element: Sendable>: Sendable {
  private let state = Mutex<(next: Int, all: [Int: AsyncStream<Element>.Continuation])>((0, [:]))
  private let capacity: Int
  private let watched = Atomic<Bool>(false)
  private let changed: @Sendable (Bool) -> Void

  /// - Parameters:
  ///   - capacity: how much waits for one watcher.
  ///   - changed: told whether anybody watches, when that may have changed. Must be quick, and call nothing of this.
  init(capacity: Int, changed: @escaping @Sendable (Bool) -> Void = { _ in }) {
    self.capacity = capacity
    self.changed = changed
  }

  /// Whether anybody does, by one look.
  var isWatched: Bool { watched.load(ordering: .relaxed) }

  private func note(isWatched: Bool) {
    watched.store(isWatched, ordering: .relaxed)
    changed(isWatched)
  }

  /// One more, who is told `first` before all that comes from now on.
  func add(first: [Element] = []) -> AsyncStream<Element> {
    let (stream, continuation) = AsyncStream.makeStream(of: Element.self, bufferingPolicy: .bufferingNewest(capacity))
    for element in first { continuation.yield(element) }
    let id = state.withLock { state in
      state.next += 1
      state.all[state.next] = continuation
      note(isWatched: true)
      return state.next
    }
    continuation.onTermination = { [weak self] _ in
      self?.remove(id)
    }
    return stream
  }

  private func remove(_ id: Int) {
    state.withLock { state in
      state.all[id] = nil
      note(isWatched: !state.all.isEmpty)
    }
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
