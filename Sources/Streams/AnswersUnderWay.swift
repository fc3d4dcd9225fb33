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
  /// Bytes of its stanza, which are held until it is answered.
  let stanzaBytes: Int

  init(
    _ answerable: ExchangeMachine.Answerable, _ incoming: IncomingRequest, _ session: EventLoopPromise<IncomingBody>?,
    stanzaBytes: Int
  ) {
    (self.answerable, self.incoming, self.session) = (answerable, incoming, session)
    self.stanzaBytes = stanzaBytes
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
/// for a place: those to one device in the order in which they came, the devices in turn.
///
/// Each peer has places of its own, so that a queue holds up nobody but whoever made it long. Requests to one device take at
/// most as many places as they leave free, so that one that is slow holds up none of the others.
struct AnswersUnderWay {
  private struct Waiting {
    let answer: AnswerToBe
    let bytes: Int
    let deadline: NIODeadline
  }

  /// nil for one that began, and has not been kept yet.
  private var tasks: [Int: Task<Void, Never>?] = [:]
  private var lastNumber = 0
  /// The devices that were asked by those who have a place.
  private var places: [JID] = []
  /// These have theirs, and are to begin.
  private var ready: Deque<AnswerToBe> = []
  private var queue = TurnQueue<JID, Waiting>()
  /// In the queue.
  private var waiting = 0
  private var waitingBytes = 0
  private var waitingBodies = 0
  /// Those that may have a place are being begun: one that ends at once need not see to the next.
  var isBeginning = false
  /// Whether a person who wrote has been told that nobody reads it.
  var hasRepliedToChat = false

  /// No task runs.
  var isEmpty: Bool { tasks.isEmpty }

  /// - Throws: `StanzaError` where too many wait for one like this to wait as well.
  mutating func enqueue(_ answer: AnswerToBe, now: NIODeadline) throws(StanzaError) {
    let device = answer.incoming.device
    guard !Self.hasPlace(for: device, beside: places) else {
      places.append(device)
      return ready.append(answer)
    }
    let bytes = answer.size
    guard waiting < Limits.waitingRequests, waitingBytes + bytes <= Limits.waitingBytes,
      !answer.hasBodyBeside || waitingBodies < Limits.waitingBodies
    else { throw Self.tooMany }
    queue.append(Waiting(answer: answer, bytes: bytes, deadline: now + Timeouts.turn), for: device)
    waiting += 1
    waitingBytes += bytes
    if answer.hasBodyBeside { waitingBodies += 1 }
  }

  static let tooMany = StanzaError(.resourceConstraint, "Too many requests wait on this stream.")

  private static func hasPlace(for device: JID, beside places: [JID]) -> Bool {
    // Whatever they ask: half is left for the others.
    if places.count < Limits.requests { return true }
    let free = Limits.requestsInAll - places.count
    return places.count { $0 == device } < free - 1 || free > 0 && !places.contains(device)
  }

  /// The next one that has a place; nil where none waits, or has to wait on.
  mutating func dequeue() -> (answer: AnswerToBe, number: Int)? {
    guard let answer = ready.popFirst() ?? admitted() else { return nil }
    lastNumber += 1
    tasks[lastNumber] = .some(nil)
    return (answer, lastNumber)
  }

  /// Whose turn it is now that a place is free, which it takes.
  private mutating func admitted() -> AnswerToBe? {
    guard !queue.isEmpty,
      let next = queue.popFirst(where: { [places] device in Self.hasPlace(for: device, beside: places) })
    else { return nil }
    left(next)
    places.append(next.answer.incoming.device)
    return next.answer
  }

  /// One has left the queue.
  private mutating func left(_ one: Waiting) {
    waiting -= 1
    waitingBytes -= one.bytes
    if one.answer.hasBodyBeside { waitingBodies -= 1 }
  }

  /// Those that have waited for too long, and do so no more.
  mutating func expire(now: NIODeadline) -> [AnswerToBe] {
    let expired = queue.removeAll { $0.deadline <= now }
    for one in expired { left(one) }
    return expired.map(\.answer)
  }

  /// A task that has ended by now is not kept.
  mutating func keep(_ task: Task<Void, Never>, _ number: Int) {
    if tasks[number] != nil { tasks[number] = task }
  }

  /// Another one may have the place of this one, whose task may go on.
  mutating func leavePlace(of answer: AnswerToBe) {
    guard let index = places.lastIndex(of: answer.incoming.device) else { return }
    places.swapAt(index, places.endIndex - 1)
    places.removeLast()
  }

  mutating func end(_ number: Int) { tasks[number] = nil }

  /// Those that waited, whom nobody answers any more.
  mutating func cancelAll() -> [AnswerToBe] {
    for task in tasks.values { task?.cancel() }
    let waited = ready + queue.removeAll { _ in true }.map(\.answer)
    (ready, waiting, waitingBytes, waitingBodies) = ([], 0, 0, 0)
    return Array(waited)
  }
}
