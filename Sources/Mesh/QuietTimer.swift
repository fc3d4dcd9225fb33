import NIOCore
import Synchronization

/// Tells when requests and streams have come to rest. Its timer runs only from the end of one of them until then: a node that
/// nobody uses is not woken by it.
final class QuietTimer: Sendable {
  private let eventLoop: any EventLoop
  private let action: @Sendable () -> Void
  /// How many requests and streams have ended. It may wrap: only whether it has changed counts.
  private let ended = Atomic<UInt>(0)
  private let isRunning = Atomic<Bool>(false)

  /// `action` is called on the event loop, and must not block.
  init(eventLoop: any EventLoop, action: @escaping @Sendable () -> Void) {
    self.eventLoop = eventLoop
    self.action = action
  }

  /// A request, or a stream, whatever became of it. From any thread.
  func somethingEnded() {
    ended.wrappingAdd(1, ordering: .relaxed)
    // Most requests find it running, and need not write for that.
    guard !isRunning.load(ordering: .relaxed), !isRunning.exchange(true, ordering: .relaxed) else { return }
    start()
  }

  private func start() {
    let before = ended.load(ordering: .relaxed)
    eventLoop.scheduleTask(in: MeshLimits.quiet) { self.fired(before) }
  }

  private func fired(_ before: UInt) {
    guard ended.load(ordering: .relaxed) == before else { return start() }
    isRunning.store(false, ordering: .relaxed)
    action()
  }
}
