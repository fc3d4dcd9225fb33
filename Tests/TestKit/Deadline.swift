package import Streams

/// What `body` gives within this time; else an error that says `complaint`.
package func within<Value: Sendable>(
  _ limit: Duration, _ complaint: @autoclosure @escaping @Sendable () -> String,
  _ body: @escaping @Sendable () async throws -> Value
) async throws -> Value {
  try await withThrowingTaskGroup(of: Value.self) { group in
    defer { group.cancelAll() }
    group.addTask { try await body() }
    group.addTask {
      try await Task.sleep(for: limit)
      throw Transcript.Failure(complaint())
    }
    // There are two.
    return try await group.next()!
  }
}

/// Looks every few milliseconds until `condition` holds: for what tells nobody that it changes. Else an error that says
/// `complaint`.
package func eventually(
  within limit: Duration = .seconds(30), _ complaint: @autoclosure () -> String, _ condition: () async throws -> Bool
) async throws {
  let end = ContinuousClock.now + limit
  while try await !condition() {
    guard ContinuousClock.now < end else { throw Transcript.Failure(complaint()) }
    try await Task.sleep(for: .milliseconds(5))
  }
}

/// Waits until `count` has begun to grow, and has then been the same for a while: for a writer that is stopped, which
/// tells nobody. On a slow machine the writer may not have been stopped yet, and what is then expected of it holds as well.
package func standstill(of count: () -> Int) async throws {
  var before = 0
  var isSame = 0
  try await eventually("it never comes to a standstill: \(count())") {
    let now = count()
    isSame = now == before && now > 0 ? isSame + 1 : 0
    before = now
    return isSame == 50
  }
}

/// Never returns; throws when its task is cancelled.
package func untilCancelled() async throws -> Never {
  let (never, continuation) = AsyncStream.makeStream(of: Never.self)
  for await _ in never {}
  continuation.finish()
  throw CancellationError()
}

extension PeerStream {
  /// Waits until nothing is under way any more.
  package func idle() async throws {
    try await eventually("Left behind: \(load)") { load == Load() }
  }
}
