import HTTPEdge
import Synchronization

/// One forward, from the wish to have it until its port is free again.
final class ForwardListener: Sendable {
  let forward: Forward
  private let failure = Mutex<HTTPServerError?>(nil)
  private let listening = AsyncStream<Never>.makeStream()
  private let closing = AsyncStream<Never>.makeStream()
  private let closed = AsyncStream<Never>.makeStream()

  init(_ forward: Forward) {
    self.forward = forward
  }

  /// Why it does not listen; nil while it does, or nobody has tried.
  var problem: HTTPServerError? { failure.withLock { $0 } }

  /// Runs its server until that ends, or until `close`.
  func run(_ server: HTTPServer) async {
    await withTaskGroup { group in
      group.addTask {
        do {
          try await server.run()
        } catch let error as HTTPServerError {
          self.failure.withLock { $0 = error }
        } catch {
          // Cancelled before it listened.
        }
      }
      group.addTask { for await _ in self.closing.stream {} }
      await group.next()
      group.cancelAll()
    }
    settle()
    closed.continuation.finish()
  }

  /// It listens, or will not.
  func settle() { listening.continuation.finish() }

  func waitUntilSettled() async { for await _ in listening.stream {} }

  /// Frees the port, which takes a moment.
  func close() { closing.continuation.finish() }

  func waitUntilClosed() async { for await _ in closed.stream {} }

  /// It never ran, and never will.
  func abandon() {
    settle()
    closed.continuation.finish()
  }
}
