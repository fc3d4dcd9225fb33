import Bytestreams
import NIOCore
import XMPP

/// An in-band bytestream to the peer. The machine inside decides.
final class OutgoingBytestream {
  private let sid: String
  private let completion: EventLoopPromise<Void>
  private var machine: IBBSenderMachine
  private var writer: CheckedContinuation<Void, any Error>?
  private var isOpened = false
  /// Both sides send in it.
  private let isDuplex: Bool

  init(sid: String, blockSize: Int, isDuplex: Bool = false, eventLoop: any EventLoop) {
    self.sid = sid
    self.isDuplex = isDuplex
    completion = eventLoop.makePromise()
    machine = IBBSenderMachine(sid: sid, blockSize: blockSize)
  }

  /// Completed once: when the reader has all of it, or with the reason why it will never have it.
  var outcome: EventLoopFuture<Void> { completion.futureResult }

  /// Takes bytes; true where the producer has to `waitForRoom` before it writes more.
  func write(_ bytes: ByteBuffer) throws -> (effects: [TransferEffect], mustWait: Bool) {
    switch machine.write(bytes) {
    case .send(let blocks, let waits): (blocks.map { .block($0) }, waits)
    case .refuse(let error): throw error
    }
  }

  func waitForRoom(_ waiter: CheckedContinuation<Void, any Error>) { writer = waiter }

  /// Whoever waits for room does so no longer.
  func cancelWaiting() { writer.take()?.resume(throwing: CancellationError()) }

  /// All has been written. `isLast`: the peer sends nothing in this session any more.
  func finish(isLast: Bool) -> [TransferEffect] {
    switch machine.finish(leavesOpen: isDuplex && !isLast) {
    case .close(let sid): close(sid)
    case .send(let blocks): blocks.map { .block($0) }
    // In the second case it has ended, and `outcome` has told how.
    case .wait, .refuse: []
    }
  }

  /// The peer has opened the session.
  func opened(_ open: IBBOpen) -> [TransferEffect] {
    guard isDuplex, !isOpened else { return [] }
    isOpened = true
    return progress(machine.opened(blockSize: open.blockSize))
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

  /// The producer failed or went away. The peer must not take what it has for the whole.
  func cancel() -> [TransferEffect] { machine.cancel().map(effects) ?? [] }

  /// The other direction of the session broke, and with it this one.
  func breakSession() -> [TransferEffect] { isDuplex ? cancel() : [] }

  /// The peer wants no more.
  func closed() {
    _ = machine.peerClosed().map(effects)
  }

  /// The stream underneath is gone.
  func fail(_ failure: StreamFailure) {
    _ = machine.failed(failure).map(effects)
  }

  private func progress(_ action: IBBSenderMachine.ProgressAction) -> [TransferEffect] {
    switch action {
    case .none: return []
    case .send(let blocks, let resumes):
      if resumes != nil { writer.take()?.resume() }
      return blocks.map { .block($0) }
    case .close(let sid): return close(sid)
    case .finished:
      completion.succeed()
      return []
    }
  }

  private func close(_ sid: String) -> [TransferEffect] {
    completion.succeed()
    return [.request(.close(sid: sid))]
  }

  private func effects(_ end: IBBSenderMachine.End) -> [TransferEffect] {
    if let error = end.error {
      writer.take()?.resume(throwing: error)
      completion.fail(error)
    } else {
      completion.succeed()
    }
    return end.elements.map { .request($0) }
  }
}

/// A row of chunks to the peer. Nothing answers them, so all that slows the producer down is the socket.
final class OutgoingChunks {
  private let completion: EventLoopPromise<Void>
  private var machine: ChunkSenderMachine

  init(streamId: String, chunkSize: Int, eventLoop: any EventLoop) {
    completion = eventLoop.makePromise()
    machine = ChunkSenderMachine(streamId: streamId, chunkSize: chunkSize)
  }

  /// Completed once: when all is sent, or with the reason why the reader will never have it.
  var outcome: EventLoopFuture<Void> { completion.futureResult }
  /// When what is held back has to go; nil while nothing is.
  var deadline: NIODeadline? { machine.deadline }

  func write(_ bytes: ByteBuffer, now: NIODeadline) throws -> [TransferEffect] {
    switch machine.write(bytes, now: now) {
    case .send(let chunks): chunks.map { .chunk($0) }
    case .refuse(let error): throw error
    }
  }

  /// All has been written.
  func finish() -> [TransferEffect] {
    switch machine.finish() {
    case .send(let chunks):
      completion.succeed()
      return chunks.map { .chunk($0) }
    // It has ended, and `outcome` has told how.
    case .refuse: return []
    }
  }

  func expire(now: NIODeadline) -> [TransferEffect] {
    machine.timedOut(now: now).map { .chunk($0) }
  }

  /// The producer failed or went away.
  func cancel() -> [TransferEffect] {
    guard let element = machine.cancel() else { return [] }
    completion.fail(BytestreamError.cancelled)
    return [.message(element)]
  }

  /// The peer wants no more.
  func closed() {
    if machine.peerClosed() { completion.fail(BytestreamError.closedEarly) }
  }

  /// The stream underneath is gone.
  func fail(_ failure: StreamFailure) {
    if machine.failed(failure) { completion.fail(failure) }
  }
}
