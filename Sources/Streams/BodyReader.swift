import NIOCore

/// The reader of an incoming body: waits for one part at a time, and counts them against the Content-Length.
struct BodyReader {
  enum Progress {
    case part(ByteBuffer)
    case end
    case failure(any Error)
  }

  typealias Waiter = CheckedContinuation<ByteBuffer?, any Error>

  /// Bytes, where the message says so.
  private let expected: Int?
  private var received = 0
  private var waiter: Waiter?

  init(expected: Int?) {
    self.expected = expected
  }

  var isWaiting: Bool { waiter != nil }

  mutating func wait(_ waiter: Waiter) { self.waiter = waiter }

  /// A body shorter or longer than its Content-Length is an error, never a short body.
  mutating func resume(_ progress: Progress) {
    guard let waiter = waiter.take() else { return }
    switch progress {
    case .part(let bytes):
      received += bytes.readableBytes
      if let expected, received > expected {
        waiter.resume(
          throwing: StreamFailure.incomplete("It is longer than its Content-Length, \(expected) bytes."))
      } else {
        waiter.resume(returning: bytes)
      }
    case .end:
      if let expected, received < expected {
        waiter.resume(throwing: StreamFailure.incomplete("It ended after \(received) of \(expected) bytes."))
      } else {
        waiter.resume(returning: nil)
      }
    case .failure(let error):
      waiter.resume(throwing: error as? StreamFailure ?? StreamFailure.incomplete("\(error)"))
    }
  }
}
