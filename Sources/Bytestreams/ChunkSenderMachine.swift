package import NIOCore

/// Sends a body as numbered chunks (XEP-0332 §4.2.5).
///
/// `writing`: full chunks leave at once; what may be the last is held back until more is written, the body ends, or
/// `chunkHold` has passed, so that the chunk marked as last carries data. `ended`: all has been sent, the other side
/// has closed, or the producer gave up. Chunks are not answered: what slows the producer down is the stream's socket.
package enum ChunkSenderMachine: ~Copyable {
  case writing(Outflow)
  case ended(any Error)

  /// `chunkSize` in bytes before base64, the other side's `maxChunkSize`.
  package init(streamId: String, chunkSize: Int) {
    precondition(chunkSize > 0)
    self = .writing(Outflow(streamId: streamId, chunkSize: chunkSize))
  }

  package enum SendAction: Sendable {
    case send([Chunk])
    case refuse(any Error)
  }

  /// When to call `timedOut`, nil while nothing is held back.
  package var deadline: NIODeadline? {
    switch self {
    case .writing(let flow): flow.deadline
    case .ended: nil
    }
  }

  package mutating func write(_ bytes: ByteBuffer, now: NIODeadline) -> SendAction {
    switch consume self {
    case .writing(var flow):
      let chunks = flow.write(bytes, now: now)
      self = .writing(flow)
      return .send(chunks)
    case .ended(let error):
      self = .ended(error)
      return .refuse(error)
    }
  }

  /// The producer has paused: what was held back.
  package mutating func timedOut(now: NIODeadline) -> [Chunk] {
    switch consume self {
    case .writing(var flow):
      let chunks = flow.flush(now: now)
      self = .writing(flow)
      return chunks
    case .ended(let error):
      self = .ended(error)
      return []
    }
  }

  /// Nothing more will be written: the last chunk. It is empty only where there is nothing left to carry.
  package mutating func finish() -> SendAction {
    switch consume self {
    case .writing(var flow):
      let last = flow.last()
      self = .ended(BytestreamError.finished)
      return .send([last])
    case .ended(let error):
      self = .ended(error)
      return .refuse(error)
    }
  }

  /// The other side wants no more; the next write is refused. False where all had been sent, or it had ended.
  package mutating func peerClosed() -> Bool {
    end(BytestreamError.closedEarly) != nil
  }

  /// The producer failed or went away: what to send, nil where the transfer had ended.
  package mutating func cancel() -> ChunkElement? {
    end(BytestreamError.cancelled).map { .close(streamId: $0) }
  }

  /// The stream underneath is gone; the next write is refused. False where the transfer had ended.
  package mutating func failed(_ error: any Error) -> Bool {
    end(error) != nil
  }

  private mutating func end(_ error: any Error) -> String? {
    switch consume self {
    case .writing(let flow):
      self = .ended(error)
      return flow.streamId
    case .ended(let earlier):
      self = .ended(earlier)
      return nil
    }
  }
}

extension ChunkSenderMachine {
  /// What has been written and may still become the last chunk.
  package struct Outflow: Sendable {
    let streamId: String
    private let chunkSize: Int
    private(set) var deadline: NIODeadline?
    private var nr: UInt64 = 0
    /// At most `chunkSize` bytes between two calls.
    private var held = ByteBuffer()

    fileprivate init(streamId: String, chunkSize: Int) {
      self.streamId = streamId
      self.chunkSize = chunkSize
    }

    mutating func write(_ bytes: ByteBuffer, now: NIODeadline) -> [Chunk] {
      guard bytes.readableBytes > 0 else { return [] }
      if held.readableBytes == 0 {
        held = bytes
      } else {
        held.append(bytes)
      }
      var chunks: [Chunk] = []
      while held.readableBytes > chunkSize, let part = held.readSlice(length: chunkSize) {
        chunks.append(chunk(part))
      }
      if !chunks.isEmpty || deadline == nil { deadline = now + BytestreamLimits.chunkHold }
      return chunks
    }

    mutating func flush(now: NIODeadline) -> [Chunk] {
      guard let deadline, now >= deadline else { return [] }
      return [takeHeld()]
    }

    mutating func last() -> Chunk {
      takeHeld(isLast: true)
    }

    private mutating func takeHeld(isLast: Bool = false) -> Chunk {
      let bytes = held
      held = ByteBuffer()
      deadline = nil
      return chunk(bytes, isLast: isLast)
    }

    private mutating func chunk(_ bytes: ByteBuffer, isLast: Bool = false) -> Chunk {
      defer { nr += 1 }
      return Chunk(streamId: streamId, nr: nr, isLast: isLast, bytes: bytes)
    }
  }
}
