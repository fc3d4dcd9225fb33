import Avahi
import LinkLocal
import Logging
import Synchronization
import TestKit

/// What a discovery has told so far, for tests that wait for something.
final class Recorder: Sendable {
  private struct State {
    var events: [DiscoveryEvent] = []
    var listeners: [AsyncStream<Void>.Continuation] = []
  }
  private let state = Mutex(State())

  /// How many there are: where to look from, for what comes later.
  var mark: Int { state.withLock { $0.events.count } }
  var events: [DiscoveryEvent] { state.withLock { $0.events } }

  func append(_ event: DiscoveryEvent) {
    state.withLock { state in
      state.events.append(event)
      for listener in state.listeners { listener.yield() }
    }
  }

  /// Waits for the first event after `mark` that `match` makes something of.
  func first<T: Sendable>(
    after mark: Int = 0, within limit: Duration = .seconds(10), _ match: @escaping @Sendable (DiscoveryEvent) -> T?
  ) async throws -> T {
    try await within(limit, "it was not told, but: \(self.events)") { try await self.search(after: mark, match) }
  }

  private func search<T>(after mark: Int, _ match: @Sendable (DiscoveryEvent) -> T?) async throws -> T {
    let (news, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    continuation.yield()
    state.withLock { $0.listeners.append(continuation) }
    for await _ in news {
      if let found = events.dropFirst(mark).lazy.compactMap(match).first { return found }
    }
    throw CancellationError()
  }
}

/// Runs a discovery for the time of `body`, and returns only after its goodbye.
func withDiscovery<T: Sendable>(
  interfaces: [String] = [], _ body: (AvahiDiscovery, Recorder) async throws -> T
) async throws -> T {
  let discovery = AvahiDiscovery(interfaces: interfaces, logger: Logger(label: "avahi"))
  let recorder = Recorder()
  return try await withThrowingTaskGroup(of: Void.self) { group in
    group.addTask { await discovery.run() }
    group.addTask { for await event in discovery.events { recorder.append(event) } }
    let result = try await body(discovery, recorder)
    group.cancelAll()
    return result
  }
}
