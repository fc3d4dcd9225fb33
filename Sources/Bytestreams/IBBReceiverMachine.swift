package import NIOCore
package import XMPP

/// The receiving direction of an in-band bytestream (XEP-0047).
///
/// `open`: blocks come in order; each is answered when the reader takes its bytes, and not before: a sender that waits
/// for answers is slowed down to the reader's pace, and nobody else on the stream is. `draining`: the sender has
/// closed; what came before is still to be read. `ended`: with all bytes read, or with an error. The machine knows
/// whether the reader waits; it is told exactly once, by the action that delivers, ends or has `resumesReader`.
///
/// In a session that both sides send in, an empty block ends this direction alone, and says no more than TCP's FIN does;
/// `<close/>` ends both.
package enum IBBReceiverMachine: ~Copyable {
  case open(Intake)
  case draining(Intake)
  case ended((any Error)?)

  /// - Parameters:
  ///   - blockSize: in bytes, as the accepted `<open/>` offers them.
  ///   - isDuplex: both sides send.
  package init(sid: String, blockSize: Int, isDuplex: Bool = false) {
    self = .open(Intake(sid: sid, blockSize: blockSize, isDuplex: isDuplex))
  }

  /// The other side has said that it sends no more.
  package var isEnding: Bool {
    switch self {
    case .open: false
    case .draining: true
    case .ended: true
    }
  }

  /// What has arrived, and waits for its reader: the memory that it takes, in bytes.
  package var unreadBytes: Int {
    switch self {
    case .open(let intake): intake.unreadBytes
    case .draining(let intake): intake.unreadBytes
    case .ended: 0
    }
  }

  package enum ReceivedAction: Sendable {
    /// Resume the waiting reader with these bytes, and answer the block with a result.
    case deliver(ByteBuffer, acknowledge: String?)
    /// Answer it later, when a read says so.
    case hold
    /// Nothing new in it: answer it with a result.
    case acknowledge(String?)
    /// The last one: answer it with a result, and resume the reader where it waits: every byte has been read.
    case end(acknowledge: String?, resumesReader: Bool)
    /// There is no such bytestream any more; nothing else changes.
    case refuse(StanzaError)
    /// Answer it with the error; the bytestream has failed.
    case fail(StanzaError, End)
  }

  /// What the end of a transfer asks for, in this order.
  package struct End: Sendable {
    /// Send `<close/>`, where there is somebody to tell.
    package let closes: Bool
    /// Answer these held blocks with a result, so that none stays unanswered.
    package let acknowledge: [String]
    package let resumesReader: Bool
    /// What the reader gets.
    package let error: any Error

    package func acknowledging(_ stanzas: [String]) -> End {
      End(closes: closes, acknowledge: stanzas, resumesReader: resumesReader, error: error)
    }
  }

  /// `stanza` is the id of the IQ that carried the block, nil where a message did.
  package mutating func received(_ block: IBBBlock, stanza: String?) -> ReceivedAction {
    switch consume self {
    case .open(var intake):
      switch intake.judge(block) {
      case .next where intake.isDuplex && block.bytes.readableBytes == 0:
        let resumesReader = intake.readerWaits
        self = intake.isEmpty ? .ended(nil) : .draining(intake)
        return .end(acknowledge: stanza, resumesReader: resumesReader)
      case .next:
        let action = intake.take(block.bytes, stanza: stanza)
        self = .open(intake)
        return action
      case .repeated:
        self = .open(intake)
        return .acknowledge(stanza)
      case .fail(let error, let reason):
        self = .ended(reason)
        return .fail(error, intake.end(reason, closes: true))
      }
    case .draining(let intake):
      self = .draining(intake)
      return .refuse(refusal(.itemNotFound, "this bytestream is closed"))
    case .ended(let error):
      self = .ended(error)
      return .refuse(refusal(.itemNotFound, "there is no such bytestream"))
    }
  }

  package enum ReadAction: Sendable {
    /// Answer these blocks with a result: their bytes are taken.
    case deliver(ByteBuffer, acknowledge: [String])
    /// The reader waits until it is resumed.
    case wait
    /// Every byte has been read.
    case end
    case fail(any Error)
  }

  /// The reader asks for the next bytes.
  package mutating func read() -> ReadAction {
    switch consume self {
    case .open(var intake):
      let next = intake.next()
      intake.readerWaits = next == nil
      self = .open(intake)
      return next ?? .wait
    case .draining(var intake):
      let next = intake.next()
      self = intake.isEmpty ? .ended(nil) : .draining(intake)
      return next ?? .end
    case .ended(let error):
      self = .ended(error)
      return error.map(ReadAction.fail) ?? .end
    }
  }

  package enum ClosedAction: Sendable {
    case none
    /// Resume the waiting reader: every byte has been read.
    case end
  }

  /// The other side sent `<close/>`, which the caller answers with a result in any case.
  package mutating func peerClosed() -> ClosedAction {
    switch consume self {
    case .open(var intake):
      let isEnd = intake.readerWaits
      intake.readerWaits = false
      self = intake.isEmpty ? .ended(nil) : .draining(intake)
      return isEnd ? .end : .none
    case .draining(let intake):
      self = .draining(intake)
      return .none
    case .ended(let error):
      self = .ended(error)
      return .none
    }
  }

  /// The reader went away: the sender learns it by `<close/>`. nil where the transfer had ended.
  package mutating func cancel() -> End? {
    end(BytestreamError.cancelled)
  }

  /// A block of this bytestream could not be read; the caller answers it. nil where the transfer had ended.
  package mutating func refused(_ error: StanzaError) -> End? {
    end(BytestreamError(.malformed, error.text ?? error.condition.rawValue, underlying: error))
  }

  /// This side can hold no more of it: the caller answers the held blocks with the error. nil where the transfer had ended.
  package mutating func overflowed(_ error: StanzaError) -> End? {
    end(BytestreamError(.overflow, error.text ?? error.condition.rawValue, underlying: error))
  }

  /// The stream underneath is gone. nil where the transfer had ended.
  ///
  /// What has arrived of an open transfer is dropped, for its reader could not tell it from the whole; what was closed
  /// before is complete and may still be read.
  package mutating func failed(_ error: any Error) -> End? {
    switch consume self {
    case .open(let intake):
      self = .ended(error)
      return intake.end(error, closes: false, acknowledges: false)
    case .draining(let intake):
      self = .draining(intake)
      return nil
    case .ended(let earlier):
      self = .ended(earlier)
      return nil
    }
  }

  private mutating func end(_ error: any Error) -> End? {
    switch consume self {
    case .open(let intake):
      self = .ended(error)
      return intake.end(error, closes: true)
    case .draining(let intake):
      self = .ended(error)
      return intake.end(error, closes: false)
    case .ended(let earlier):
      self = .ended(earlier)
      return nil
    }
  }
}

// MARK: - Numbers and queue

extension IBBReceiverMachine {
  /// What has arrived and waits for the reader.
  package struct Intake: Sendable {
    enum Verdict {
      case next
      case repeated
      case fail(StanzaError, BytestreamError)
    }

    let sid: String
    let blockSize: Int
    let isDuplex: Bool
    var readerWaits = false
    /// The number of the block that is due.
    private var expected: UInt16 = 0
    /// Blocks before it that may be repeated, up to `replays`: at the start there are none.
    private var repeatable: UInt16 = 0
    private var queue = PartQueue()

    fileprivate init(sid: String, blockSize: Int, isDuplex: Bool) {
      self.sid = sid
      self.blockSize = blockSize
      self.isDuplex = isDuplex
    }

    var isEmpty: Bool { queue.isEmpty }
    var unreadBytes: Int { queue.heldBytes }

    func judge(_ block: IBBBlock) -> Verdict {
      let behind = expected &- block.seq
      if behind != 0, behind <= repeatable { return .repeated }
      if behind != 0 {
        return fail(.unexpectedRequest, .outOfOrder, "block \(block.seq) came where \(expected) was due")
      }
      let size = block.bytes.readableBytes
      if size > blockSize {
        return fail(.badRequest, .malformed, "block \(block.seq) has \(size) bytes, agreed were \(blockSize)")
      }
      if !readerWaits, queue.overflows(adding: size) {
        return fail(.resourceConstraint, .overflow, "more was sent than this side can hold for its reader")
      }
      return .next
    }

    private func fail(
      _ condition: StanzaError.Condition, _ code: BytestreamError.Code, _ message: String
    ) -> Verdict {
      .fail(refusal(condition, message), BytestreamError(code, message))
    }

    mutating func take(_ bytes: ByteBuffer, stanza: String?) -> ReceivedAction {
      expected &+= 1
      repeatable = min(repeatable + 1, BytestreamLimits.replays)
      if bytes.readableBytes == 0 { return .acknowledge(stanza) }
      if readerWaits {
        readerWaits = false
        return .deliver(bytes, acknowledge: stanza)
      }
      queue.append(bytes, stanza: stanza)
      return .hold
    }

    mutating func next() -> ReadAction? {
      queue.next().map { .deliver($0.bytes, acknowledge: $0.stanzas) }
    }

    func end(_ error: any Error, closes: Bool, acknowledges: Bool = true) -> End {
      End(
        closes: closes, acknowledge: acknowledges ? queue.stanzas : [], resumesReader: readerWaits, error: error)
    }
  }
}
