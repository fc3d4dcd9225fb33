import NIOCore
import ServiceLifecycle

/// Tells the service manager that the daemon lives, as often as it wants to hear it (sd_watchdog_enabled(3)): each time once every
/// event loop has run something, and `look` has come back. What hangs says nothing.
struct Watchdog: Service {
  let notifier: ServiceNotifier
  let eventLoopGroup: any EventLoopGroup
  /// Takes the locks that requests take.
  let look: @Sendable () -> Void

  func run() async {
    try? await cancelWhenGracefulShutdown {
      guard let interval = notifier.watchdog else { return try await gracefulShutdown() }
      while true {
        try await lookAround()
        notifier.alive()
        // Twice as often as it has to be.
        try await Task.sleep(for: interval / 2)
      }
    }
    // What ends early would end the others.
    try? await gracefulShutdown()
  }

  private func lookAround() async throws {
    for loop in eventLoopGroup.makeIterator() { try await loop.submit {}.get() }
    look()
  }
}
