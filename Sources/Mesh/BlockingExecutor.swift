import NIOPosix
import Synchronization

/// Runs the jobs of one actor, one after the other, on threads that may block: what waits for a disk holds up no event loop,
/// and no thread that tasks need.
final class BlockingExecutor: SerialExecutor {
  private struct State {
    var jobs: [UnownedJob] = []
    var isRunning = false
  }

  private let pool: NIOThreadPool
  private let state = Mutex(State())

  init(_ pool: NIOThreadPool = .singleton) {
    self.pool = pool
  }

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    let isIdle = state.withLock { state in
      state.jobs.append(job)
      defer { state.isRunning = true }
      return !state.isRunning
    }
    if isIdle { pool.submit { _ in self.drain() } }
  }

  private func drain() {
    while let job = next() { job.runSynchronously(on: asUnownedSerialExecutor()) }
  }

  private func next() -> UnownedJob? {
    state.withLock { state in
      state.isRunning = !state.jobs.isEmpty
      return state.isRunning ? state.jobs.removeFirst() : nil
    }
  }
}
