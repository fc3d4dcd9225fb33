import Codecs
import DequeModule
import HTTPTypes
import HTTPX
import NIOCore
import XMPP

/// A request of the peer, as it is answered. A reference, since it is large and every step of the answer knows it.
final class AnswerToBe: Sendable {
  let answerable: ExchangeMachine.Answerable
  let incoming: IncomingRequest
  /// To be fulfilled where the answer changes the protocol.
  let session: EventLoopPromise<IncomingBody>?

  init(
    _ answerable: ExchangeMachine.Answerable, _ incoming: IncomingRequest, _ session: EventLoopPromise<IncomingBody>?
  ) {
    (self.answerable, self.incoming, self.session) = (answerable, incoming, session)
  }

  /// Whatever the response's body is, none of it is wanted.
  var isForHead: Bool { answerable.request.head.method == .head }

  /// What is kept of it, in bytes.
  var size: Int {
    incoming.request.head.size + (hasBodyBeside ? 0 : incoming.request.body.length ?? 0)
  }

  /// Its body takes blocks or chunks of its own while it waits.
  var hasBodyBeside: Bool {
    guard case .stream = incoming.request.body.content else { return false }
    return session == nil
  }
}

extension HTTPRequest {
  /// What is read of it, in bytes.
  fileprivate var size: Int {
    headerFields.reduce(path?.utf8.count ?? 0) { size, field in
      size + field.name.rawName.utf8.count + field.value.utf8.count
    }
  }
}

/// What a stream answers at the moment: the tasks of the peer's requests, for as long as they run, and the requests that wait
/// for a place, in the order in which they came.
///
/// Each peer has places of its own, so that a queue holds up nobody but whoever made it long.
struct AnswersUnderWay {
  private struct Waiting {
    let answer: AnswerToBe
    let bytes: Int
    let deadline: NIODeadline
  }

  /// nil for one that began, and has not been kept yet.
  private var tasks: [Int: Task<Void, Never>?] = [:]
  private var lastNumber = 0
  /// Tasks that have a place.
  private var running = 0
  private var waiting: Deque<Waiting> = []
  private var waitingBytes = 0
  /// Those that may have a place are being begun: one that ends at once need not see to the next.
  var isBeginning = false
  /// Whether a person who wrote has been told that nobody reads it.
  var hasRepliedToChat = false

  /// No task runs.
  var isEmpty: Bool { tasks.isEmpty }

  /// - Throws: `StanzaError` where too many wait for one like this to wait as well.
  mutating func enqueue(_ answer: AnswerToBe, now: NIODeadline) throws(StanzaError) {
    guard running >= Limits.requests else { return waiting.append(Waiting(answer: answer, bytes: 0, deadline: now)) }
    let bytes = answer.size
    guard waiting.count < Limits.waitingRequests, waitingBytes + bytes <= Limits.waitingBytes,
      !answer.hasBodyBeside || waiting.count(where: \.answer.hasBodyBeside) < Limits.waitingBodies
    else { throw Self.tooMany }
    waiting.append(Waiting(answer: answer, bytes: bytes, deadline: now + Timeouts.turn))
    waitingBytes += bytes
  }

  static let tooMany = StanzaError(.resourceConstraint, "Too many requests wait on this stream.")

  /// The next one that has a place, which it takes; nil where none waits, or has to wait on.
  mutating func dequeue() -> (answer: AnswerToBe, number: Int)? {
    guard running < Limits.requests, let next = waiting.popFirst() else { return nil }
    waitingBytes -= next.bytes
    running += 1
    lastNumber += 1
    tasks[lastNumber] = .some(nil)
    return (next.answer, lastNumber)
  }

  /// Those that have waited for too long, and do so no more.
  mutating func expire(now: NIODeadline) -> [AnswerToBe] {
    var expired: [AnswerToBe] = []
    while let first = waiting.first, first.deadline <= now {
      waiting.removeFirst()
      waitingBytes -= first.bytes
      expired.append(first.answer)
    }
    return expired
  }

  /// A task that has ended by now is not kept.
  mutating func keep(_ task: Task<Void, Never>, _ number: Int) {
    if tasks[number] != nil { tasks[number] = task }
  }

  /// The task goes on, and another one may have its place.
  mutating func leavePlace() { running -= 1 }

  mutating func end(_ number: Int) { tasks[number] = nil }

  /// Those that waited, whom nobody answers any more.
  mutating func cancelAll() -> [AnswerToBe] {
    for task in tasks.values { task?.cancel() }
    defer {
      waiting = []
      waitingBytes = 0
    }
    return waiting.map(\.answer)
  }
}
