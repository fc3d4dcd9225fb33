package import NIOCore

/// The bytes of a message, in parts of any size, pulled by whoever passes them on: that is the back-pressure.
///
/// May be iterated once. Dropping it unread, or leaving the iteration early, tells its producer to stop.
/// An iteration that ends without throwing has given every byte; one that was cut short throws.
package struct Body: AsyncSequence, Sendable {
  package typealias Element = ByteBuffer
  package typealias Failure = any Error

  package enum Content: Sendable {
    case bytes(ByteBuffer)
    case stream(any AsyncSequence<ByteBuffer, any Error> & Sendable)
  }

  package let content: Content
  /// In bytes, where it is known before the end.
  package let length: Int?

  package static let empty = Body(ByteBuffer())

  package init(_ bytes: ByteBuffer) {
    content = .bytes(bytes)
    length = bytes.readableBytes
  }

  package init(_ text: String) {
    self.init(ByteBuffer(string: text))
  }

  package init(_ stream: any AsyncSequence<ByteBuffer, any Error> & Sendable, length: Int? = nil) {
    content = .stream(stream)
    self.length = length
  }

  /// True where it is known that no byte will come.
  package var isEmpty: Bool { length == 0 }

  /// All of it, where it is at hand, or known to be no longer than `limit` bytes and so worth waiting for; else nil, and
  /// nothing has been read.
  ///
  /// - Throws: what the body throws; `BodyError` where it has not as many bytes as it said.
  package func whole(upTo limit: Int) async throws -> ByteBuffer? {
    if case .bytes(let bytes) = content { return bytes }
    guard let length, length <= limit else { return nil }
    var whole = ByteBuffer()
    for try await part in self {
      whole.writeImmutableBuffer(part)
      if whole.readableBytes > length { break }
    }
    guard whole.readableBytes == length else {
      throw BodyError(length: length, received: whole.readableBytes)
    }
    return whole
  }

  package struct AsyncIterator: AsyncIteratorProtocol {
    private enum State {
      case bytes(ByteBuffer)
      case stream(any AsyncIteratorProtocol<ByteBuffer, any Error>)
      case ended
    }
    private var state: State

    fileprivate init(_ content: Content) {
      switch content {
      case .bytes(let bytes): state = bytes.readableBytes == 0 ? .ended : .bytes(bytes)
      case .stream(let stream): state = .stream(stream.makeAsyncIterator())
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
        state = part == nil ? .ended : .stream(iterator)
        return part
      case .ended:
        return nil
      }
    }
  }

  package func makeAsyncIterator() -> AsyncIterator { AsyncIterator(content) }
}
