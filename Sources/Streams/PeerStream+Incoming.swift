import Codecs
import EventLoops
import Bytestreams
import HTTPX
import NIOCore
import XML
import XMPP

/// An `<open/>` that came before the stanza that announces its bytestream.
struct EarlyOpen: Sendable {
  let open: IBBOpen
  /// The IQ that waits for an answer.
  let id: String
}

/// Bodies from the peer, beside the stanzas. The transfers decide; here is who is who.
extension PeerStream {
  /// Expects the body that a request or response announces.
  ///
  /// - Parameter length: its Content-Length in bytes, where there is one.
  /// - Throws: `StanzaError` where the peer has too many under way, or uses a name twice.
  func expect(_ id: TransferID, length: Int?) throws(StanzaError) -> Body {
    guard incoming.count < Limits.incomingBodies else {
      throw StanzaError(.resourceConstraint, "Too many bodies are under way on this stream.")
    }
    guard incoming[id] == nil else { throw StanzaError(.conflict, "“\(id.name)” is under way already.") }
    switch id.mechanism {
    case .chunks: incoming[id] = IncomingChunks(streamId: id.name, expected: length)
    case .ibb: expectBytestream(id, length: length)
    }
    rescheduleTimer()
    return Body(IncomingBody(stream: self, id: id), length: length)
  }

  private func expectBytestream(_ id: TransferID, length: Int?) {
    let bytestream = IncomingBytestream(sid: id.name, expected: length)
    incoming[id] = bytestream
    bytestream.deadline = loop.scheduleTask(in: Timeouts.announcedBody) {
      bytestream.fail(.incomplete("It was announced and never came."))
    }
    // Of several that came early the first opens it, and the others are refused.
    for early in earlyOpens.claim(id.name) { perform(bytestream.opened(early.open, id: early.id), id) }
  }

  /// The next part of an incoming body; nil at its end.
  func read(_ id: TransferID) async throws -> ByteBuffer? {
    guard let transfer = incoming[id] else { throw StreamFailure.cancelled }
    let promise = eventLoop.makePromise(of: ByteBuffer?.self)
    guard transfer.reader.wait(promise) else {
      promise.fail(StreamFailure.cancelled)
      throw StreamFailure.cancelled
    }
    perform(transfer.read(), id)
    do {
      return try await promise.futureResult.value()
    } catch is CancellationError {
      abandonIncoming(id)
      throw CancellationError()
    }
  }

  /// Nobody reads it any more, whether it has ended or not.
  func abandonIncoming(_ id: TransferID) {
    guard let transfer = incoming.removeValue(forKey: id) else { return }
    if let bytestream = transfer as? IncomingBytestream, bytestream.isAwaited {
      _ = cancelled.hold((), of: id.name, now: eventLoop.now)
    }
    perform(transfer.cancel(), id)
    touch()
    rescheduleTimer()
  }

  // MARK: In-band bytestreams

  /// The answer to an element of XEP-0047; nil where it comes later.
  func receivedBytestream(_ stanza: Stanza, _ payload: Element) -> Stanza? {
    do throws(UnreadableElement) {
      switch try IBBElement(payload) {
      case .open(let open)?: receivedOpen(open, stanza)
      case .data(let block)?: receivedBlock(block, stanza)
      case .close(let sid)?: return closed(sid) ? stanza.result() : stanza.error(Self.unknownTransfer)
      case nil: return stanza.error(StanzaError(.badRequest))
      }
      return nil
    } catch {
      if let sid = error.transfer { lost(TransferID(mechanism: .ibb, name: sid), error.error) }
      return stanza.error(error.error)
    }
  }

  private static let unknownTransfer = StanzaError(.itemNotFound, "There is no such transfer.")

  private func receivedOpen(_ open: IBBOpen, _ stanza: Stanza) {
    let id = TransferID(mechanism: .ibb, name: open.sid)
    guard let iq = stanza.id else { return }
    if let bytestream = incoming[id] as? IncomingBytestream {
      perform(bytestream.opened(open, id: iq), id)
    } else if !cancelled.claim(open.sid).isEmpty || requesting == 0
      || !earlyOpens.hold(EarlyOpen(open: open, id: iq), of: open.sid, now: eventLoop.now)
    {
      refuseOpen(EarlyOpen(open: open, id: iq))
    }
    rescheduleTimer()
  }

  func refuseOpen(_ early: EarlyOpen) {
    let error = StanzaError(.notAcceptable, "“\(early.open.sid)” was not announced, or is not wanted any more.")
    perform([.error(id: early.id, error)], TransferID(mechanism: .ibb, name: early.open.sid))
  }

  private func receivedBlock(_ block: IBBBlock, _ stanza: Stanza) {
    let id = TransferID(mechanism: .ibb, name: block.sid)
    let iq = stanza.kind == .iq ? stanza.id : nil
    guard let bytestream = incoming[id] as? IncomingBytestream else {
      if let iq { perform([.error(id: iq, Self.unknownTransfer)], id) }
      return
    }
    perform(bytestream.received(block, id: iq), id)
    if let overflow { perform(bytestream.refused(overflow), id) }
  }

  /// What is wrong where more waits for its readers than one stream may have.
  private var overflow: StanzaError? {
    let unread = incoming.values.reduce(0) { $0 + $1.unreadBytes }
    guard unread > Limits.unreadBytes else { return nil }
    return StanzaError(.resourceConstraint, "More was sent than this side can hold for its readers.")
  }

  /// Either side may close (XEP-0047 §2.3): its sender at the end, its reader when it has had enough.
  private func closed(_ sid: String) -> Bool {
    let id = TransferID(mechanism: .ibb, name: sid)
    let bytestream = incoming[id] as? IncomingBytestream
    bytestream?.closed()
    outgoing[id]?.closed()
    return bytestream != nil || outgoing[id] != nil
  }

  /// Something of this transfer could not be read.
  private func lost(_ id: TransferID, _ error: StanzaError) {
    if let bytestream = incoming[id] as? IncomingBytestream { perform(bytestream.refused(error), id) }
    if let chunks = incoming[id] as? IncomingChunks { perform(chunks.refused(error), id) }
  }

  // MARK: Chunks, and blocks in messages

  func receivedMessage(_ stanza: Stanza) {
    guard stanza.type != "error" else { return }
    receivedWords(stanza)
    for payload in stanza.children {
      switch payload.namespace {
      case Namespace.ibb: receivedCarried(payload, stanza)
      case Namespace.http: _ = receivedChunk(payload)
      default: break
      }
    }
  }

  /// Answered once a stream: two that answer each other would never end.
  private func receivedWords(_ stanza: Stanza) {
    guard !hasReplied, stanza.first("body", Namespace.client) != nil, let identity,
      case .taken(let reply?) = host.received(stanza, self, identity)
    else { return }
    hasReplied = true
    handler.send(reply)
  }

  /// XEP-0047 §4: blocks in messages, which nobody answers.
  private func receivedCarried(_ payload: Element, _ stanza: Stanza) {
    do throws(UnreadableElement) {
      if case .data(let block)? = try IBBElement(payload) { receivedBlock(block, stanza) }
    } catch {
      if let sid = error.transfer { lost(TransferID(mechanism: .ibb, name: sid), error.error) }
    }
  }

  /// What is wrong with an element about chunks; nil where it was understood.
  func receivedChunk(_ payload: Element) -> StanzaError? {
    do throws(UnreadableElement) {
      switch try ChunkElement(payload) {
      case .chunk(let chunk)?: return receivedChunk(chunk)
      case .close(let streamId)?: return closedChunks(streamId)
      case nil: return StanzaError(.badRequest)
      }
    } catch {
      if let name = error.transfer { lost(TransferID(mechanism: .chunks, name: name), error.error) }
      return error.error
    }
  }

  private func receivedChunk(_ chunk: Chunk) -> StanzaError? {
    let id = TransferID(mechanism: .chunks, name: chunk.streamId)
    guard let chunks = incoming[id] as? IncomingChunks else { return Self.unknownTransfer }
    perform(chunks.received(chunk, now: eventLoop.now), id)
    if let overflow { perform(chunks.refused(overflow), id) }
    rescheduleTimer()
    return nil
  }

  private func closedChunks(_ streamId: String) -> StanzaError? {
    let id = TransferID(mechanism: .chunks, name: streamId)
    guard incoming[id] != nil || outgoing[id] != nil else { return Self.unknownTransfer }
    (incoming[id] as? IncomingChunks)?.closed()
    outgoing[id]?.closed()
    return nil
  }
}
