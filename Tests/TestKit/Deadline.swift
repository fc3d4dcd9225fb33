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
