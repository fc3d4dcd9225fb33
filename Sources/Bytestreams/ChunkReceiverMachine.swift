package import NIOCore
package import XMPP

/// Puts the numbered chunks of a body back into order (XEP-0332 §4.2.5 note 3).
///
/// `open`: chunks come; the one that is due goes to the reader, an early one waits within bounds and not for ever, one
/// that came before is dropped. `draining`: all have come; some are still to be read. `ended`: with all bytes read, or
/// with an error: a row that breaks off is never taken for a shorter body. The reader is told exactly once, by the
/// action that delivers, ends or has `resumesReader`.
package enum ChunkReceiverMachine: ~Copyable {
  case open(Assembly)
  case draining(Assembly)
  case ended((any Error)?)

  package init(streamId: String) {
    self = .open(Assembly(streamId: streamId))
  }

  package enum ReceivedAction: Sendable {
    case none
    /// Resume the waiting reader with these bytes.
    case deliver(ByteBuffer)
    /// Resume the waiting reader: every byte has been read.
    case end
    case fail(End)
  }

  /// What the end of a transfer asks for.
  package struct End: Sendable {
    /// To be sent, where there is somebody to tell.
    package let element: ChunkElement?
    package let resumesReader: Bool
    /// What the reader gets.
    package let error: any Error
  }

  /// When to call `timedOut`, nil while no chunk is missing.
  package var deadline: NIODeadline? {
    switch self {
    case .open(let assembly): assembly.deadline
    case .draining: nil
    case .ended: nil
    }
  }

  /// What has arrived, and waits for its reader, or for an earlier chunk: the memory that it takes, in bytes.
  package var unreadBytes: Int {
    switch self {
    case .open(let assembly): assembly.unreadBytes
    case .draining(let assembly): assembly.unreadBytes
    case .ended: 0
    }
  }

  package mutating func received(_ chunk: Chunk, now: NIODeadline) -> ReceivedAction {
    switch consume self {
    case .open(var assembly):
      if let error = assembly.accept(chunk, now: now) {
        self = .ended(error)
        return .fail(assembly.end(error, tells: true))
      }
      let action = assembly.resumeReader()
      if !assembly.isComplete {
        self = .open(assembly)
      } else {
        self = assembly.isEmpty ? .ended(nil) : .draining(assembly)
      }
      return action
    case .draining(let assembly):
      self = .draining(assembly)
      return .none
    case .ended(let error):
      self = .ended(error)
      return .none
    }
  }

  package enum ReadAction: Sendable {
    case deliver(ByteBuffer)
    /// The reader waits until it is resumed.
    case wait
    /// Every byte has been read.
    case end
    case fail(any Error)
  }

  /// The reader asks for the next bytes.
  package mutating func read() -> ReadAction {
    switch consume self {
    case .open(var assembly):
      let next = assembly.next()
      assembly.readerWaits = next == nil
      self = .open(assembly)
      return next.map(ReadAction.deliver) ?? .wait
    case .draining(var assembly):
      let next = assembly.next()
      self = assembly.isEmpty ? .ended(nil) : .draining(assembly)
      return next.map(ReadAction.deliver) ?? .end
    case .ended(let error):
      self = .ended(error)
      return error.map(ReadAction.fail) ?? .end
    }
  }

  /// The sender gave up in the middle. nil where all had come, or it had ended.
  package mutating func peerClosed() -> End? {
    endOpen(BytestreamError.closedEarly, tells: false)
  }

  /// A chunk has been missing for too long. nil where that is not so.
  package mutating func timedOut(now: NIODeadline) -> End? {
    guard let deadline, now >= deadline else { return nil }
    return endOpen(BytestreamError(.outOfOrder, "a chunk never came"), tells: true)
  }

  /// A chunk of this row could not be read. nil where all had come, or it had ended.
  package mutating func refused(_ error: StanzaError) -> End? {
    endOpen(
      BytestreamError(.malformed, error.text ?? error.condition.rawValue, underlying: error), tells: true)
  }

  /// The stream underneath is gone. nil where all had come, which may still be read, or it had ended.
  package mutating func failed(_ error: any Error) -> End? {
    endOpen(error, tells: false)
  }

  /// The reader went away. nil where the transfer had ended.
  package mutating func cancel() -> End? {
    switch consume self {
    case .open(let assembly):
      self = .ended(BytestreamError.cancelled)
      return assembly.end(BytestreamError.cancelled, tells: true)
    case .draining(let assembly):
      self = .ended(BytestreamError.cancelled)
      return assembly.end(BytestreamError.cancelled, tells: false)
    case .ended(let error):
      self = .ended(error)
      return nil
    }
  }

  private mutating func endOpen(_ error: any Error, tells: Bool) -> End? {
    switch consume self {
    case .open(let assembly):
      self = .ended(error)
      return assembly.end(error, tells: tells)
    case .draining(let assembly):
      self = .draining(assembly)
      return nil
    case .ended(let earlier):
      self = .ended(earlier)
      return nil
    }
  }
}

// MARK: - Order

extension ChunkReceiverMachine {
  /// Chunks that are due go to the queue, the others wait for those before them.
  package struct Assembly: Sendable {
    let streamId: String
    var readerWaits = false
    /// When a missing chunk has been missing for too long.
    private(set) var deadline: NIODeadline?
    private var queue = PartQueue()
    /// The number of the chunk that is due.
    private var due: UInt64 = 0
    private var early: [UInt64: Chunk] = [:]
    private var earlyBytes = 0
    /// The number of the last chunk, once it is known.
    private var last: UInt64?

    fileprivate init(streamId: String) {
      self.streamId = streamId
    }

    var isComplete: Bool { last.map { due > $0 } ?? false }
    var isEmpty: Bool { queue.isEmpty }
    var unreadBytes: Int { queue.heldBytes + earlyBytes + early.count * BytestreamLimits.partOverhead }

    /// What is wrong with the chunk, nil where it was taken or has been seen before.
    mutating func accept(_ chunk: Chunk, now: NIODeadline) -> BytestreamError? {
      let nr = chunk.nr ?? due
      if nr < due { return nil }
      if let known = early[nr] {
        let isSame = known.bytes == chunk.bytes && known.isLast == chunk.isLast
        return isSame ? nil : BytestreamError(.outOfOrder, "chunk \(nr) came twice, and differs")
      }
      if let error = placeError(nr, chunk) { return error }
      if chunk.isLast { last = nr }
      return nr == due ? advance(from: chunk, now: now) : hold(chunk, nr, now: now)
    }

    private func placeError(_ nr: UInt64, _ chunk: Chunk) -> BytestreamError? {
      if let last, nr > last {
        return BytestreamError(.outOfOrder, "chunk \(nr) came although \(last) is the last")
      }
      if chunk.isLast, early.keys.contains(where: { $0 > nr }) {
        return BytestreamError(.outOfOrder, "chunk \(nr) is the last although later ones came")
      }
      return nil
    }

    private mutating func hold(_ chunk: Chunk, _ nr: UInt64, now: NIODeadline) -> BytestreamError? {
      earlyBytes += chunk.bytes.readableBytes
      guard nr - due <= BytestreamLimits.earlyChunks, earlyBytes <= BytestreamLimits.earlyBytes
      else { return BytestreamError(.overflow, "chunk \(nr) came too long before \(due)") }
      early[nr] = chunk
      deadline = deadline ?? now + BytestreamLimits.missingChunk
      return nil
    }

    private mutating func advance(from first: Chunk, now: NIODeadline) -> BytestreamError? {
      var next: Chunk? = first
      while let chunk = next {
        if chunk.bytes.readableBytes > 0 {
          guard !queue.overflows(adding: chunk.bytes.readableBytes)
          else { return BytestreamError(.overflow, "more was sent than this side can hold for its reader") }
          queue.append(chunk.bytes)
        }
        due += 1
        next = early.removeValue(forKey: due)
        earlyBytes -= next?.bytes.readableBytes ?? 0
      }
      deadline = early.isEmpty ? nil : now + BytestreamLimits.missingChunk
      return nil
    }

    mutating func next() -> ByteBuffer? {
      queue.next()?.bytes
    }

    /// What a reader that waits gets, now that chunks have come.
    mutating func resumeReader() -> ReceivedAction {
      guard readerWaits else { return .none }
      if let bytes = next() {
        readerWaits = false
        return .deliver(bytes)
      }
      guard isComplete else { return .none }
      readerWaits = false
      return .end
    }

    func end(_ error: any Error, tells: Bool) -> End {
      End(element: tells ? .close(streamId: streamId) : nil, resumesReader: readerWaits, error: error)
    }
  }
}
