import Front
import NIOCore
import Synchronization

/// The parts of the dashboard for all pages that are open, made at most once in `DashboardLimits.update` for each kind of reader,
/// however many listen.
actor LiveParts {
  /// Readers of one kind see the same.
  struct Reader: Hashable, Sendable {
    let isOwner: Bool
    let front: FrontAddress
  }

  private var made: [Reader: (at: ContinuousClock.Instant, parts: [PagePart])] = [:]
  private let make: @Sendable (Reader) async -> [PagePart]

  init(make: @escaping @Sendable (Reader) async -> [PagePart]) {
    self.make = make
  }

  /// - Parameter isFresh: whether they are to be as they are now: what a page shows that was just opened is not taken back.
  func parts(for reader: Reader, isFresh: Bool) async -> [PagePart] {
    let now = ContinuousClock.now
    if !isFresh, let last = made[reader], now - last.at < DashboardLimits.update { return last.parts }
    let parts = await make(reader)
    // Another one may have begun later, and ended earlier.
    if let last = made[reader], last.at > now { return last.parts }
    made[reader] = (now, parts)
    return parts
  }
}

/// How many pages listen, at most `DashboardLimits.listeners` of each kind of reader, so that others cannot keep the owner's
/// from it.
final class Listeners: Sendable {
  private let counts = Mutex((owner: 0, others: 0))

  /// One more, until it is dropped; nil where there are too many.
  func add(isOwner: Bool) -> Listener? {
    let isTaken = counts.withLock { counts in
      let count = isOwner ? counts.owner : counts.others
      guard count < DashboardLimits.listeners else { return false }
      if isOwner { counts.owner += 1 } else { counts.others += 1 }
      return true
    }
    return isTaken ? Listener { [self] in remove(isOwner: isOwner) } : nil
  }

  private func remove(isOwner: Bool) {
    counts.withLock { counts in
      if isOwner { counts.owner -= 1 } else { counts.others -= 1 }
    }
  }
}

/// A page that listens.
final class Listener: Sendable {
  private let end: @Sendable () -> Void

  init(end: @escaping @Sendable () -> Void) {
    self.end = end
  }

  deinit { end() }
}

/// What one open page is told, as server-sent events, until it goes away.
struct PageEvents: AsyncSequence, Sendable {
  typealias Element = ByteBuffer
  typealias Failure = any Error

  let parts: LiveParts
  let reader: LiveParts.Reader
  let listener: Listener

  struct AsyncIterator: AsyncIteratorProtocol {
    let events: PageEvents
    private var changes = PageChanges()
    private var isBegun = false

    init(_ events: PageEvents) { self.events = events }

    /// Looks every `DashboardLimits.update`; says that it is still there where there was nothing to say for long.
    mutating func next() async throws -> ByteBuffer? {
      let deadline = ContinuousClock.now + DashboardLimits.heartbeat
      repeat {
        let isFirst = !isBegun
        if !isFirst { try await Task.sleep(for: DashboardLimits.update) }
        isBegun = true
        let (news, next) = await events.news(since: changes, isFresh: isFirst)
        changes = next
        let retry = isFirst ? "retry: \(DashboardLimits.reconnect)\n\n" : ""
        if let news { return ByteBuffer(string: retry + news) }
      } while ContinuousClock.now < deadline
      return ByteBuffer(string: ":\n\n")
    }
  }

  func makeAsyncIterator() -> AsyncIterator { AsyncIterator(self) }

  /// What there is to tell, and what has been told then. Away from the event loop of the connection.
  @concurrent private func news(since told: PageChanges, isFresh: Bool) async -> (String?, PageChanges) {
    await withTaskExecutorPreference(globalConcurrentExecutor) {
      let parts = await parts.parts(for: reader, isFresh: isFresh)
      var told = told
      return (told.events(to: parts), told)
    }
  }
}
