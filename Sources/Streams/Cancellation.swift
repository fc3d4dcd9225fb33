package import NIOCore

extension EventLoopFuture where Value: Sendable {
  /// The value, or `CancellationError` as soon as the task is cancelled: `get()` would wait on.
  ///
  /// What the future stands for goes on; whoever is to stop it has to be told apart.
  package func value() async throws -> Value {
    let promise = eventLoop.makePromise(of: Value.self)
    cascade(to: promise)
    return try await withTaskCancellationHandler {
      try await promise.futureResult.get()
    } onCancel: {
      promise.fail(CancellationError())
    }
  }
}
