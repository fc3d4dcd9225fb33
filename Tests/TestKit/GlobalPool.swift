import Glibc
import Synchronization

/// The jobs that go to the cooperative pool, counted by the hook that the runtime has for that
/// (`swift_task_enqueueGlobal_hook`). Only tests use it: the symbol is there in a dynamic runtime only.
package enum GlobalPool {
  private typealias Enqueue = @convention(thin) (UnownedJob) -> Void
  private typealias Hook = @convention(thin) (UnownedJob, Enqueue) -> Void

  private static let counter = Atomic(0)

  /// Since counting began.
  package static var jobs: Int { counter.load(ordering: .relaxed) }

  /// Counts from now on; false where the runtime has no hook.
  package static func count() -> Bool {
    guard let symbol = dlsym(dlopen(nil, RTLD_NOW), "swift_task_enqueueGlobal_hook") else { return false }
    symbol.assumingMemoryBound(to: Hook?.self).pointee = { job, enqueue in
      GlobalPool.counter.add(1, ordering: .relaxed)
      enqueue(job)
    }
    return true
  }
}
