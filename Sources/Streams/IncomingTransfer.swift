import Bytestreams
import NIOCore
import XMPP

/// How a body travels beside the stanza that announces it, and the name it has there.
struct TransferID: Hashable, Sendable {
  enum Mechanism: Sendable { case ibb, chunks }

  let mechanism: Mechanism
  /// `sid` or `streamId`.
  let name: String
}

/// What a transfer wants to have sent.
enum TransferEffect {
  /// The result of an IQ of the peer.
  case result(id: String)
  case error(id: String, StanzaError)
  /// In an IQ of ours.
  case request(IBBElement)
  case block(IBBBlock)
  /// In messages.
  case chunk(Chunk)
  case message(ChunkElement)
}

/// A body on its way in. Lives on the stream's event loop; the machines inside decide.
protocol IncomingTransfer: AnyObject {
  /// The one who takes the body.
  var reader: BodyReader { get }
  /// What has arrived, and waits for its reader.
  var unreadBytes: Int { get }
  /// The reader asks for the next part.
  func read() -> [TransferEffect]
  /// The reader went away.
  func cancel() -> [TransferEffect]
  /// The stream underneath is gone, or the body never came.
  func fail(_ failure: StreamFailure)
}

/// The reader of an incoming body: waits for one part at a time, and counts them against the Content-Length.
final class BodyReader {
  enum Progress {
    case part(ByteBuffer)
    case end
    case failure(any Error)
  }

  /// Bytes, where the message says so.
  private let expected: Int?
  private var received = 0
  private var promise: EventLoopPromise<ByteBuffer?>?

  init(expected: Int?) {
    self.expected = expected
  }

  var isWaiting: Bool { promise != nil }

  /// False where it waits already: a body has one reader.
  func wait(_ promise: EventLoopPromise<ByteBuffer?>) -> Bool {
    guard self.promise == nil else { return false }
    self.promise = promise
    return true
  }

  /// A body shorter or longer than its Content-Length is an error, never a short body.
  func resume(_ progress: Progress) {
    guard let promise = promise.take() else { return }
    switch progress {
    case .part(let bytes):
      received += bytes.readableBytes
      if let expected, received > expected {
        promise.fail(StreamFailure.incomplete("It is longer than its Content-Length, \(expected) bytes."))
      } else {
        promise.succeed(bytes)
      }
    case .end:
      if let expected, received < expected {
        promise.fail(StreamFailure.incomplete("It ended after \(received) of \(expected) bytes."))
      } else {
        promise.succeed(nil)
      }
    case .failure(let error):
      promise.fail(error as? StreamFailure ?? StreamFailure.incomplete("\(error)"))
    }
  }
}

/// An in-band bytestream that the peer sends on: announced first, then opened.
final class IncomingBytestream: IncomingTransfer {
  let reader: BodyReader
  private let sid: String
  /// Until `<open/>` comes.
  private(set) var machine: IBBReceiverMachine?
  private var failure: StreamFailure?
  /// Set while the peer may still open.
  var deadline: Scheduled<Void>?

  init(sid: String, expected: Int?) {
    self.sid = sid
    reader = BodyReader(expected: expected)
  }

  /// Its `<open/>` is still to come.
  var isAwaited: Bool { machine == nil && failure == nil }
  var unreadBytes: Int { machine?.unreadBytes ?? 0 }

  func opened(_ open: IBBOpen, id: String) -> [TransferEffect] {
    guard isAwaited else {
      return [.error(id: id, StanzaError(.notAcceptable, "“\(sid)” was opened before, or came too late."))]
    }
    deadline?.cancel()
    machine = IBBReceiverMachine(sid: sid, blockSize: open.blockSize)
    // Whoever waits for the announced body now waits for its first block.
    if reader.isWaiting { _ = machine?.read() }
    return [.result(id: id)]
  }

  func received(_ block: IBBBlock, id: String?) -> [TransferEffect] {
    switch machine?.received(block, stanza: id) {
    case .deliver(let bytes, let id)?:
      reader.resume(.part(bytes))
      return results([id])
    case .hold?: return []
    case .acknowledge(let id)?: return results([id])
    case .refuse(let error)?: return errors(id, error)
    case .fail(let error, let end)?: return errors(id, error) + effects(end)
    case nil: return errors(id, StanzaError(.itemNotFound, "“\(sid)” is not open."))
    }
  }

  func read() -> [TransferEffect] {
    if let failure { reader.resume(.failure(failure)) }
    switch machine?.read() {
    case .deliver(let bytes, let ids)?:
      reader.resume(.part(bytes))
      return results(ids)
    case .wait?, nil: return []
    case .end?: reader.resume(.end)
    case .fail(let error)?: reader.resume(.failure(error))
    }
    return []
  }

  func closed() {
    if case .end? = machine?.peerClosed() { reader.resume(.end) }
    if machine == nil { fail(.incomplete("It was closed before it was opened.")) }
  }

  /// A block could not be read, so the body has lost bytes.
  func refused(_ error: StanzaError) -> [TransferEffect] {
    machine?.refused(error).map(effects) ?? []
  }

  func cancel() -> [TransferEffect] {
    deadline?.cancel()
    reader.resume(.failure(StreamFailure.cancelled))
    return machine?.cancel().map(effects) ?? []
  }

  func fail(_ failure: StreamFailure) {
    deadline?.cancel()
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

/// A row of chunks that the peer sends.
final class IncomingChunks: IncomingTransfer {
  let reader: BodyReader
  private var machine: ChunkReceiverMachine

  init(streamId: String, expected: Int?) {
    machine = ChunkReceiverMachine(streamId: streamId)
    reader = BodyReader(expected: expected)
  }

  var deadline: NIODeadline? { machine.deadline }
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

  func read() -> [TransferEffect] {
    switch machine.read() {
    case .deliver(let bytes): reader.resume(.part(bytes))
    case .wait: break
    case .end: reader.resume(.end)
    case .fail(let error): reader.resume(.failure(error))
    }
    return []
  }

  func closed() {
    _ = machine.peerClosed().map(effects)
  }

  func refused(_ error: StanzaError) -> [TransferEffect] {
    machine.refused(error).map(effects) ?? []
  }

  func timedOut(now: NIODeadline) -> [TransferEffect] {
    machine.timedOut(now: now).map(effects) ?? []
  }

  func cancel() -> [TransferEffect] {
    reader.resume(.failure(StreamFailure.cancelled))
    return machine.cancel().map(effects) ?? []
  }

  func fail(_ failure: StreamFailure) {
    if machine.failed(failure) != nil { reader.resume(.failure(failure)) }
  }

  private func effects(_ end: ChunkReceiverMachine.End) -> [TransferEffect] {
    if end.resumesReader { reader.resume(.failure(end.error)) }
    return end.element.map { [.message($0)] } ?? []
  }
}
