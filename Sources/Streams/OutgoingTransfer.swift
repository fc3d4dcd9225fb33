import Bytestreams
import NIOCore
import XMPP

/// A body on its way out. Lives on the stream's event loop; the machines inside decide.
protocol OutgoingTransfer: AnyObject {
  /// Completed once: when the reader has all of it, or where nobody tells, when it is sent; or with the reason why the
  /// reader will never have it.
  var outcome: EventLoopFuture<Void> { get }
  /// Takes bytes; the promise is completed when more may be written.
  func write(_ bytes: ByteBuffer, _ promise: EventLoopPromise<Void>) -> [TransferEffect]
  /// All has been written.
  func finish() -> [TransferEffect]
  /// The producer failed or went away. The peer must not take what it has for the whole.
  func cancel() -> [TransferEffect]
  /// The peer wants no more.
  func closed()
  /// The stream underneath is gone.
  func fail(_ failure: StreamFailure)
}

/// An in-band bytestream to the peer.
final class OutgoingBytestream: OutgoingTransfer {
  private let sid: String
  private let completion: EventLoopPromise<Void>
  private var machine: IBBSenderMachine
  private var writer: EventLoopPromise<Void>?
  private var isOpened = false

  init(sid: String, blockSize: Int, eventLoop: any EventLoop) {
    self.sid = sid
    completion = eventLoop.makePromise()
    machine = IBBSenderMachine(sid: sid, blockSize: blockSize)
  }

  var outcome: EventLoopFuture<Void> { completion.futureResult }

  func write(_ bytes: ByteBuffer, _ promise: EventLoopPromise<Void>) -> [TransferEffect] {
    switch machine.write(bytes) {
    case .send(let blocks, let waits):
      if waits { writer = promise } else { promise.succeed() }
      return blocks.map { .block($0) }
    case .refuse(let error):
      promise.fail(error)
      return []
    }
  }

  func finish() -> [TransferEffect] {
    switch machine.finish() {
    case .close(let sid): return close(sid)
    // In the second case it has ended, and `outcome` has told how.
    case .wait, .refuse: return []
    }
  }

  /// The answer to `<open/>`, and after that to a block.
  func answered(_ result: Result<Stanza, StreamFailure>) -> [TransferEffect] {
    isOpened ? acknowledged(result) : opened(result)
  }

  private func opened(_ result: Result<Stanza, StreamFailure>) -> [TransferEffect] {
    switch result {
    case .success:
      isOpened = true
      return progress(machine.opened())
    case .failure(.stanza(let error)):
      switch machine.openRefused(error) {
      case .none: return []
      case .reopen(let blockSize): return [.request(.open(IBBOpen(sid: sid, blockSize: blockSize)))]
      case .end(let end): return effects(end)
      }
    case .failure(let failure):
      return machine.failed(failure).map(effects) ?? []
    }
  }

  private func acknowledged(_ result: Result<Stanza, StreamFailure>) -> [TransferEffect] {
    switch result {
    case .success: progress(machine.acknowledged())
    case .failure(.stanza(let error)): machine.refused(error).map(effects) ?? []
    case .failure(let failure): machine.failed(failure).map(effects) ?? []
    }
  }

  func cancel() -> [TransferEffect] { machine.cancel().map(effects) ?? [] }

  func closed() {
    _ = machine.peerClosed().map(effects)
  }

  func fail(_ failure: StreamFailure) {
    _ = machine.failed(failure).map(effects)
  }

  private func progress(_ action: IBBSenderMachine.ProgressAction) -> [TransferEffect] {
    switch action {
    case .none: return []
    case .send(let blocks, let resumes):
      if resumes != nil { writer.take()?.succeed() }
      return blocks.map { .block($0) }
    case .close(let sid): return close(sid)
    }
  }

  private func close(_ sid: String) -> [TransferEffect] {
    completion.succeed()
    return [.request(.close(sid: sid))]
  }

  private func effects(_ end: IBBSenderMachine.End) -> [TransferEffect] {
    if let error = end.error {
      writer.take()?.fail(error)
      completion.fail(error)
    } else {
      completion.succeed()
    }
    return end.elements.map { .request($0) }
  }
}

/// A row of chunks to the peer. Nothing answers them, so all that slows the producer down is the socket.
final class OutgoingChunks: OutgoingTransfer {
  private let completion: EventLoopPromise<Void>
  private var machine: ChunkSenderMachine

  init(streamId: String, chunkSize: Int, eventLoop: any EventLoop) {
    completion = eventLoop.makePromise()
    machine = ChunkSenderMachine(streamId: streamId, chunkSize: chunkSize)
  }

  var outcome: EventLoopFuture<Void> { completion.futureResult }
  var deadline: NIODeadline? { machine.deadline }

  func write(_ bytes: ByteBuffer, _ promise: EventLoopPromise<Void>) -> [TransferEffect] {
    switch machine.write(bytes, now: outcome.eventLoop.now) {
    case .send(let chunks):
      promise.succeed()
      return chunks.map { .chunk($0) }
    case .refuse(let error):
      promise.fail(error)
      return []
    }
  }

  func finish() -> [TransferEffect] {
    switch machine.finish() {
    case .send(let chunks):
      completion.succeed()
      return chunks.map { .chunk($0) }
    // It has ended, and `outcome` has told how.
    case .refuse: return []
    }
  }

  func timedOut(now: NIODeadline) -> [TransferEffect] {
    machine.timedOut(now: now).map { .chunk($0) }
  }

  func cancel() -> [TransferEffect] {
    guard let element = machine.cancel() else { return [] }
    completion.fail(BytestreamError.cancelled)
    return [.message(element)]
  }

  func closed() {
    if machine.peerClosed() { completion.fail(BytestreamError.closedEarly) }
  }

  func fail(_ failure: StreamFailure) {
    if machine.failed(failure) { completion.fail(failure) }
  }
}
