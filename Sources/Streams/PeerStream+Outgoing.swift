import Codecs
import EventLoops
import Bytestreams
import HTTPX
import NIOCore
import XMPP

/// Bodies to the peer, beside the stanzas. The transfers decide; here is who is who, and how fast.
extension PeerStream {
  /// Begins a body that was announced just before; `pump` has to follow.
  func start(_ id: TransferID, blockSize: Int) {
    switch id.mechanism {
    case .ibb:
      outgoing[id] = OutgoingBytestream(sid: id.name, blockSize: blockSize, eventLoop: eventLoop)
      perform([.request(.open(IBBOpen(sid: id.name, blockSize: blockSize)))], id)
    case .chunks:
      outgoing[id] = OutgoingChunks(streamId: id.name, chunkSize: blockSize, eventLoop: eventLoop)
    }
    rescheduleTimer()
  }

  /// Sends a whole body, no faster than its reader takes it, and returns when the reader has it.
  ///
  /// A reader that goes away stops it at once, whether the body has something to send or not.
  ///
  /// - Throws: what the body throws, after the peer was told that it breaks off; `BytestreamError` where the peer wants
  ///   no more; `StreamFailure` where the stream ended.
  nonisolated func pump(_ body: Body, _ id: TransferID) async throws {
    do {
      let outcome = try await outcome(of: id)
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await outcome.value() }
        group.addTask {
          for try await part in body { try await self.push(part, id) }
          try Task.checkCancellation()
          await self.finish(id)
        }
        // The first that fails ends both.
        for try await _ in group {}
      }
    } catch {
      await abandonOutgoing(id)
      throw error
    }
    await abandonOutgoing(id)
  }

  private func outcome(of id: TransferID) throws -> EventLoopFuture<Void> {
    guard let transfer = outgoing[id] else { throw StreamFailure.cancelled }
    return transfer.outcome
  }

  private func push(_ bytes: ByteBuffer, _ id: TransferID) async throws {
    if outgoing[id] != nil, !handler.isWritable { try await drained() }
    guard let transfer = outgoing[id] else { throw StreamFailure.cancelled }
    let promise = eventLoop.makePromise(of: Void.self)
    perform(transfer.write(bytes, promise), id)
    touch()
    rescheduleTimer()
    try await promise.futureResult.value()
  }

  /// Waits until the socket has sent most of what it was given. Windows bound what one body has in it; this bounds all.
  private func drained() async throws {
    let promise = draining ?? eventLoop.makePromise()
    draining = promise
    try await promise.futureResult.value()
  }

  func becameWritable() {
    draining.take()?.succeed()
  }

  private func finish(_ id: TransferID) {
    guard let transfer = outgoing[id] else { return }
    perform(transfer.finish(), id)
    rescheduleTimer()
  }

  /// Nothing of the transfer is left, whether it has ended or not.
  private func abandonOutgoing(_ id: TransferID) {
    guard let transfer = outgoing.removeValue(forKey: id) else { return }
    perform(transfer.cancel(), id)
    // The peer may never answer what is left of the window.
    queries.removeAll { if case .transfer(id) = $0 { true } else { false } }
    touch()
    rescheduleTimer()
  }

  func acknowledged(_ id: TransferID, _ result: Result<Stanza, StreamFailure>) {
    guard let bytestream = outgoing[id] as? OutgoingBytestream else { return }
    perform(bytestream.answered(result), id)
  }
}
