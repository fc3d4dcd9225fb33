import DequeModule
import HTTPTypes
import HTTPX
import NIOCore
import XMPP

/// A request of the peer, as it is answered.
struct AnswerToBe {
  let answerable: ExchangeMachine.Answerable
  let incoming: IncomingRequest
  /// To be fulfilled where the answer changes the protocol.
  let session: EventLoopPromise<IncomingBody>?

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
  /// nil for one that began, and has not been kept yet.
  private var tasks: [Int: Task<Void, Never>?] = [:]
  private var lastNumber = 0
  /// Tasks that have a place.
  private var running = 0
  private var waiting: Deque<(answer: AnswerToBe, bytes: Int)> = []
  private var waitingBytes = 0
  /// Whether a person who wrote has been told that nobody reads it.
  var hasRepliedToChat = false

  /// No task runs.
  var isEmpty: Bool { tasks.isEmpty }

  /// - Throws: `StanzaError` where too many wait for one like this to wait as well.
  func checkRoom(for head: HTTPRequest) throws(StanzaError) {
    if running < Limits.requests { return }
    guard waiting.count < Limits.waitingRequests, waitingBytes + head.size <= Limits.waitingBytes else {
      throw StanzaError(.resourceConstraint, "Too many requests wait on this stream.")
    }
  }

  mutating func enqueue(_ answer: AnswerToBe) {
    // One that has a place need not be measured.
    let bytes = running < Limits.requests ? 0 : answer.incoming.request.head.size
    waiting.append((answer, bytes))
    waitingBytes += bytes
  }

  /// The next one that has a place, which it takes; nil where none waits, or has to wait on.
  mutating func dequeue() -> (answer: AnswerToBe, number: Int)? {
    guard running < Limits.requests, let (answer, bytes) = waiting.popFirst() else { return nil }
    waitingBytes -= bytes
    running += 1
    lastNumber += 1
    tasks[lastNumber] = .some(nil)
    return (answer, lastNumber)
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
    defer { waiting = [] }
    return waiting.map(\.answer)
  }
}
