import Bytestreams
import NIOCore
import XMPP

/// A body on its way out. Lives on the stream's event loop; the machines inside decide.
protocol OutgoingTransfer: AnyObject {
  /// Takes bytes; the promise is completed when more may be written.
  func write(_ bytes: ByteBuffer, _ promise: EventLoopPromise<Void>) -> [TransferEffect]
  /// All has been written; the promise is completed when the reader has it, or where nobody tells, when it is sent.
  func finish(_ promise: EventLoopPromise<Void>) -> [TransferEffect]
  /// The producer failed or went away. The peer must not take what it has for the whole.
  func cancel() -> [TransferEffect]
  /// The peer wants no more.
  func closed()
  /// The stream underneath is gone.
  func fail(_ failure: StreamFailure)
}

/// An in-band bytestream to the peer.
final class OutgoingBytestream: OutgoingTransfer {
  private var machine: IBBSenderMachine
  private let sid: String
  private var waiter: EventLoopPromise<Void>?
  private var isOpened = false

  init(sid: String, blockSize: Int) {
    self.sid = sid
    machine = IBBSenderMachine(sid: sid, blockSize: blockSize)
  }

  func write(_ bytes: ByteBuffer, _ promise: EventLoopPromise<Void>) -> [TransferEffect] {
    switch machine.write(bytes) {
    case .send(let blocks, let waits):
      if waits { waiter = promise } else { promise.succeed() }
      return blocks.map { .block($0) }
    case .refuse(let error):
      promise.fail(error)
      return []
    }
  }

  func finish(_ promise: EventLoopPromise<Void>) -> [TransferEffect] {
    switch machine.finish() {
    case .wait:
      waiter = promise
      return []
    case .close(let sid):
      promise.succeed()
      return [.request(.close(sid: sid))]
    case .refuse(let error):
      promise.fail(error)
      return []
    }
  }

  /// The answer to `<open/>`.
  func opened(_ result: Result<Stanza, StreamFailure>) -> [TransferEffect] {
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

  /// The answer to a block.
  func acknowledged(_ result: Result<Stanza, StreamFailure>) -> [TransferEffect] {
    switch result {
    case .success: progress(machine.acknowledged())
    case .failure(.stanza(let error)): machine.refused(error).map(effects) ?? []
    case .failure(let failure): machine.failed(failure).map(effects) ?? []
    }
  }

  func answered(_ result: Result<Stanza, StreamFailure>) -> [TransferEffect] {
    isOpened ? acknowledged(result) : opened(result)
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
      if resumes != nil { resume(nil) }
      return blocks.map { .block($0) }
    case .close(let sid):
      resume(nil)
      return [.request(.close(sid: sid))]
    }
  }

  private func effects(_ end: IBBSenderMachine.End) -> [TransferEffect] {
    if end.resumes != nil { resume(end.error) }
    return end.elements.map { .request($0) }
  }

  private func resume(_ error: (any Error)?) {
    guard let waiter = waiter.take() else { return }
    if let error { waiter.fail(error) } else { waiter.succeed() }
  }
}

/// A row of chunks to the peer. Nothing answers them, so what slows the producer down is the socket.
final class OutgoingChunks: OutgoingTransfer {
  private var machine: ChunkSenderMachine
  private let isWritable: () -> Bool
  private var waiter: EventLoopPromise<Void>?

  init(streamId: String, chunkSize: Int, isWritable: @escaping () -> Bool) {
    machine = ChunkSenderMachine(streamId: streamId, chunkSize: chunkSize)
    self.isWritable = isWritable
  }

  var deadline: NIODeadline? { machine.deadline }

  func write(_ bytes: ByteBuffer, _ promise: EventLoopPromise<Void>) -> [TransferEffect] {
    send(machine.write(bytes, now: .now()), promise)
  }

  func finish(_ promise: EventLoopPromise<Void>) -> [TransferEffect] {
    send(machine.finish(), promise)
  }

  func timedOut(now: NIODeadline) -> [TransferEffect] {
    machine.timedOut(now: now).map { .chunk($0) }
  }

  func cancel() -> [TransferEffect] {
    let element = machine.cancel()
    resume(BytestreamError.cancelled)
    return element.map { [.message($0)] } ?? []
  }

  func closed() {
    if machine.peerClosed() { resume(BytestreamError.closedEarly) }
  }

  func fail(_ failure: StreamFailure) {
    if machine.failed(failure) { resume(failure) }
  }

  func becameWritable() {
    resume(nil)
  }

  private func send(_ action: ChunkSenderMachine.SendAction, _ promise: EventLoopPromise<Void>) -> [TransferEffect] {
    switch action {
    case .send(let chunks):
      if isWritable() { promise.succeed() } else { waiter = promise }
      return chunks.map { .chunk($0) }
    case .refuse(let error):
      promise.fail(error)
      return []
    }
  }

  private func resume(_ error: (any Error)?) {
    guard let waiter = waiter.take() else { return }
    if let error { waiter.fail(error) } else { waiter.succeed() }
  }
}
