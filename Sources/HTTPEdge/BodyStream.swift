import DequeModule
import EventLoops
import NIOCore

/// The parts of one body between a channel and their reader, on the channel's event loop.
///
/// A handler feeds it through `assumeIsolated`. May be iterated once; a reader on the same loop gets its parts without a
/// change of thread. A reader that is cancelled gets `CancellationError`, and nothing is kept for it any more.
actor BodyStream: AsyncSequence {
  private nonisolated let executor: LoopExecutor
  private var parts: Deque<ByteBuffer> = []
  /// Nil while more may come.
  private var end: Result<Void, any Error>?
  private var reader: CheckedContinuation<ByteBuffer?, any Error>?
  /// Called on the event loop when the reader waits, or soon will.
  private let onDemand: @Sendable () -> Void

  init(on eventLoop: any EventLoop, onDemand: @escaping @Sendable () -> Void) {
    executor = .of(eventLoop)
    self.onDemand = onDemand
  }

  nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

  /// Reading from the socket is to stop.
  var isFull: Bool { parts.count >= PartsInFlight.high }

  func append(_ bytes: ByteBuffer) {
    guard end == nil else { return }
    if let reader = reader.take() { reader.resume(returning: bytes) } else { parts.append(bytes) }
  }

  /// All is there, or nothing more comes for this reason.
  func finish(throwing error: (any Error)? = nil) {
    guard end == nil else { return }
    let end: Result<Void, any Error> = error.map { .failure($0) } ?? .success(())
    self.end = end
    reader.take()?.resume(with: end.map { nil })
  }

  /// Nobody reads on. Whoever does all the same must not take a part for the whole.
  func abandon() {
    if parts.isEmpty, end != nil { return }
    parts.removeAll()
    end = .failure(CancellationError())
    reader.take()?.resume(throwing: CancellationError())
  }

  /// nil where it has to be waited for.
  private func taken() -> Result<ByteBuffer?, any Error>? {
    guard let part = parts.popFirst() else { return end.map { $0.map { nil } } }
    if parts.count == PartsInFlight.low, end == nil { onDemand() }
    return .success(part)
  }

  private func next() async throws -> ByteBuffer? {
    if let next = taken() { return try next.get() }
    onDemand()
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { reader in
        // A reader that runs elsewhere comes here a turn of the loop later.
        if let next = taken() { reader.resume(with: next) } else { self.reader = reader }
      }
    } onCancel: {
      executor.eventLoop.execute { self.assumeIsolated { $0.abandon() } }
    }
  }

  struct AsyncIterator: AsyncIteratorProtocol {
    fileprivate let stream: BodyStream

    mutating func next() async throws -> ByteBuffer? {
      try await stream.next()
    }

    mutating func next(isolation actor: isolated (any Actor)?) async throws -> ByteBuffer? {
      try await stream.next()
    }
  }

  nonisolated func makeAsyncIterator() -> AsyncIterator { AsyncIterator(stream: self) }
}
