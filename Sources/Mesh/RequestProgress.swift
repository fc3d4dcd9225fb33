import Codecs
import HTTPTypes
import HTTPX
import NIOCore
import Synchronization

/// How far one request is, for its record: small, since it is kept while the request waits.
struct RequestProgress {
  let began = NIODeadline.now()
  private(set) var status: Int?
  /// Who answers, once that is known.
  var service: String?
  private var counter: ByteCounter?
  private var knownRequestBytes = 0, knownResponseBytes = 0

  /// The request, whose body is counted as it goes by.
  mutating func began(_ request: HTTPXRequest, _ log: RequestLog) -> HTTPXRequest {
    guard case .stream = request.body.content else {
      knownRequestBytes = request.body.length ?? 0
      return request
    }
    var request = request
    request.body = counted(request.body, .request, log)
    return request
  }

  /// The same for the answer.
  mutating func answered(_ response: HTTPXResponse, _ log: RequestLog) -> HTTPXResponse {
    status = response.head.status.code
    guard case .stream = response.body.content else {
      knownResponseBytes = response.body.length ?? 0
      return response
    }
    var response = response
    response.body = counted(response.body, .response, log)
    return response
  }

  var bytes: (request: Int, response: Int) {
    (
      knownRequestBytes + (counter?.request.load(ordering: .relaxed) ?? 0),
      knownResponseBytes + (counter?.response.load(ordering: .relaxed) ?? 0)
    )
  }

  private mutating func counted(_ body: Body, _ direction: ByteCounter.Direction, _ log: RequestLog) -> Body {
    let counter = counter ?? ByteCounter(log)
    self.counter = counter
    guard case .stream(let stream) = body.content else { return body }
    return Body(CountedStream(base: stream, counter: counter, direction: direction), length: body.length)
  }
}

/// The bytes of one request's bodies that went by, from whatever thread.
final class ByteCounter: Sendable {
  enum Direction { case request, response }

  let request = Atomic<Int>(0)
  let response = Atomic<Int>(0)
  private let log: RequestLog

  init(_ log: RequestLog) {
    self.log = log
    log.transferBegan()
  }

  deinit { log.transferEnded() }

  func add(_ bytes: Int, _ direction: Direction) {
    switch direction {
    case .request: request.wrappingAdd(bytes, ordering: .relaxed)
    case .response: response.wrappingAdd(bytes, ordering: .relaxed)
    }
  }
}

/// A body whose parts are counted.
private struct CountedStream: AsyncSequence {
  typealias Element = ByteBuffer
  typealias Failure = any Error

  let base: any AsyncSequence<ByteBuffer, any Error> & Sendable
  let counter: ByteCounter
  let direction: ByteCounter.Direction

  struct AsyncIterator: AsyncIteratorProtocol {
    var base: any AsyncIteratorProtocol<ByteBuffer, any Error>
    let counter: ByteCounter
    let direction: ByteCounter.Direction

    mutating func next() async throws -> ByteBuffer? {
      try await next(isolation: #isolation)
    }

    mutating func next(isolation actor: isolated (any Actor)?) async throws -> ByteBuffer? {
      let part = try await base.next(isolation: actor)
      if let part { counter.add(part.readableBytes, direction) }
      return part
    }
  }

  func makeAsyncIterator() -> AsyncIterator {
    AsyncIterator(base: base.makeAsyncIterator(), counter: counter, direction: direction)
  }
}
