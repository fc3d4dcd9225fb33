import DequeModule
package import NIOCore
import Synchronization

/// Runs actors and tasks on one event loop: the `SerialExecutor` of every actor of a channel of that loop, and the
/// `TaskExecutor` that the tasks of their requests prefer.
///
/// It has to be one object in both roles. A continuation that is resumed in an actor with an executor of its own is
/// enqueued on the global pool first, unless its task prefers an executor; where that one runs jobs in isolation of the
/// same actor, no thread is woken (Swift 6.3). A task with this preference never leaves the loop, so what blocks has to be
/// sent to a thread pool.
package final class LoopExecutor: SerialExecutor, TaskExecutor {
  package let eventLoop: any EventLoop
  /// From the loop, in their order. These four are used on the loop only.
  nonisolated(unsafe) private var jobs = Deque<UnownedJob>()
  nonisolated(unsafe) private var isScheduled = false
  nonisolated(unsafe) private var isRunning = false
  nonisolated(unsafe) private var unflushed: [any Flushable] = []

  /// Jobs after which sockets and timers have their turn, should jobs never end.
  private static let jobsInARow = 1024

  private init(_ eventLoop: any EventLoop) {
    self.eventLoop = eventLoop
  }

  /// As many as there are loops, each for the life of the process.
  private static let all = Mutex<[ObjectIdentifier: LoopExecutor]>([:])

  /// The executor of this loop: always the same object.
  package static func of(_ eventLoop: any EventLoop) -> LoopExecutor {
    all.withLock { all in
      if let known = all[ObjectIdentifier(eventLoop)] { return known }
      let new = LoopExecutor(eventLoop)
      all[ObjectIdentifier(eventLoop)] = new
      return new
    }
  }

  #if DEBUG
    private static let jobCounter = Atomic(0)
    private static let hopCounter = Atomic(0)
    /// Jobs so far, and those that came from other threads than their loop's, each of which wakes it; for tests.
    package static var enqueued: (jobs: Int, hops: Int) {
      (jobCounter.load(ordering: .relaxed), hopCounter.load(ordering: .relaxed))
    }
  #endif

  package func enqueue(_ job: consuming ExecutorJob) {
    #if DEBUG
      Self.jobCounter.add(1, ordering: .relaxed)
      if !eventLoop.inEventLoop { Self.hopCounter.add(1, ordering: .relaxed) }
    #endif
    let job = UnownedJob(job)
    guard eventLoop.inEventLoop else { return eventLoop.execute { self.run(job) } }
    jobs.append(job)
    scheduleJobs()
  }

  /// Runs the jobs that the loop itself has enqueued, then flushes what they have written: neither need wait for the end of
  /// its tick. On the loop; no job calls it.
  package func runJobs() {
    guard !isRunning else { return }
    isRunning = true
    var count = 0
    while count < Self.jobsInARow, let job = jobs.popFirst() {
      run(job)
      count += 1
    }
    isRunning = false
    flush()
    if !jobs.isEmpty { scheduleJobs() }
  }

  /// On the loop: flushes when the jobs at hand are done, in this tick.
  ///
  /// A write wakes its reader, which the kernel may let run at once, on this core: it reads little then, and both lose what
  /// they have in caches. So a batch of messages is written when it is complete, one socket after the other.
  package func flushLater(_ channel: any Flushable) {
    unflushed.append(channel)
    scheduleJobs()
  }

  private func flush() {
    guard !unflushed.isEmpty else { return }
    let channels = unflushed
    unflushed.removeAll(keepingCapacity: true)
    for channel in channels { channel.flushNow() }
  }

  private func scheduleJobs() {
    guard !isScheduled else { return }
    isScheduled = true
    eventLoop.execute { [self] in
      isScheduled = false
      runJobs()
    }
  }

  private func run(_ job: UnownedJob) {
    job.runSynchronously(isolatedTo: asUnownedSerialExecutor(), taskExecutor: asUnownedTaskExecutor())
  }

  package func asUnownedSerialExecutor() -> UnownedSerialExecutor { UnownedSerialExecutor(ordinary: self) }
  package func asUnownedTaskExecutor() -> UnownedTaskExecutor { UnownedTaskExecutor(ordinary: self) }

  /// Lets `assumeIsolated` be called by channel handlers, which run on the loop and in no task.
  package func checkIsolated() { eventLoop.preconditionInEventLoop() }
}

/// What has written to its socket's buffer, and waits for `flushLater`.
package protocol Flushable: AnyObject {
  /// On the loop. Where all has been flushed already, there is nothing to do.
  func flushNow()
}
