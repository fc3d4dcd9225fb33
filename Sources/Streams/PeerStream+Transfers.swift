import Bytestreams
import HTTPX
import NIOCore
import XML
import XMPP

/// An `<open/>` that came before the stanza that announces its bytestream.
struct ParkedOpen: Sendable {
  let open: IBBOpen
  /// The IQ that waits for an answer.
  let id: String
}

/// Bodies beside the stanzas, both ways. The transfers decide; here is who is who, and what goes onto the wire.
extension PeerStream {
  // MARK: In

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
    case .ibb: incoming[id] = announced(id, length: length)
    }
    wind()
    return Body(IncomingBody(stream: self, id: id), length: length)
  }

  private func announced(_ id: TransferID, length: Int?) -> IncomingBytestream {
    let bytestream = IncomingBytestream(sid: id.name, expected: length)
    if let early = parked.claim(id.name).first {
      perform(bytestream.opened(early.open, id: early.id), id)
    } else {
      bytestream.deadline = loop.scheduleTask(in: Timeouts.announcedBody) {
        bytestream.fail(.incomplete("It was announced and never came."))
      }
    }
    return bytestream
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
    return try await withTaskCancellationHandler {
      try await promise.futureResult.get()
    } onCancel: {
      eventLoop.execute { self.assumeIsolated { $0.abandonIncoming(id) } }
    }
  }

  /// Nobody reads it any more, whether it has ended or not.
  func abandonIncoming(_ id: TransferID) {
    guard let transfer = incoming.removeValue(forKey: id) else { return }
    perform(transfer.cancel(), id)
    used()
  }

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
    } else if requesting == 0 || !parked.park(ParkedOpen(open: open, id: iq), of: open.sid, now: .now()) {
      perform([.error(id: iq, StanzaError(.notAcceptable, "“\(open.sid)” was not announced."))], id)
    }
    wind()
  }

  private func receivedBlock(_ block: IBBBlock, _ stanza: Stanza) {
    let id = TransferID(mechanism: .ibb, name: block.sid)
    let iq = stanza.kind == .iq ? stanza.id : nil
    if let bytestream = incoming[id] as? IncomingBytestream {
      perform(bytestream.received(block, id: iq), id)
    } else if let iq {
      perform([.error(id: iq, Self.unknownTransfer)], id)
    }
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

  func receivedMessage(_ stanza: Stanza) {
    guard stanza.type != "error" else { return }
    for payload in stanza.children {
      switch payload.namespace {
      case Namespace.ibb: receivedCarried(payload, stanza)
      case Namespace.http: receivedChunk(payload)
      default: break
      }
    }
  }

  /// XEP-0047 §4: blocks in messages, which nobody answers.
  private func receivedCarried(_ payload: Element, _ stanza: Stanza) {
    do throws(UnreadableElement) {
      if case .data(let block)? = try IBBElement(payload) { receivedBlock(block, stanza) }
    } catch {
      if let sid = error.transfer { lost(TransferID(mechanism: .ibb, name: sid), error.error) }
    }
  }

  private func receivedChunk(_ payload: Element) {
    do throws(UnreadableElement) {
      switch try ChunkElement(payload) {
      case .chunk(let chunk)?:
        let id = TransferID(mechanism: .chunks, name: chunk.streamId)
        guard let chunks = incoming[id] as? IncomingChunks else { return }
        perform(chunks.received(chunk, now: .now()), id)
        wind()
      case .close(let streamId)?:
        let id = TransferID(mechanism: .chunks, name: streamId)
        (incoming[id] as? IncomingChunks)?.closed()
        outgoing[id]?.closed()
      case nil: break
      }
    } catch {
      if let name = error.transfer { lost(TransferID(mechanism: .chunks, name: name), error.error) }
    }
  }

  // MARK: Out

  /// Begins a body that was announced just before.
  func start(_ id: TransferID, blockSize: Int) {
    switch id.mechanism {
    case .ibb:
      outgoing[id] = OutgoingBytestream(sid: id.name, blockSize: blockSize)
      perform([.request(.open(IBBOpen(sid: id.name, blockSize: blockSize)))], id)
    case .chunks:
      let handler = self.handler
      outgoing[id] = OutgoingChunks(streamId: id.name, chunkSize: blockSize) { handler.isWritable }
    }
    wind()
  }

  /// Sends a whole body, no faster than its reader takes it, and returns when the reader has it.
  ///
  /// - Throws: what the body throws, after the peer was told that it breaks off; `BytestreamError` where the peer wants
  ///   no more; `StreamFailure` where the stream ended.
  nonisolated func pump(_ body: Body, _ id: TransferID) async throws {
    do {
      for try await part in body { try await push(id) { $0.write(part, $1) } }
      try await push(id) { $0.finish($1) }
      await finished(id)
    } catch {
      await abandonOutgoing(id)
      throw error
    }
  }

  private func push(
    _ id: TransferID, _ body: @Sendable (any OutgoingTransfer, EventLoopPromise<Void>) -> [TransferEffect]
  ) async throws {
    try Task.checkCancellation()
    guard let transfer = outgoing[id] else { throw StreamFailure.cancelled }
    let promise = eventLoop.makePromise(of: Void.self)
    perform(body(transfer, promise), id)
    wind()
    try await withTaskCancellationHandler {
      try await promise.futureResult.get()
    } onCancel: {
      eventLoop.execute { self.assumeIsolated { $0.abandonOutgoing(id) } }
    }
  }

  private func finished(_ id: TransferID) {
    outgoing[id] = nil
    used()
  }

  func abandonOutgoing(_ id: TransferID) {
    guard let transfer = outgoing.removeValue(forKey: id) else { return }
    perform(transfer.cancel(), id)
    used()
  }

  func acknowledged(_ id: TransferID, _ result: Result<Stanza, StreamFailure>) {
    guard let bytestream = outgoing[id] as? OutgoingBytestream else { return }
    perform(bytestream.answered(result), id)
  }

  func becameWritable() {
    for transfer in outgoing.values { (transfer as? OutgoingChunks)?.becameWritable() }
  }

  // MARK: Both

  /// When a transfer has something to do by itself.
  var nextTransferDeadline: NIODeadline? {
    let receiving = incoming.values.compactMap { ($0 as? IncomingChunks)?.deadline }
    let sending = outgoing.values.compactMap { ($0 as? OutgoingChunks)?.deadline }
    return (receiving + sending + [parked.deadline].compactMap { $0 }).min()
  }

  func tickTransfers(now: NIODeadline) {
    for (id, transfer) in incoming {
      if let chunks = transfer as? IncomingChunks { perform(chunks.timedOut(now: now), id) }
    }
    for (id, transfer) in outgoing {
      if let chunks = transfer as? OutgoingChunks { perform(chunks.timedOut(now: now), id) }
    }
    for (sid, open) in parked.expire(now: now) {
      let refusal = StanzaError(.notAcceptable, "“\(sid)” was not announced.")
      perform([.error(id: open.id, refusal)], TransferID(mechanism: .ibb, name: sid))
    }
  }

  func failTransfers(_ failure: StreamFailure) {
    for transfer in incoming.values { transfer.fail(failure) }
    for transfer in outgoing.values { transfer.fail(failure) }
    outgoing = [:]
  }

  private func perform(_ effects: [TransferEffect], _ id: TransferID) {
    for effect in effects { perform(effect, id) }
  }

  private func perform(_ effect: TransferEffect, _ id: TransferID) {
    switch effect {
    case .result(let iq): handler.send(answer(iq, type: "result"))
    case .error(let iq, let error): handler.send(answer(iq, type: "error", [error.element]))
    case .request(let element):
      let waiter: Query = if case .close = element { .farewell } else { .transfer(id) }
      ask("set", element.element, waiter, within: Timeouts.control)
    case .block(let block):
      handler.send(block, id: queries.register(.transfer(id), deadline: nil))
    case .chunk(let chunk):
      handler.send(chunk)
    case .message(let element):
      handler.send(Stanza(.message, element.elements))
    }
  }

  private func answer(_ id: String, type: String, _ children: [Element] = []) -> Stanza {
    Stanza(.iq, type: type, id: id, children)
  }
}
