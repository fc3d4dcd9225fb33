import Bytestreams
import EventLoops
import NIOCore

/// What the peer sends once the protocol has changed; before that there is nothing.
struct UpgradedBody: AsyncSequence, Sendable {
  typealias Element = ByteBuffer
  typealias Failure = any Error

  struct AsyncIterator: AsyncIteratorProtocol {
    fileprivate let session: EventLoopFuture<IncomingBody>
    fileprivate var body: IncomingBody.AsyncIterator?

    mutating func next() async throws -> ByteBuffer? {
      if body == nil { body = try await session.value().makeAsyncIterator() }
      return try await body?.next()
    }
  }

  /// Failed where the protocol does not change.
  let session: EventLoopFuture<IncomingBody>

  func makeAsyncIterator() -> AsyncIterator { AsyncIterator(session: session) }
}

/// The parts of an incoming body, as its reader asks for them. When nobody can ask any more, the transfer is cancelled.
struct IncomingBody: AsyncSequence, Sendable {
  typealias Element = ByteBuffer
  typealias Failure = any Error

  fileprivate final class Handle: Sendable {
    let stream: PeerStream
    let id: TransferID

    init(stream: PeerStream, id: TransferID) {
      self.stream = stream
      self.id = id
    }

    deinit {
      stream.cancelReading(id)
    }
  }

  struct AsyncIterator: AsyncIteratorProtocol {
    fileprivate let handle: Handle

    func next() async throws -> ByteBuffer? {
      try await handle.stream.read(handle.id)
    }
  }

  private let handle: Handle

  init(stream: PeerStream, id: TransferID) {
    handle = Handle(stream: stream, id: id)
  }

  func makeAsyncIterator() -> AsyncIterator { AsyncIterator(handle: handle) }
}
