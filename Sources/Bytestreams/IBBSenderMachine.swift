package import NIOCore
package import XMPP

/// The sending direction of an in-band bytestream (XEP-0047), with a window of blocks in flight.
///
/// `writing`: the producer writes; blocks leave while fewer than the window are unanswered, none before the opening was
/// accepted, and what has no room collects up to one block before the producer has to wait. `finishing`: all has been
/// written, blocks or answers are outstanding; `<close/>` goes out behind the last answer, so that an end without
/// error means that the reader has taken every byte. `ended`: nothing will be sent; the answer to `<close/>` changes
/// nothing and is not awaited. Whoever waits is told exactly once, by the action that carries `resumes`.
///
/// Where the round trip is long the window grows, as `SendWindow` says, for peers and within the room that the caller tells.
///
/// Where the socket takes no more, what an answer of the other side sets free is held back until `resume`: many transfers that
/// get theirs at once would fill memory with their windows.
///
/// In a session that both sides send in, whose other direction goes on, an empty block says that this one has ended.
package enum IBBSenderMachine: ~Copyable {
  case writing(Outflow)
  case finishing(Outflow)
  case ended(any Error)

  /// Who waits for this machine: there is one producer, so never both.
  package enum Waiter: Sendable {
    /// For room to write.
    case writer
    /// For the end of the transfer.
    case finisher
  }

  /// - Parameters:
  ///   - blockSize: bytes a block, as `<open/>` offers them.
  ///   - window: blocks in flight at first, at least 1, beside the empty one that ends the direction.
  ///   - isOpen: true where the other side has opened the session, which is bidirectional (XEP-0047 §3).
  package init(
    sid: String, blockSize: Int = BytestreamLimits.blockSize, window: Int = BytestreamLimits.window,
    isOpen: Bool = false
  ) {
    precondition(window > 0 && blockSize > 0 && blockSize <= BytestreamLimits.largestBlockSize)
    self = .writing(Outflow(sid: sid, blockSize: blockSize, window: window, isOpen: isOpen))
  }

  /// What a sender knows of the stream when it decides how large its window is.
  package struct Path: Sendable {
    /// The shortest time from a question to an answer that waits for no reader; nil where none is known: no window grows.
    package let roundTrip: TimeAmount?
    /// Bytes that this bytestream may have in flight, beside all others, where that is more than it had at first.
    package let room: Int

    package init(roundTrip: TimeAmount?, room: Int) {
      self.roundTrip = roundTrip
      self.room = room
    }
  }

  /// Bytes that may be in flight; 0 once it has ended.
  package var windowBytes: Int {
    switch self {
    case .writing(let flow): flow.windowBytes
    case .finishing(let flow): flow.windowBytes
    case .ended: 0
    }
  }

  package enum WriteAction: Sendable {
    /// Send these. Where `wait` is true, the producer waits until it is resumed.
    case send([IBBBlock], wait: Bool)
    case refuse(any Error)
  }

  package mutating func write(_ bytes: ByteBuffer, now: NIODeadline) -> WriteAction {
    switch consume self {
    case .writing(var flow):
      flow.append(bytes)
      let blocks = flow.takeBlocks(now)
      flow.writerWaits = flow.isFull
      let wait = flow.writerWaits
      self = .writing(flow)
      return .send(blocks, wait: wait)
    case .finishing(let flow):
      self = .finishing(flow)
      return .refuse(BytestreamError.finished)
    case .ended(let error):
      self = .ended(error)
      return .refuse(error)
    }
  }

  package enum FinishAction: Sendable {
    /// The producer waits until it is resumed.
    case wait
    /// Send these, of which the last says that all has been sent, and wait until that is answered; it may have to wait itself.
    case send([IBBBlock])
    /// Nothing is outstanding: send `<close/>`; the transfer has ended well.
    case close(sid: String)
    case refuse(any Error)
  }

  /// Nothing more will be written.
  ///
  /// - Parameter leavesOpen: the other side goes on sending in this session.
  package mutating func finish(leavesOpen: Bool = false, now: NIODeadline) -> FinishAction {
    switch consume self {
    case .writing(var flow) where leavesOpen:
      flow.endBlock = .due
      let blocks = flow.takeBlocks(now)
      self = .finishing(flow)
      return .send(blocks)
    case .writing(let flow) where flow.isDone:
      self = .ended(BytestreamError.finished)
      return .close(sid: flow.sid)
    case .writing(let flow):
      self = .finishing(flow)
      return .wait
    case .finishing(let flow):
      self = .finishing(flow)
      return .refuse(BytestreamError.finished)
    case .ended(let error):
      self = .ended(error)
      return .refuse(error)
    }
  }

  package enum ProgressAction: Sendable {
    case none
    /// Send these, then resume the waiter, if one is named.
    case send([IBBBlock], resumes: Waiter?)
    /// Send `<close/>` and resume the finisher: the transfer has ended well.
    case close(sid: String)
    /// The same for one that leaves the session open: nothing is sent.
    case finished
  }

  /// The other side has accepted `<open/>`, or has sent it, with blocks of this many bytes.
  ///
  /// - Parameter isHeld: blocks wait for `resume`.
  package mutating func opened(blockSize: Int? = nil, isHeld: Bool = false, now: NIODeadline) -> ProgressAction {
    progress(isHeld, now) { $0.open(blockSize) }
  }

  /// The other side has answered one block; a caller that matches answers by stanza id drops repeated ones.
  package mutating func acknowledged(isHeld: Bool = false, on path: Path, now: NIODeadline) -> ProgressAction {
    progress(isHeld, now) { $0.answered(on: path, now) }
  }

  /// The socket takes more: what was held back.
  package mutating func resume(now: NIODeadline) -> ProgressAction { progress(false, now) { _ in } }

  /// Whether `resume` has something to send.
  package var isHeldBack: Bool {
    switch self {
    case .writing(let flow): flow.hasBlocks
    case .finishing(let flow): flow.hasBlocks
    case .ended: false
    }
  }

  private mutating func progress(
    _ isHeld: Bool, _ now: NIODeadline, _ change: (inout Outflow) -> Void
  ) -> ProgressAction {
    switch consume self {
    case .writing(var flow):
      change(&flow)
      let blocks = isHeld ? [] : flow.takeBlocks(now)
      let resumes = flow.writerWaits && !flow.isFull
      if resumes { flow.writerWaits = false }
      self = .writing(flow)
      return blocks.isEmpty && !resumes ? .none : .send(blocks, resumes: resumes ? .writer : nil)
    case .finishing(var flow):
      change(&flow)
      let blocks = isHeld ? [] : flow.takeBlocks(now)
      guard flow.isDone else {
        self = .finishing(flow)
        return blocks.isEmpty ? .none : .send(blocks, resumes: nil)
      }
      self = .ended(BytestreamError.finished)
      return flow.endBlock == .none ? .close(sid: flow.sid) : .finished
    case .ended(let error):
      self = .ended(error)
      return .none
    }
  }
}

// MARK: - How it ends before its time

extension IBBSenderMachine {
  /// What the end of a transfer asks for.
  package struct End: Sendable {
    /// To be sent, each in an IQ of its own.
    package let elements: [IBBElement]
    package let resumes: Waiter?
    /// What the waiter gets; nil: the transfer ended well after all.
    package let error: (any Error)?
  }

  package enum OpenRefusedAction: Sendable {
    case none
    /// Send `<open/>` again with smaller blocks.
    case reopen(blockSize: Int)
    case end(End)
  }

  /// The other side refused `<open/>`; one that would take smaller blocks is offered them (XEP-0047 §2.1).
  package mutating func openRefused(_ error: StanzaError) -> OpenRefusedAction {
    guard error.condition == .resourceConstraint else { return openFailed(error) }
    switch consume self {
    case .writing(var flow):
      let smaller = flow.shrink()
      self = .writing(flow)
      return smaller.map(OpenRefusedAction.reopen) ?? openFailed(error)
    case .finishing(var flow):
      let smaller = flow.shrink()
      self = .finishing(flow)
      return smaller.map(OpenRefusedAction.reopen) ?? openFailed(error)
    case .ended(let earlier):
      self = .ended(earlier)
      return .none
    }
  }

  private mutating func openFailed(_ error: StanzaError) -> OpenRefusedAction {
    end(BytestreamError.refused(error)) { _ in [] }.map(OpenRefusedAction.end) ?? .none
  }

  /// The other side answered a block with an error, which closes the session (XEP-0047 §2.2). nil where it had ended.
  package mutating func refused(_ error: StanzaError) -> End? {
    let isGone = error.condition == .itemNotFound
    return end(BytestreamError.refused(error)) { isGone ? [] : [.close(sid: $0.sid)] }
  }

  /// The other side sent `<close/>`, which the caller has answered. nil where it had ended.
  ///
  /// A peer that closes when it has had everything, and before its answers came, has ended the transfer well.
  package mutating func peerClosed() -> End? {
    switch consume self {
    case .finishing(let flow) where flow.isAllSent:
      self = .ended(BytestreamError.finished)
      return End(elements: [], resumes: .finisher, error: nil)
    case .finishing(let flow):
      self = .finishing(flow)
    case .writing(let flow):
      self = .writing(flow)
    case .ended(let error):
      self = .ended(error)
    }
    return end(BytestreamError.closedEarly) { _ in [] }
  }

  /// The producer failed or went away. nil where the transfer had ended.
  ///
  /// A bare `<close/>` would look like the end of a complete body. So one number is left out first: a block lost on the
  /// way fails the bytestream at every receiver (XEP-0047 §2.2).
  package mutating func cancel() -> End? {
    end(BytestreamError.cancelled) { flow in
      [.data(IBBBlock(sid: flow.sid, seq: flow.seq &+ 1, bytes: ByteBuffer())), .close(sid: flow.sid)]
    }
  }

  /// The stream underneath is gone: nothing can be sent. nil where the transfer had ended.
  package mutating func failed(_ error: any Error) -> End? {
    end(error) { _ in [] }
  }

  private mutating func end(_ error: any Error, _ elements: (Outflow) -> [IBBElement]) -> End? {
    switch consume self {
    case .writing(let flow):
      self = .ended(error)
      return End(elements: elements(flow), resumes: flow.writerWaits ? .writer : nil, error: error)
    case .finishing(let flow):
      self = .ended(error)
      return End(elements: elements(flow), resumes: .finisher, error: error)
    case .ended(let earlier):
      self = .ended(earlier)
      return nil
    }
  }
}

// MARK: - Bytes and numbers

extension IBBSenderMachine {
  /// What has been written and not yet been answered.
  package struct Outflow: Sendable {
    let sid: String
    private(set) var blockSize: Int
    private var window: SendWindow
    private(set) var isOpen: Bool
    var endBlock = EndBlock.none
    /// Blocks that the other side has not answered.
    private(set) var inFlight = 0
    /// The number of the next block.
    private(set) var seq: UInt16 = 0
    var writerWaits = false
    /// Written, and not yet in a block.
    private var pending = ByteBuffer()

    fileprivate init(sid: String, blockSize: Int, window: Int, isOpen: Bool) {
      self.sid = sid
      self.blockSize = blockSize
      self.window = SendWindow(blocks: window)
      self.isOpen = isOpen
    }

    /// The empty block that ends this direction alone.
    enum EndBlock { case none, due, sent }

    var windowBytes: Int { window.blocks * blockSize }
    var isFull: Bool { pending.readableBytes >= blockSize }
    var isAllSent: Bool { isOpen && pending.readableBytes == 0 && endBlock != .due }
    var isDone: Bool { isAllSent && inFlight == 0 }

    mutating func append(_ bytes: ByteBuffer) {
      if pending.readableBytes == 0 {
        pending = bytes
      } else {
        pending.append(bytes)
      }
    }

    /// Whether the window has room for what there is.
    var hasBlocks: Bool {
      isOpen
        && (inFlight < window.blocks && pending.readableBytes > 0 || endBlock == .due && pending.readableBytes == 0)
    }

    /// As many blocks as the window has room for; the last may be small, so that nothing written waits without need.
    mutating func takeBlocks(_ now: NIODeadline) -> [IBBBlock] {
      var blocks: [IBBBlock] = []
      while isOpen, inFlight < window.blocks,
        let bytes = pending.readSlice(length: min(blockSize, pending.readableBytes)), bytes.readableBytes > 0
      {
        blocks.append(next(bytes))
        window.sent(inFlight: inFlight, now: now)
      }
      if isOpen, endBlock == .due, pending.readableBytes == 0 {
        endBlock = .sent
        blocks.append(next(ByteBuffer()))
      }
      return blocks
    }

    mutating func answered(on path: Path, _ now: NIODeadline) {
      inFlight = max(0, inFlight - 1)
      let largest = min(path.room, BytestreamLimits.unreadBytes) / blockSize
      window.answered(now: now, roundTrip: path.roundTrip, largest: largest)
    }

    private mutating func next(_ bytes: ByteBuffer) -> IBBBlock {
      defer { seq &+= 1 }
      inFlight += 1
      return IBBBlock(sid: sid, seq: seq, bytes: bytes)
    }

    mutating func open(_ blockSize: Int?) {
      isOpen = true
      if let blockSize { self.blockSize = min(self.blockSize, blockSize) }
    }

    /// Half the block size, nil where that is below what anyone should ask for, or the opening has been answered.
    mutating func shrink() -> Int? {
      guard !isOpen, blockSize > BytestreamLimits.smallestBlockSize else { return nil }
      blockSize = max(BytestreamLimits.smallestBlockSize, blockSize / 2)
      return blockSize
    }
  }
}
