import Bytestreams
import NIOCore
import XML
import XMPP

/// What a transfer wants to have sent.
enum TransferEffect {
  /// The result of an IQ of the peer.
  case result(id: String)
  case error(id: String, StanzaError)
  /// The same with content: a result, or where it is an `<error/>`, that.
  case answer(id: String, Element)
  /// An IQ of ours that has its answer within `Timeouts.opening`, or else none.
  case ask(type: String, Element)
  /// In an IQ of ours.
  case request(IBBElement)
  /// The same, of a session's end.
  case notify(Element)
  case block(IBBBlock)
  /// In messages.
  case chunk(Chunk)
  case message(ChunkElement)
}

/// A body beside the stanzas, in one direction or, for a protocol that is spoken over it, in both (XEP-0047 §1).
enum Transfer {
  case bytestream(incoming: IncomingBytestream?, outgoing: OutgoingBytestream?)
  case chunks(incoming: IncomingChunks?, outgoing: OutgoingChunks?)

  var isIncoming: Bool {
    switch self {
    case .bytestream(let incoming, _): incoming != nil
    case .chunks(let incoming, _): incoming != nil
    }
  }

  var isOutgoing: Bool {
    switch self {
    case .bytestream(_, let outgoing): outgoing != nil
    case .chunks(_, let outgoing): outgoing != nil
    }
  }

  /// Its reader has asked, and has no part yet.
  var isReaderWaiting: Bool {
    switch self {
    case .bytestream(let incoming, _): incoming?.isWaiting ?? false
    case .chunks(let incoming, _): incoming?.isWaiting ?? false
    }
  }

  /// Bytes that have arrived, and wait for their reader.
  var unreadBytes: Int {
    switch self {
    case .bytestream(let incoming, _): incoming?.unreadBytes ?? 0
    case .chunks(let incoming, _): incoming?.unreadBytes ?? 0
    }
  }

  /// When it has something to do by itself.
  var deadline: NIODeadline? {
    switch self {
    case .bytestream(let incoming, let outgoing): [incoming?.deadline, outgoing?.deadline].compactMap { $0 }.min()
    case .chunks(let incoming, let outgoing): [incoming?.deadline, outgoing?.deadline].compactMap { $0 }.min()
    }
  }

  /// Completed when the reader has all of what is sent; nil where nothing is.
  var outcome: EventLoopFuture<Void>? {
    switch self {
    case .bytestream(_, let outgoing): outgoing?.outcome
    case .chunks(_, let outgoing): outgoing?.outcome
    }
  }

  // MARK: Incoming

  func read(_ waiter: BodyReader.Waiter) -> [TransferEffect] {
    switch self {
    case .bytestream(let incoming?, _): return incoming.read(waiter)
    case .chunks(let incoming?, _): incoming.read(waiter)
    case .bytestream(nil, _), .chunks(nil, _): waiter.resume(throwing: StreamFailure.cancelled)
    }
    return []
  }

  /// Something of it could not be read.
  func refused(_ error: StanzaError) -> [TransferEffect] {
    switch self {
    case .bytestream(let incoming, _): incoming?.refused(error) ?? []
    case .chunks(let incoming, _): incoming?.refused(error) ?? []
    }
  }

  /// More has arrived than this side can hold for its reader.
  func overflowed(_ error: StanzaError) -> [TransferEffect] {
    switch self {
    case .bytestream(let incoming, _): incoming?.overflowed(error) ?? []
    case .chunks(let incoming, _): incoming?.refused(error) ?? []
    }
  }

  /// Its reader went away; and what is left of it, nil where nothing is.
  func cancelReading() -> (effects: [TransferEffect], left: Transfer?) {
    switch self {
    case .bytestream(let incoming, let outgoing):
      (Self.cancel(incoming, outgoing), outgoing.map { .bytestream(incoming: nil, outgoing: $0) })
    case .chunks(let incoming, let outgoing):
      (incoming?.cancel() ?? [], outgoing.map { .chunks(incoming: nil, outgoing: $0) })
    }
  }

  /// Where both sides send, `<close/>` alone would look like the end of what this side sends.
  private static func cancel(_ incoming: IncomingBytestream?, _ outgoing: OutgoingBytestream?) -> [TransferEffect] {
    let breaking = incoming?.isOpen ?? false ? outgoing?.breakSession() ?? [] : []
    let effects = incoming?.cancel() ?? []
    guard !breaking.isEmpty else { return effects }
    return breaking + effects.filter { if case .request(.close) = $0 { false } else { true } }
  }

  /// The peer has said that it sends no more.
  var isEnding: Bool {
    if case .bytestream(let incoming?, _) = self { incoming.isEnding } else { false }
  }

  // MARK: Outgoing

  /// Takes bytes; true where the producer has to wait for room.
  func write(_ bytes: ByteBuffer, now: NIODeadline) throws -> (effects: [TransferEffect], mustWait: Bool) {
    switch self {
    case .bytestream(_, let outgoing?): try outgoing.write(bytes)
    case .chunks(_, let outgoing?): (try outgoing.write(bytes, now: now), false)
    case .bytestream(_, nil), .chunks(_, nil): throw StreamFailure.cancelled
    }
  }

  func waitForRoom(_ waiter: CheckedContinuation<Void, any Error>) {
    switch self {
    case .bytestream(_, let outgoing?): outgoing.waitForRoom(waiter)
    // Chunks never wait.
    case .chunks: waiter.resume()
    case .bytestream(_, nil): waiter.resume(throwing: StreamFailure.cancelled)
    }
  }

  func cancelWaiting() {
    if case .bytestream(_, let outgoing?) = self { outgoing.cancelWaiting() }
  }

  /// All has been written.
  func finish() -> [TransferEffect] {
    switch self {
    case .bytestream(let incoming, let outgoing): outgoing?.finish(isLast: incoming?.isEnding ?? true) ?? []
    case .chunks(_, let outgoing): outgoing?.finish() ?? []
    }
  }

  /// Its producer went away, or is done; and what is left of it, nil where nothing is.
  func cancelWriting() -> (effects: [TransferEffect], left: Transfer?) {
    switch self {
    case .bytestream(let incoming, let outgoing):
      (outgoing?.cancel() ?? [], incoming.map { .bytestream(incoming: $0, outgoing: nil) })
    case .chunks(let incoming, let outgoing):
      (outgoing?.cancel() ?? [], incoming.map { .chunks(incoming: $0, outgoing: nil) })
    }
  }

  // MARK: Beside the stream

  func connected(_ result: Result<DataConnection, any Error>, isOwn: Bool) -> [TransferEffect] {
    if case .bytestream(let incoming, let outgoing) = self {
      if let outgoing, outgoing.isDirect { return outgoing.connected(result, isOwn: isOwn) }
      if let incoming { return incoming.connected(result, isOwn: isOwn) }
    }
    if case .success(let connection) = result { connection.close() }
    return []
  }

  /// What the other side tells of its connection. `isOffered`: the session is ours.
  func told(_ told: Jingle.Connection, isOffered: Bool) -> [TransferEffect] {
    guard case .bytestream(let incoming, let outgoing) = self else { return [] }
    return isOffered ? outgoing?.told(told) ?? [] : incoming?.told(told) ?? []
  }

  func came(_ event: DataConnection.Event) -> [TransferEffect] {
    guard case .bytestream(let incoming, let outgoing) = self else { return [] }
    if let outgoing, outgoing.isDirect { return outgoing.came(event) }
    incoming?.came(event)
    return []
  }

  func sent(_ count: Int) {
    if case .bytestream(_, let outgoing?) = self { outgoing.sent(count) }
  }

  // MARK: Both

  /// The other side closed it: its sender at the end, its reader when it has had enough (XEP-0047 §2.3).
  func closed() {
    switch self {
    case .bytestream(let incoming, let outgoing):
      incoming?.closed()
      outgoing?.closed()
    case .chunks(let incoming, let outgoing):
      incoming?.closed()
      outgoing?.closed()
    }
  }

  /// The other side ended the session before its time. `isOffered`: it is ours.
  func terminated(isOffered: Bool) -> [TransferEffect] {
    guard case .bytestream(let incoming, let outgoing) = self else { return [] }
    if isOffered { outgoing?.closed() } else { incoming?.terminated() }
    return []
  }

  /// Its deadline is over.
  func expire(now: NIODeadline, isTight: Bool) -> [TransferEffect] {
    switch self {
    case .bytestream(let incoming, let outgoing):
      (incoming?.expire(now: now, isTight: isTight) ?? []) + (outgoing?.expire(now: now) ?? [])
    case .chunks(let incoming, let outgoing): (incoming?.expire(now: now) ?? []) + (outgoing?.expire(now: now) ?? [])
    }
  }

  /// The stream underneath is gone.
  func fail(_ failure: StreamFailure) {
    switch self {
    case .bytestream(let incoming, let outgoing):
      incoming?.fail(failure)
      outgoing?.fail(failure)
    case .chunks(let incoming, let outgoing):
      incoming?.fail(failure)
      outgoing?.fail(failure)
    }
  }
}
