package import NIOCore

extension EventLoopFuture where Value: Sendable {
  /// The value, or `CancellationError` as soon as the task is cancelled: `get()` would wait on, and leave the caller's
  /// executor besides.
  ///
  /// What the future stands for goes on; whoever is to stop it has to be told apart.
  package func value() async throws -> Value {
    let promise = eventLoop.makePromise(of: Value.self)
    cascade(to: promise)
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        promise.futureResult.whenComplete { continuation.resume(with: $0) }
      }
    } onCancel: {
      promise.fail(CancellationError())
    }
  }

  /// Returns once it is completed, in whatever way, and whether the task is cancelled or not.
  package func completion() async {
    await withCheckedContinuation { continuation in
      whenComplete { _ in continuation.resume() }
    }
  }
}
