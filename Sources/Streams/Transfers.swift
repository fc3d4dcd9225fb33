import Bytestreams
import DequeModule
import HTTPX
import HeapModule
import NIOCore
import XML
import XMPP

/// The bodies of one stream beside its stanzas, both ways: which there are, what of them waits for readers, when one has
/// something to do by itself, and what was opened before it was announced.
///
/// Lives on the stream's event loop. Verbs return what is to be sent, each with the transfer that it belongs to.
///
/// More than eight properties: the transfers by name, by deadline and by what they wait for, with their sums.
struct Transfers {
  struct Effect {
    let transfer: TransferID
    let effect: TransferEffect
  }

  /// An `<open/>` that came before the stanza that announces its bytestream.
  private struct EarlyOpen: Sendable {
    let open: IBBOpen
    /// The IQ that waits for an answer.
    let id: String
  }

  private struct Due: Comparable {
    let deadline: NIODeadline
    let id: TransferID
    static func < (a: Due, b: Due) -> Bool { a.deadline < b.deadline }
  }

  private struct Entry {
    var transfer: Transfer
    /// Of these bytes `unreadBytes` is the sum.
    var unreadBytes = 0
    /// The earliest deadline of it in `due`.
    var due: NIODeadline?
    /// It is in `held`.
    var isHeld = false
  }

  private let eventLoop: any EventLoop
  /// The names that published bodies have by now, each until its reader is gone.
  private var renamed: [TransferID: TransferID] = [:]
  /// What the peer may ask for, by the names of publications and sessions.
  private var offered: [TransferID: TransferID] = [:]
  private var entries: [TransferID: Entry] = [:]
  /// One entry a transfer at most; those of transfers that are gone are dropped when their time comes.
  private var due = Heap<Due>()
  /// Of all transfers together.
  private(set) var unreadBytes = 0 { didSet { memory.unread = unreadBytes } }
  /// The stream's part of what the node may hold.
  let memory: MemoryAccount
  /// Those of what is sent.
  let windows = SendWindows()
  /// Of rows of chunks that come too fast.
  var readPause = ReadPause()
  /// How bodies go beside the stream; nil where they cannot.
  var direct: DirectPeer?
  /// Whether the socket takes more. While it does not, blocks that the peer's answers set free are held back.
  var isWritable = true
  /// Transfers with such blocks, each once, in the order of their turns.
  private var held = Deque<TransferID>()
  private(set) var incomingCount = 0
  private(set) var outgoingCount = 0
  private var early = EarlyOpens<EarlyOpen>(capacity: Limits.earlyOpens, bytes: 0, lifetime: Timeouts.opening)
  /// Announced bodies whose reader went away before they came.
  private var cancelled = EarlyOpens<Void>(capacity: Limits.cancelledBodies, bytes: 0, lifetime: Timeouts.opening)

  init(eventLoop: any EventLoop, memory: MemoryAccount) {
    self.eventLoop = eventLoop
    self.memory = memory
  }

  var isEmpty: Bool { entries.isEmpty }
  var earlyOpenCount: Int { early.count }

  /// Whether this transfer takes bytes to send.
  func isSending(_ id: TransferID) -> Bool { entries[id]?.transfer.isOutgoing ?? false }

  /// Completed when the reader has all of what is sent; nil where nothing is.
  func outcome(of id: TransferID) -> EventLoopFuture<Void>? { entries[id]?.transfer.outcome }

  static let unknown = StanzaError(.itemNotFound, "There is no such transfer.")

  // MARK: Incoming

  /// Expects the body that a request or response announces.
  ///
  /// - Parameter length: its Content-Length in bytes, where there is one.
  /// - Throws: `StanzaError` where the peer has too many under way, or uses a name twice.
  mutating func expect(_ id: TransferID, length: Int?) throws(StanzaError) -> [Effect] {
    try checkNew(id)
    incomingCount += 1
    let now = eventLoop.now
    switch (id.mechanism, entries[id]?.transfer) {
    case (.chunks, let known):
      let outgoing: OutgoingChunks? = if case .chunks(_, let outgoing)? = known { outgoing } else { nil }
      insert(id, .chunks(incoming: IncomingChunks(streamId: id.name, expected: length), outgoing: outgoing))
      return []
    case (.ibb, let known):
      let outgoing: OutgoingBytestream? = if case .bytestream(_, let outgoing)? = known { outgoing } else { nil }
      let incoming = IncomingBytestream(
        sid: id.name, expected: length, deadline: now + Timeouts.opening)
      insert(id, .bytestream(incoming: incoming, outgoing: outgoing))
      // Of several that came early the first opens it, and the others are refused.
      return early.claim(id.name).flatMap { early in opened(id, early.open, iq: early.id) }
    case (.jingle, _): preconditionFailure("what is offered is expected as a session")
    case (.sipub, _):
      let incoming = IncomingBytestream(published: length, deadline: now + Timeouts.opening)
      insert(id, .bytestream(incoming: incoming, outgoing: nil))
      return [Effect(transfer: id, effect: .ask(type: "get", SIPub.start(id.name)))]
    }
  }

  /// The same for one that is offered in a session, which is accepted.
  mutating func expect(_ session: JingleSession, length: Int?) throws(StanzaError) -> [Effect] {
    let (id, name) = (TransferID(.jingle, session.sid), TransferID(.ibb, session.transport.sid))
    try checkNew(id)
    guard session.direct == nil || direct?.isSecure ?? false && session.file.size != nil else {
      throw StanzaError(.featureNotImplemented, "Nothing is known here of this way beside the stream.")
    }
    let effects = try expect(name, length: length)
    renamed[id] = name
    guard session.direct != nil, let direct, let size = session.file.size else {
      return [Effect(transfer: id, effect: .ask(type: "set", session.accept))] + effects
    }
    let route = DirectRoute(session, name, .responder, direct)
    let now = eventLoop.now
    return change(name) { transfer in
      guard case .bytestream(let incoming?, _) = transfer else { return [] }
      return incoming.goes(by: route, size: size, now: now)
    }.map { Effect(transfer: id, effect: $0.effect) } + effects
  }

  /// The answer to the acceptance of a session.
  private mutating func accepted(_ id: TransferID, _ answer: Result<Stanza, StreamFailure>) -> [Effect] {
    guard case .failure(let failure) = answer, let name = renamed[id] else { return [] }
    return change(name) { transfer in
      if case .bytestream(let incoming?, _) = transfer, incoming.isAwaited { incoming.fail(failure) }
      return []
    }
  }

  /// What the peer says of a session; nil where there is none of this name.
  mutating func received(_ jingle: Jingle, iq: String) -> [Effect]? {
    switch jingle {
    case .accept(let sid, let blockSize, let direct):
      let now = eventLoop.now
      return changeOffered(sid) { $0.accepted(blockSize: blockSize, direct: direct, iq: iq, now: now) }
    case .replacementAccepted(let sid, let blockSize):
      return changeOffered(sid) { $0.replacementAccepted(blockSize: blockSize, iq: iq) }
    case .replace(let sid, let open):
      guard let name = renamed[TransferID(.jingle, sid)], case .bytestream(let incoming?, _)? = entries[name]?.transfer
      else { return nil }
      let until = eventLoop.now + Timeouts.opening
      return change(name) { _ in incoming.replaced(open, iq: iq, until: until) }
    case .connection(let sid, let told):
      let id = TransferID(.jingle, sid)
      guard let name = offered[id] ?? renamed[id] else { return nil }
      let isOurs = offered[id] != nil
      return [Effect(transfer: id, effect: .result(id: iq))] + change(name) { $0.told(told, isOffered: isOurs) }
    case .terminate(let sid, let isSuccess):
      let id = TransferID(.jingle, sid)
      let answer = [Effect(transfer: id, effect: .result(id: iq))]
      // There is none: so be it.
      guard let name = offered[id] ?? renamed[id] else { return answer }
      // At its end all has been said by `<close/>`.
      guard !isSuccess else { return answer }
      let isOurs = offered[id] != nil
      return answer + change(name) { $0.terminated(isOffered: isOurs) }
    case .other(let sid):
      let id = TransferID(.jingle, sid)
      guard renamed[id] ?? offered[id] != nil else { return nil }
      return [Effect(transfer: id, effect: .result(id: iq))]
    }
  }

  /// A session that this side began; nil where there is none of this name.
  private mutating func changeOffered(
    _ sid: String, _ body: (OutgoingBytestream) -> [TransferEffect]
  ) -> [Effect]? {
    guard let id = offered[TransferID(.jingle, sid)], case .bytestream(_, let outgoing?)? = entries[id]?.transfer
    else { return nil }
    return change(id) { _ in body(outgoing) }
  }

  /// The answer to the question for a published body, which has the name of its bytestream from now on.
  private mutating func started(_ id: TransferID, _ answer: Result<Stanza, StreamFailure>) -> [Effect] {
    guard case .bytestream(let incoming?, _)? = entries[id]?.transfer else { return [] }
    let name: TransferID
    do throws(StreamFailure) {
      try incoming.started(answer, until: eventLoop.now + Timeouts.opening)
      name = TransferID(.ibb, incoming.sid)
      guard entries[name]?.transfer.isIncoming != true
      else { throw .incomplete("“\(name.name)” is under way already.") }
    } catch {
      return change(id) { _ in
        incoming.fail(error)
        return []
      }
    }
    replace(id, by: nil)
    let outgoing: OutgoingBytestream? =
      if case .bytestream(_, let outgoing)? = entries[name]?.transfer { outgoing } else { nil }
    insert(name, .bytestream(incoming: incoming, outgoing: outgoing))
    renamed[id] = name
    return early.claim(name.name).flatMap { early in opened(name, early.open, iq: early.id) }
  }

  /// The offer of a published body (XEP-0095); nil where nobody waits for it.
  mutating func received(_ offer: SIOffer, iq: String) -> [Effect]? {
    let id = TransferID(.ibb, offer.id)
    guard case .bytestream(let incoming?, _)? = entries[id]?.transfer,
      let effects = incoming.offered(
        offer, iq: iq, mayComeBeside: plainPeer != nil, until: eventLoop.now + Timeouts.opening)
    else { return nil }
    return change(id) { _ in effects }
  }

  /// Where a published body can be had beside the stream (XEP-0065); nil where nobody waits for that.
  mutating func received(_ transport: S5BTransport, iq: String) -> [Effect]? {
    let id = TransferID(.ibb, transport.sid)
    guard let plainPeer, case .bytestream(let incoming?, _)? = entries[id]?.transfer,
      let effects = incoming.told(transport, iq: iq, id, plainPeer)
    else { return nil }
    return change(id) { _ in effects }
  }

  /// Where bodies may go beside the stream in the clear.
  private var plainPeer: DirectPeer? { direct.flatMap { $0.isSecure ? nil : $0 } }

  private func checkNew(_ id: TransferID) throws(StanzaError) {
    guard incomingCount < Limits.incomingBodies else {
      throw StanzaError(.resourceConstraint, "Too many bodies are under way on this stream.")
    }
    guard entries[id]?.transfer.isIncoming != true, renamed[id] == nil else {
      throw StanzaError(.conflict, "“\(id.name)” is under way already.")
    }
  }

  /// Begins a session in which both sides send, which was announced just before.
  ///
  /// - Parameter opening: the size of blocks where this side opens it, as whoever announces it does; nil: the peer will.
  /// - Throws: `StanzaError` where the peer has too many bodies under way, or uses a name twice.
  mutating func startSession(_ id: TransferID, opening blockSize: Int?) throws(StanzaError) -> [Effect] {
    try checkNew(id)
    guard entries[id] == nil else { throw StanzaError(.conflict, "“\(id.name)” is under way already.") }
    incomingCount += 1
    outgoingCount += 1
    let incoming =
      blockSize.map { IncomingBytestream(sid: id.name, blockSize: $0) }
      ?? IncomingBytestream(
        sid: id.name, expected: nil, isDuplex: true, deadline: eventLoop.now + Timeouts.opening)
    let outgoing = OutgoingBytestream(
      sid: id.name, blockSize: blockSize ?? BytestreamLimits.largestBlockSize, isDuplex: true, windows: windows,
      eventLoop: eventLoop)
    insert(id, .bytestream(incoming: incoming, outgoing: outgoing))
    if let blockSize {
      return [Effect(transfer: id, effect: .request(.open(IBBOpen(sid: id.name, blockSize: blockSize))))]
    }
    return early.claim(id.name).flatMap { early in opened(id, early.open, iq: early.id) }
  }

  private mutating func opened(_ id: TransferID, _ open: IBBOpen, iq: String) -> [Effect] {
    let until = memory.isTight ? eventLoop.now + Timeouts.room : nil
    return change(id) { [isWritable] transfer in
      guard case .bytestream(let incoming?, let outgoing) = transfer else { return [] }
      let isFirst = incoming.isAwaited
      return incoming.opened(open, id: iq, waits: until)
        + (isFirst ? outgoing?.opened(open, isHeld: !isWritable) ?? [] : [])
    }
  }

  /// The reader asks for the next part of a body.
  mutating func read(_ id: TransferID, _ waiter: BodyReader.Waiter) -> [Effect] {
    let id = renamed[id] ?? id
    guard let entry = entries[id], !entry.transfer.isReaderWaiting else {
      waiter.resume(throwing: StreamFailure.cancelled)
      return []
    }
    return change(id) { $0.read(waiter) }
  }

  /// The peer has said that it sends no more of this.
  func isEnding(_ id: TransferID) -> Bool { entries[id]?.transfer.isEnding ?? false }

  /// Nobody reads it any more, whether it has ended or not.
  mutating func cancelReading(_ id: TransferID) -> [Effect] {
    let session = id.mechanism == .jingle ? id.name : nil
    let id = renamed.removeValue(forKey: id) ?? id
    guard let transfer = entries[id]?.transfer, transfer.isIncoming else { return [] }
    if case .bytestream(let incoming?, _) = transfer, incoming.isAwaited {
      _ = cancelled.hold((), of: id.name, now: eventLoop.now)
    }
    let (effects, left) = transfer.cancelReading()
    incomingCount -= 1
    let goodbye =
      transfer.isEnding ? nil : session.map { TransferEffect.notify(Jingle.terminate($0, reason: "cancel")) }
    replace(id, by: left)
    return (effects + [goodbye].compactMap { $0 }).map { Effect(transfer: id, effect: $0) }
  }

  // MARK: In-band bytestreams

  /// An `<open/>` of the peer's.
  ///
  /// - Parameter mayBeEarly: a response that could announce it is awaited.
  mutating func received(_ open: IBBOpen, iq: String, mayBeEarly: Bool) -> [Effect] {
    let id = TransferID(.ibb, open.sid)
    if case .bytestream(.some, _)? = entries[id]?.transfer { return opened(id, open, iq: iq) }
    let isHeld =
      cancelled.claim(open.sid).isEmpty && mayBeEarly
      && early.hold(EarlyOpen(open: open, id: iq), of: open.sid, now: eventLoop.now)
    return isHeld ? [] : [Self.refusal(of: EarlyOpen(open: open, id: iq))]
  }

  private static func refusal(of early: EarlyOpen) -> Effect {
    let error = StanzaError(.notAcceptable, "“\(early.open.sid)” was not announced, or is not wanted any more.")
    return Effect(transfer: TransferID(.ibb, early.open.sid), effect: .error(id: early.id, error))
  }

  /// A block of the peer's; `iq` is nil where a message carried it.
  mutating func received(_ block: IBBBlock, iq: String?) -> [Effect] {
    let id = TransferID(.ibb, block.sid)
    guard case .bytestream(let incoming?, _)? = entries[id]?.transfer else {
      return iq.map { [Effect(transfer: id, effect: .error(id: $0, Self.unknown))] } ?? []
    }
    return change(id) { _ in incoming.received(block, id: iq) } + refuseOverflow(id)
  }

  /// The peer closed it; false where there is none.
  mutating func closed(_ id: TransferID) -> Bool {
    guard entries[id] != nil else { return false }
    _ = change(id) { transfer in
      transfer.closed()
      return []
    }
    return true
  }

  /// The answer to an IQ of an outgoing bytestream, or to the question for one that was published.
  mutating func answered(_ id: TransferID, _ result: Result<Stanza, StreamFailure>) -> [Effect] {
    guard id.mechanism != .sipub else { return started(id, result) }
    guard id.mechanism != .jingle else { return accepted(id, result) }
    guard case .bytestream(_, let outgoing?)? = entries[id]?.transfer else { return [] }
    return change(id) { [isWritable] _ in outgoing.answered(result, isHeld: !isWritable) }
  }

  /// The socket takes more: the blocks of the transfer whose turn it is; nil where none has any.
  mutating func resume() -> [Effect]? {
    while let id = held.popFirst() {
      entries[id]?.isHeld = false
      guard case .bytestream(_, let outgoing?)? = entries[id]?.transfer, outgoing.isHeldBack else { continue }
      return change(id) { _ in outgoing.resume() }
    }
    return nil
  }

  // MARK: Beside the stream

  /// A connection for this transfer stands, or does not come about. `isOwn`: this side makes it.
  mutating func connected(_ id: TransferID, _ result: Result<DataConnection, any Error>, isOwn: Bool) -> [Effect] {
    guard entries[id] != nil else {
      if case .success(let connection) = result { connection.close() }
      return []
    }
    return change(id) { $0.connected(result, isOwn: isOwn) }
  }

  mutating func came(_ id: TransferID, _ event: DataConnection.Event) -> [Effect] {
    change(id) { $0.came(event) } + refuseOverflow(id)
  }

  func sent(_ id: TransferID, _ count: Int) { entries[id]?.transfer.sent(count) }

  // MARK: Chunks

  /// nil where there is no such transfer.
  mutating func received(_ chunk: Chunk) -> [Effect]? {
    let id = TransferID(.chunks, chunk.streamId)
    guard case .chunks(let incoming?, _)? = entries[id]?.transfer else { return nil }
    let now = eventLoop.now
    return change(id) { _ in incoming.received(chunk, now: now) } + refuseOverflow(id)
  }

  /// Something of this transfer could not be read, so its body has lost bytes.
  mutating func refused(_ id: TransferID, _ error: StanzaError) -> [Effect] {
    change(id) { $0.refused(error) }
  }

  /// Ends a transfer where more waits for its readers than one stream may have, and others where the node has no room.
  private mutating func refuseOverflow(_ id: TransferID) -> [Effect] {
    var effects = unreadBytes > Limits.unreadBytes ? overflowed(id) : []
    while memory.isOverdrawn, let largest = refuseLargest() { effects += largest }
    return effects
  }

  /// Ends the transfer of which most waits for its reader; nil where nothing waits.
  mutating func refuseLargest() -> [Effect]? {
    guard let largest = entries.max(by: { $0.value.unreadBytes < $1.value.unreadBytes }), largest.value.unreadBytes > 0
    else { return nil }
    return overflowed(largest.key)
  }

  /// Of the transfer of which most waits for its reader.
  var largestUnread: Int { entries.values.lazy.map(\.unreadBytes).max() ?? 0 }

  private mutating func overflowed(_ id: TransferID) -> [Effect] {
    change(id) {
      $0.overflowed(StanzaError(.resourceConstraint, "More was sent than this side can hold for its readers."))
    }
  }

  // MARK: Outgoing

  /// Begins a body that was announced just before.
  ///
  /// - Parameter offer: as what, where the peer has to ask for it first.
  mutating func start(_ id: TransferID, blockSize: Int, offer: BodyOffer? = nil) -> [Effect] {
    outgoingCount += 1
    switch (id.mechanism, entries[id]?.transfer) {
    case (.chunks, let known):
      let incoming: IncomingChunks? = if case .chunks(let incoming, _)? = known { incoming } else { nil }
      let outgoing = OutgoingChunks(streamId: id.name, chunkSize: blockSize, eventLoop: eventLoop)
      insert(id, .chunks(incoming: incoming, outgoing: outgoing))
      return []
    case (.ibb, let known):
      let incoming: IncomingBytestream? = if case .bytestream(let incoming, _)? = known { incoming } else { nil }
      let outgoing = OutgoingBytestream(
        sid: id.name, blockSize: blockSize, by: offer.map { agreement($0, sid: id.name) }, windows: windows,
        eventLoop: eventLoop)
      if case .session(let session)? = offer, session.direct != nil, let direct {
        outgoing.goes(by: DirectRoute(session, id, .initiator, direct))
      }
      if case .publication(let publication)? = offer, publication.file.size != nil, let plainPeer {
        outgoing.mayGo(to: plainPeer)
      }
      insert(id, .bytestream(incoming: incoming, outgoing: outgoing))
      if let name = outgoing.offered {
        offered[name] = id
        return []
      }
      return [Effect(transfer: id, effect: .request(.open(IBBOpen(sid: id.name, blockSize: blockSize))))]
    case (.sipub, _), (.jingle, _): preconditionFailure("what is offered goes by ibb")
    }
  }

  private func agreement(_ offer: BodyOffer, sid: String) -> OutgoingBytestream.Agreement {
    let expires = eventLoop.now + Timeouts.opening
    return switch offer {
    case .publication(let publication): .sipub(SIPubSenderMachine(publication, sid: sid, expires: expires))
    case .session(let session): .jingle(JingleSenderMachine(session, expires: expires))
    }
  }

  /// The peer asks for what is published by this id.
  mutating func requested(_ publication: String, iq: String) -> [Effect] {
    let name = TransferID(.sipub, publication)
    guard let id = offered[name], case .bytestream(_, let outgoing?)? = entries[id]?.transfer else {
      return [Effect(transfer: name, effect: .error(id: iq, SIPubSenderMachine.unknown))]
    }
    return change(id) { _ in outgoing.requested(iq: iq) }
  }

  /// Takes bytes to send; true where the producer has to wait for room.
  ///
  /// - Throws: why it takes none.
  mutating func write(_ bytes: ByteBuffer, to id: TransferID) throws -> (effects: [Effect], mustWait: Bool) {
    guard let transfer = entries[id]?.transfer else { throw StreamFailure.cancelled }
    let (effects, mustWait) = try transfer.write(bytes, now: eventLoop.now)
    noteDeadline(id)
    return (effects.map { Effect(transfer: id, effect: $0) }, mustWait)
  }

  func waitForRoom(_ id: TransferID, _ waiter: CheckedContinuation<Void, any Error>) {
    guard let transfer = entries[id]?.transfer else { return waiter.resume(throwing: StreamFailure.cancelled) }
    transfer.waitForRoom(waiter)
  }

  func cancelWaiting(_ id: TransferID) { entries[id]?.transfer.cancelWaiting() }

  /// All of it was written.
  mutating func finish(_ id: TransferID) -> [Effect] { change(id) { $0.finish() } }

  /// Nothing of what is sent is left, whether it has ended or not; nil where nothing was.
  mutating func cancelWriting(_ id: TransferID) -> [Effect]? {
    guard let transfer = entries[id]?.transfer, transfer.isOutgoing else { return nil }
    let (effects, left) = transfer.cancelWriting()
    if case .bytestream(_, let outgoing?) = transfer, let name = outgoing.offered { offered[name] = nil }
    outgoingCount -= 1
    replace(id, by: left)
    return effects.map { Effect(transfer: id, effect: $0) }
  }

  // MARK: Time and end

  /// When to call `expire`; nil while nothing is due by itself.
  mutating func nextDeadline() -> NIODeadline? {
    while let next = due.min, entries[next.id]?.due != next.deadline { due.removeMin() }
    return [due.min?.deadline, early.deadline, cancelled.deadline].compactMap { $0 }.min()
  }

  mutating func expire(now: NIODeadline) -> [Effect] {
    var effects: [Effect] = []
    let isTight = memory.isTight
    while let next = due.min, next.deadline <= now {
      due.removeMin()
      guard entries[next.id]?.due == next.deadline else { continue }
      entries[next.id]?.due = nil
      effects += change(next.id) { $0.expire(now: now, isTight: isTight) }
    }
    effects += early.expire(now: now).map { Self.refusal(of: $0.value) }
    _ = cancelled.expire(now: now)
    return effects
  }

  /// The stream underneath is gone. What has arrived whole may still be read.
  mutating func fail(_ failure: StreamFailure) {
    for (id, entry) in entries {
      entry.transfer.fail(failure)
      let left = entry.transfer.isOutgoing ? entry.transfer.cancelWriting().left : entry.transfer
      replace(id, by: left)
    }
    offered.removeAll()
    outgoingCount = 0
  }

  // MARK: Accounts

  private mutating func insert(_ id: TransferID, _ transfer: Transfer) {
    entries[id, default: Entry(transfer: transfer)].transfer = transfer
    account(id)
  }

  private mutating func replace(_ id: TransferID, by left: Transfer?) {
    guard let left else {
      unreadBytes -= entries.removeValue(forKey: id)?.unreadBytes ?? 0
      readPause.changed(id, unread: 0, now: eventLoop.now)
      return
    }
    insert(id, left)
  }

  private mutating func change(_ id: TransferID, _ body: (Transfer) -> [TransferEffect]) -> [Effect] {
    guard let transfer = entries[id]?.transfer else { return [] }
    let effects = body(transfer)
    account(id)
    return effects.map { Effect(transfer: id, effect: $0) }
  }

  private mutating func account(_ id: TransferID) {
    guard let entry = entries[id] else { return }
    let unread = entry.transfer.unreadBytes
    if unread != entry.unreadBytes {
      unreadBytes += unread - entry.unreadBytes
      entries[id]?.unreadBytes = unread
      if id.mechanism == .chunks { readPause.changed(id, unread: unread, now: eventLoop.now) }
    }
    if !isWritable, !entry.isHeld, case .bytestream(_, let outgoing?) = entry.transfer, outgoing.isHeldBack {
      entries[id]?.isHeld = true
      held.append(id)
    }
    noteDeadline(id)
  }

  /// A deadline that moves on is looked at again when the noted one comes, so that each transfer is in the heap once.
  private mutating func noteDeadline(_ id: TransferID) {
    guard let entry = entries[id], let deadline = entry.transfer.deadline else { return }
    if let noted = entry.due, noted <= deadline { return }
    entries[id]?.due = deadline
    due.insert(Due(deadline: deadline, id: id))
  }
}
