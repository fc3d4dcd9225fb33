package import NIOCore

/// The body of an upstream's response, in parts of at most 64 KiB, as they come.
///
/// May be iterated once. Leaving the iteration early, or dropping the body, closes the connection; an iteration that ends
/// without throwing has given every byte. Throws `HTTPClientError`.
package struct HTTPClientBody: AsyncSequence, Sendable {
  package typealias Element = ByteBuffer
  package typealias Failure = any Error

  typealias Producer = NIOThrowingAsyncSequenceProducer<
    ByteBuffer, any Error, NIOAsyncSequenceProducerBackPressureStrategies.HighLowWatermark, Delegate
  >

  enum Content: Sendable {
    case bytes(ByteBuffer)
    case stream(Producer)
  }

  /// Told by the reader; passed on to the connection on its event loop.
  struct Delegate: NIOAsyncSequenceProducerDelegate {
    let handler: NIOLoopBound<ClientHandler>
    let eventLoop: any EventLoop
    let exchange: Int

    func produceMore() {
      eventLoop.execute { handler.value.resumeReading(for: exchange) }
    }

    func didTerminate() {
      eventLoop.execute { handler.value.leave(exchange) }
    }
  }

  let content: Content
  /// In bytes, where it is known before the end.
  package let length: Int?

  package struct AsyncIterator: AsyncIteratorProtocol {
    private enum State {
      case bytes(ByteBuffer)
      case stream(Producer.AsyncIterator)
      case ended
    }
    private var state: State

    fileprivate init(_ content: Content) {
      switch content {
      case .bytes(let bytes): state = bytes.readableBytes == 0 ? .ended : .bytes(bytes)
      case .stream(let producer): state = .stream(producer.makeAsyncIterator())
      }
    }

    package mutating func next() async throws -> ByteBuffer? {
      try await next(isolation: #isolation)
    }

    package mutating func next(isolation actor: isolated (any Actor)?) async throws -> ByteBuffer? {
      switch state {
      case .bytes(let bytes):
        state = .ended
        return bytes
      case .stream(var iterator):
        let part = try await iterator.next(isolation: actor)
        if part == nil { state = .ended }
        return part
      case .ended:
        return nil
      }
    }
  }

  package func makeAsyncIterator() -> AsyncIterator { AsyncIterator(content) }
}
