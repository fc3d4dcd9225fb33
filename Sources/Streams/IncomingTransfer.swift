import Bytestreams
import DequeModule
import NIOCore
import XMPP

/// An in-band bytestream that the peer sends on: announced first, then opened. The machine inside decides.
///
/// More than eight properties: it is announced, opened, and comes in-band, beside the stream, or from there back in-band.
final class IncomingBytestream {
  /// Empty where it is not known yet.
  private(set) var sid: String
  /// How the bytestream is agreed on, where the body was published.
  private var agreement: SIPubReceiverMachine?
  private var reader: BodyReader
  /// Until `<open/>` comes.
  private var machine: IBBReceiverMachine?
  private var failure: StreamFailure?
  /// The `<open/>` that is answered when there is a reader, or room.
  private var heldOpen: String?
  /// Until when its `<open/>` may come, or may wait for its answer; nil once it is open.
  private var opening: NIODeadline?

  private let isDuplex: Bool
  /// The way beside the stream, as long as it is to go so.
  private var route: DataRoute?
  /// What came that way and waits for its reader, in bytes too; and all that came.
  private var parts = Deque<ByteBuffer>()
  private var partBytes = 0
  private var arrived = 0
  /// Bytes of all of it, where it goes beside the stream.
  private var size = 0
  private var isStarted = false
  /// It is to come beside the stream in the clear, and where it can be had was not told yet.
  private var plainFile: SIFile?
  /// All of it has come beside the stream.
  private var isWhole = false

  /// `isDuplex`: both sides send in it.
  init(sid: String, expected: Int?, isDuplex: Bool = false, deadline: NIODeadline) {
    self.sid = sid
    self.isDuplex = isDuplex
    opening = deadline
    reader = BodyReader(expected: expected)
  }

  /// Of a body that was published, and is asked for.
  init(published expected: Int?, deadline: NIODeadline) {
    sid = ""
    agreement = SIPubReceiverMachine()
    isDuplex = false
    opening = deadline
    reader = BodyReader(expected: expected)
  }

  /// In a session that this side opens.
  init(sid: String, blockSize: Int) {
    self.sid = sid
    isDuplex = true
    machine = IBBReceiverMachine(sid: sid, blockSize: blockSize, isDuplex: true)
    reader = BodyReader(expected: nil)
  }

  /// When it has something to do by itself.
  var deadline: NIODeadline? { [opening, route?.deadline].compactMap { $0 }.min() }
  /// Its `<open/>` is still to come.
  var isAwaited: Bool { machine == nil && failure == nil && !isWhole && route?.connection == nil }
  /// More may come.
  var isOpen: Bool { machine != nil && !isEnding }
  /// The peer has said that it sends no more.
  var isEnding: Bool { machine?.isEnding ?? isWhole }
  var isWaiting: Bool { reader.isWaiting }
  /// What has arrived, and waits for its reader.
  var unreadBytes: Int { machine?.unreadBytes ?? partBytes }

  /// The answer to the question for a published body; the offer and `<open/>` have until then.
  ///
  /// - Throws: `StreamFailure` where the body will not come.
  func started(_ answer: Result<Stanza, StreamFailure>, until: NIODeadline) throws(StreamFailure) {
    if let failure { throw failure }
    let payload = try answer.get().payload
    do throws(BytestreamError) {
      sid = try agreement?.started(payload) ?? ""
    } catch {
      throw .incomplete("\(error.message).")
    }
    opening = until
  }

  /// The offer of a published body; nil where this is none, or it is not awaited any more.
  ///
  /// - Parameter mayComeBeside: in the clear.
  func offered(_ offer: SIOffer, iq: String, mayComeBeside: Bool, until: NIODeadline) -> [TransferEffect]? {
    guard isAwaited else { return nil }
    switch agreement?.offered(offer, mayComeBeside: mayComeBeside) {
    case .accept(let answer, let size)?:
      opening = until
      plainFile = size.map { _ in offer.file }
      return [.answer(id: iq, answer)]
    case .refuse(let error, let reason)?:
      fail(.incomplete("\(reason.message)."))
      return [.answer(id: iq, error)]
    case .ignore(let error)?: return [.answer(id: iq, error)]
    case nil: return nil
    }
  }

  /// - Parameter until: where memory is scarce, for how long the answer may wait for the reader: without it nothing is sent.
  func opened(_ open: IBBOpen, id: String, waits until: NIODeadline? = nil) -> [TransferEffect] {
    guard isAwaited, !(route is PlainRoute) else {
      return [.error(id: id, StanzaError(.notAcceptable, "“\(sid)” was opened before, or came too late."))]
    }
    opening = nil
    machine = IBBReceiverMachine(sid: sid, blockSize: open.blockSize, isDuplex: isDuplex)
    // Whoever waits for the announced body now waits for its first block.
    if reader.isWaiting {
      _ = machine?.read()
    } else if let until, !isDuplex {
      (heldOpen, opening) = (id, until)
      return []
    }
    return [.result(id: id)]
  }

  private func answerOpen() -> [TransferEffect] {
    guard let id = heldOpen.take() else { return [] }
    opening = nil
    return [.result(id: id)]
  }

  func received(_ block: IBBBlock, id: String?) -> [TransferEffect] {
    switch machine?.received(block, stanza: id) {
    case .deliver(let bytes, let id)?:
      reader.resume(.part(bytes))
      return results([id])
    case .hold?: return []
    case .acknowledge(let id)?: return results([id])
    case .end(let id, let resumesReader)?:
      if resumesReader { reader.resume(.end) }
      return results([id])
    case .refuse(let error)?: return errors(id, error)
    case .fail(let error, let end)?: return errors(id, error) + effects(end)
    case nil: return errors(id, StanzaError(.itemNotFound, "“\(sid)” is not open."))
    }
  }

  /// The reader asks for the next part.
  func read(_ waiter: BodyReader.Waiter) -> [TransferEffect] {
    reader.wait(waiter)
    if let failure { reader.resume(.failure(failure)) }
    readBeside()
    let answer = answerOpen()
    switch machine?.read() {
    case .deliver(let bytes, let ids)?:
      reader.resume(.part(bytes))
      return answer + results(ids)
    case .wait?, nil: break
    case .end?: reader.resume(.end)
    case .fail(let error)?: reader.resume(.failure(error))
    }
    return answer
  }

  func closed() {
    if case .end? = machine?.peerClosed() { reader.resume(.end) }
    if machine == nil { fail(.incomplete("It was closed before it was opened.")) }
  }

  /// The session that it belongs to ended before its time.
  func terminated() {
    if !isEnding { fail(.incomplete("The other side ended the session.")) }
  }

  /// A block could not be read, so the body has lost bytes.
  func refused(_ error: StanzaError) -> [TransferEffect] {
    machine?.refused(error).map(effects) ?? []
  }

  /// More has arrived than this side can hold: whoever sent it learns that from the answers to what it sent.
  func overflowed(_ error: StanzaError) -> [TransferEffect] {
    if machine == nil, partBytes > 0 { fail(.incomplete("This node had no room for it.")) }
    guard let end = machine?.overflowed(error) else { return [] }
    return end.acknowledge.map { .error(id: $0, error) } + effects(end.acknowledging([]))
  }

  func expire(now: NIODeadline, isTight: Bool) -> [TransferEffect] {
    let effects = route.map { settle($0.expire(now: now)) } ?? []
    guard let opening, opening <= now else { return effects }
    guard let id = heldOpen else {
      fail(.incomplete("It was announced and never came."))
      return []
    }
    guard isTight else { return answerOpen() }
    heldOpen = nil
    fail(.incomplete("This node had no room for it."))
    return [.error(id: id, StanzaError(.resourceConstraint, "There is no room for this at the moment."))]
  }

  /// The reader went away.
  func cancel() -> [TransferEffect] {
    let answer = answerOpen()
    opening = nil
    leaveRoute()
    reader.resume(.failure(StreamFailure.cancelled))
    return answer + (machine?.cancel().map(effects) ?? [])
  }

  /// The stream underneath is gone, or the body never came.
  func fail(_ failure: StreamFailure) {
    opening = nil
    leaveRoute()
    guard machine != nil else {
      // What has come whole may still be read.
      guard !isWhole else { return }
      (parts, partBytes) = ([], 0)
      self.failure = failure
      return reader.resume(.failure(failure))
    }
    if machine?.failed(failure) != nil { reader.resume(.failure(failure)) }
  }

  private func effects(_ end: IBBReceiverMachine.End) -> [TransferEffect] {
    if end.resumesReader { reader.resume(.failure(end.error)) }
    return (end.closes ? [.request(.close(sid: sid))] : []) + results(end.acknowledge)
  }

  private func results(_ ids: [String?]) -> [TransferEffect] {
    ids.compactMap { id in id.map { .result(id: $0) } }
  }

  private func errors(_ id: String?, _ error: StanzaError) -> [TransferEffect] {
    id.map { [.error(id: $0, error)] } ?? []
  }
}

/// Beside the stream.
extension IncomingBytestream {
  /// It is offered as one that goes so, in this many bytes.
  func goes(by route: DirectRoute, size: Int, now: NIODeadline) -> [TransferEffect] {
    (self.route, self.size) = (route, size)
    return [route.accept] + settle(route.begin(route.session.direct, now: now))
  }

  /// Where what was offered can be had in the clear beside the stream; nil where nobody waits for that.
  func told(_ transport: S5BTransport, iq: String, _ id: TransferID, _ peer: DirectPeer) -> [TransferEffect]? {
    guard isAwaited, let file = plainFile.take() else { return nil }
    let route = PlainRoute(file, at: transport, iq: iq, id, peer)
    (self.route, size) = (route, file.size ?? 0)
    return settle(route.begin())
  }

  /// It goes, or is to go, beside the stream.
  var isDirect: Bool { route != nil }

  private func leaveRoute() {
    // The last word of a body that has come whole is on its way.
    if isWhole { route?.leave() } else { route?.end() }
    route = nil
  }

  private func settle(_ step: (effects: [TransferEffect], outcome: DataRoute.Outcome)) -> [TransferEffect] {
    switch step.outcome {
    case .none: break
    case .connected:
      opening = nil
      readBeside()
    // In a session the other side goes on in-band.
    case .fallBack: if route is PlainRoute { fail(.incomplete("No connection for it came about.")) }
    }
    return step.effects
  }

  func connected(_ result: Result<DataConnection, any Error>, isOwn: Bool) -> [TransferEffect] {
    guard let route else {
      if case .success(let connection) = result { connection.close() }
      return []
    }
    return settle(route.connected(result, isOwn: isOwn))
  }

  func told(_ told: Jingle.Connection) -> [TransferEffect] {
    (route as? DirectRoute).map { settle($0.told(told)) } ?? []
  }

  /// The peer goes on in-band: `<open/>` has until then.
  func replaced(_ open: IBBOpen, iq: String, until: NIODeadline) -> [TransferEffect] {
    guard let route = route as? DirectRoute, arrived == 0, open.sid == sid else {
      return [.error(id: iq, StanzaError(.notAcceptable, "“\(sid)” cannot go in-band any more."))]
    }
    route.replaced()
    self.route = nil
    opening = until
    return [.result(id: iq), .notify(route.session.acceptReplacement(open))]
  }

  /// The reader waits: it gets what there is, or whatever comes first.
  private func readBeside() {
    guard reader.isWaiting else { return }
    if let part = parts.popFirst() {
      partBytes -= part.readableBytes
      deliver(part)
    } else if isWhole {
      reader.resume(.end)
    } else if let route, route.connection != nil, !isStarted {
      isStarted = true
      route.start()
    }
  }

  private func deliver(_ part: ByteBuffer) {
    reader.resume(.part(part))
    route?.connection?.take(part.readableBytes)
  }

  func came(_ event: DataConnection.Event) {
    guard let route, route.connection != nil else { return }
    switch event {
    case .bytes(let bytes): came(bytes, route)
    case .ended, .failed:
      if !isWhole { fail(.incomplete("It ended after \(arrived) of \(size) bytes.")) }
      leaveRoute()
    }
  }

  private func came(_ bytes: ByteBuffer, _ route: DataRoute) {
    arrived += bytes.readableBytes
    guard arrived <= size else { return fail(.incomplete("It is longer than \(size) bytes.")) }
    if arrived == size {
      isWhole = true
      route.finish()
    }
    if reader.isWaiting {
      deliver(bytes)
    } else {
      parts.append(bytes)
      partBytes += bytes.readableBytes
    }
  }
}

/// A row of chunks that the peer sends. The machine inside decides.
final class IncomingChunks {
  private var reader: BodyReader
  private var machine: ChunkReceiverMachine

  init(streamId: String, expected: Int?) {
    machine = ChunkReceiverMachine(streamId: streamId)
    reader = BodyReader(expected: expected)
  }

  /// Until when a missing chunk may come; nil while none is missing.
  var deadline: NIODeadline? { machine.deadline }
  var isWaiting: Bool { reader.isWaiting }
  /// What has arrived, and waits for its reader, or for an earlier chunk.
  var unreadBytes: Int { machine.unreadBytes }

  func received(_ chunk: Chunk, now: NIODeadline) -> [TransferEffect] {
    switch machine.received(chunk, now: now) {
    case .none: return []
    case .deliver(let bytes): reader.resume(.part(bytes))
    case .end: reader.resume(.end)
    case .fail(let end): return effects(end)
    }
    return []
  }

  /// The reader asks for the next part.
  func read(_ waiter: BodyReader.Waiter) {
    reader.wait(waiter)
    switch machine.read() {
    case .deliver(let bytes): reader.resume(.part(bytes))
    case .wait: break
    case .end: reader.resume(.end)
    case .fail(let error): reader.resume(.failure(error))
    }
  }

  func closed() {
    _ = machine.peerClosed().map(effects)
  }

  func refused(_ error: StanzaError) -> [TransferEffect] {
    machine.refused(error).map(effects) ?? []
  }

  func expire(now: NIODeadline) -> [TransferEffect] {
    machine.timedOut(now: now).map(effects) ?? []
  }

  /// The reader went away.
  func cancel() -> [TransferEffect] {
    reader.resume(.failure(StreamFailure.cancelled))
    return machine.cancel().map(effects) ?? []
  }

  /// The stream underneath is gone.
  func fail(_ failure: StreamFailure) {
    if machine.failed(failure) != nil { reader.resume(.failure(failure)) }
  }

  private func effects(_ end: ChunkReceiverMachine.End) -> [TransferEffect] {
    if end.resumesReader { reader.resume(.failure(end.error)) }
    return end.element.map { [.message($0)] } ?? []
  }
}
