import Bytestreams
import NIOCore
import XMPP

/// An in-band bytestream that the peer sends on: announced first, then opened. The machine inside decides.
final class IncomingBytestream {
  private let sid: String
  private var reader: BodyReader
  /// Until `<open/>` comes.
  private var machine: IBBReceiverMachine?
  private var failure: StreamFailure?
  /// The `<open/>` that is answered when there is a reader, or room.
  private var heldOpen: String?
  /// Until when its `<open/>` may come, or may wait for its answer; nil once it is open.
  private(set) var deadline: NIODeadline?

  private let isDuplex: Bool

  /// `isDuplex`: both sides send in it.
  init(sid: String, expected: Int?, isDuplex: Bool = false, deadline: NIODeadline) {
    self.sid = sid
    self.isDuplex = isDuplex
    self.deadline = deadline
    reader = BodyReader(expected: expected)
  }

  /// In a session that this side opens.
  init(sid: String, blockSize: Int) {
    self.sid = sid
    isDuplex = true
    machine = IBBReceiverMachine(sid: sid, blockSize: blockSize, isDuplex: true)
    reader = BodyReader(expected: nil)
  }

  /// Its `<open/>` is still to come.
  var isAwaited: Bool { machine == nil && failure == nil }
  /// More may come.
  var isOpen: Bool { machine != nil && !isEnding }
  /// The peer has said that it sends no more.
  var isEnding: Bool { machine?.isEnding ?? false }
  var isWaiting: Bool { reader.isWaiting }
  /// What has arrived, and waits for its reader.
  var unreadBytes: Int { machine?.unreadBytes ?? 0 }

  /// - Parameter until: where memory is scarce, for how long the answer may wait for the reader: without it nothing is sent.
  func opened(_ open: IBBOpen, id: String, waits until: NIODeadline? = nil) -> [TransferEffect] {
    guard isAwaited else {
      return [.error(id: id, StanzaError(.notAcceptable, "“\(sid)” was opened before, or came too late."))]
    }
    deadline = nil
    machine = IBBReceiverMachine(sid: sid, blockSize: open.blockSize, isDuplex: isDuplex)
    // Whoever waits for the announced body now waits for its first block.
    if reader.isWaiting {
      _ = machine?.read()
    } else if let until, !isDuplex {
      (heldOpen, deadline) = (id, until)
      return []
    }
    return [.result(id: id)]
  }

  private func answerOpen() -> [TransferEffect] {
    guard let id = heldOpen.take() else { return [] }
    deadline = nil
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
    let opening = answerOpen()
    switch machine?.read() {
    case .deliver(let bytes, let ids)?:
      reader.resume(.part(bytes))
      return opening + results(ids)
    case .wait?, nil: break
    case .end?: reader.resume(.end)
    case .fail(let error)?: reader.resume(.failure(error))
    }
    return opening
  }

  func closed() {
    if case .end? = machine?.peerClosed() { reader.resume(.end) }
    if machine == nil { fail(.incomplete("It was closed before it was opened.")) }
  }

  /// A block could not be read, so the body has lost bytes.
  func refused(_ error: StanzaError) -> [TransferEffect] {
    machine?.refused(error).map(effects) ?? []
  }

  /// More has arrived than this side can hold: whoever sent it learns that from the answers to what it sent.
  func overflowed(_ error: StanzaError) -> [TransferEffect] {
    guard let end = machine?.overflowed(error) else { return [] }
    return end.acknowledge.map { .error(id: $0, error) } + effects(end.acknowledging([]))
  }

  func expire(now: NIODeadline, isTight: Bool) -> [TransferEffect] {
    guard let deadline, deadline <= now else { return [] }
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
    let opening = answerOpen()
    deadline = nil
    reader.resume(.failure(StreamFailure.cancelled))
    return opening + (machine?.cancel().map(effects) ?? [])
  }

  /// The stream underneath is gone, or the body never came.
  func fail(_ failure: StreamFailure) {
    deadline = nil
    guard machine != nil else {
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
