import Bytestreams
import NIOCore
import XML
import XMPP

extension FuzzTarget {
  /// Bodies beside their stanza: whatever order things come in, a reader gets what was written, from its beginning; and is told
  /// that it is whole only where it is.
  static let transfers = FuzzTarget("transfers", longest: 1024) { bytes in
    checkChunks(bytes)
    for isDuplex in [false, true] { checkBlocks(bytes, isDuplex: isDuplex) }
    for element in elements(bytes) { checkElement(element) }
  }

  private static func checkElement(_ element: Element) {
    if let chunk = try? ChunkElement(element) {
      for element in chunk.elements { requireEqual(try? ChunkElement(element), chunk, "Written as another one") }
      if case .chunk(let chunk) = chunk {
        var written = ByteBuffer()
        chunk.write(into: &written)
        requireEqual(try? ChunkElement(read(written)), .chunk(chunk), "Written as another one")
      }
    }
    if let block = try? IBBElement(element) {
      requireEqual(try? IBBElement(block.element), block, "Written as another one")
      if case .data(let block) = block {
        var written = ByteBuffer()
        block.write(into: &written)
        requireEqual(try? IBBElement(read(written)), .data(block), "Written as another one")
      }
    }
  }

  // MARK: Chunks

  /// A byte a step: chunk number so and so, whose one byte is its number; a read; time; an end.
  private static func checkChunks(_ steps: [UInt8]) {
    var machine = ChunkReceiverMachine(streamId: "c")
    var now = NIODeadline.uptimeNanoseconds(1)
    var isWaiting = false
    var read: [UInt8] = []
    var last: Set<Int> = []

    func got(_ bytes: ByteBuffer) { read += bytes.readableBytesView }
    func ended() { require(last.contains(read.count - 1), "The end behind \(read)") }
    func resumed(_ end: ChunkReceiverMachine.End?) {
      guard let end else { return }
      requireEqual(end.resumesReader, isWaiting, "Whether the reader waits")
      isWaiting = false
    }

    for step in steps {
      switch step {
      case 0..<0x80:
        let nr = step & 0x3F
        let isLast = step & 0x40 != 0
        if isLast { last.insert(Int(nr)) }
        let chunk = Chunk(streamId: "c", nr: UInt64(nr), isLast: isLast, bytes: ByteBuffer(bytes: [nr]))
        switch machine.received(chunk, now: now) {
        case .none: break
        case .deliver(let bytes):
          require(isWaiting, "Bytes for nobody")
          isWaiting = false
          got(bytes)
        case .end:
          require(isWaiting, "An end for nobody")
          isWaiting = false
          ended()
        case .fail(let end): resumed(end)
        }
      case 0x80..<0xE0 where !isWaiting:
        switch machine.read() {
        case .deliver(let bytes): got(bytes)
        case .wait: isWaiting = true
        case .end: ended()
        case .fail: break
        }
      case 0xE0..<0xF0:
        now = machine.deadline ?? now + .seconds(1)
        resumed(machine.timedOut(now: now))
      case 0xFC: resumed(machine.peerClosed())
      case 0xFD: resumed(machine.refused(.init(.badRequest)))
      case 0xFE: resumed(machine.failed(BytestreamError.cancelled))
      case 0xFF: resumed(machine.cancel())
      default: break
      }
      require(machine.unreadBytes <= BytestreamLimits.unreadBytes + BytestreamLimits.earlyBytes, "Too much waits")
    }
    requireEqual(read, Array((0..<UInt8(read.count))), "The chunks came in another order")
  }

  // MARK: Blocks

  private static func checkBlocks(_ steps: [UInt8], isDuplex: Bool) {
    var transfer = BlockTransfer(isDuplex: isDuplex)
    for step in steps { transfer.step(step) }
    transfer.finish()
  }
}

/// A sender, a receiver and what is under way between them.
private struct BlockTransfer: ~Copyable {
  private static let path = IBBSenderMachine.Path(roundTrip: nil, room: 0)
  private static let window = 3
  private let isDuplex: Bool
  private var sender: IBBSenderMachine
  private var receiver: IBBReceiverMachine
  private var underWay: [IBBElement] = []
  /// Blocks that were answered, whose answers are under way.
  private var answers = 0
  private var unanswered = 0
  private var isWriterWaiting = false
  private var isReaderWaiting = false
  private var isFinished = false
  private var isBroken = false
  private var hasEnded = false
  private var hasFailed = false
  private var written: [UInt8] = []
  private var read: [UInt8] = []

  init(isDuplex: Bool) {
    self.isDuplex = isDuplex
    sender = IBBSenderMachine(sid: "s", blockSize: 8, window: Self.window)
    receiver = IBBReceiverMachine(sid: "s", blockSize: 8, isDuplex: isDuplex)
  }

  mutating func step(_ step: UInt8) {
    switch step {
    case 0..<0x40 where !isWriterWaiting && !isFinished: write(Int(step))
    case 0x40..<0x70: deliver()
    case 0x70..<0xA0 where !isReaderWaiting: readOn()
    case 0xA0..<0xD0 where answers > 0: acknowledge()
    case 0xD0..<0xE0: progressed(sender.opened(now: .uptimeNanoseconds(0)))
    case 0xF0 where !isWriterWaiting && !isFinished: finishWriting()
    case 0xF1: cancelWriting()
    case 0xF2:
      isBroken = true
      ended(receiver.cancel())
    default: break
    }
    require(unanswered <= Self.window + (isDuplex ? 1 : 0), "\(unanswered) blocks are under way")
    // A block has 8 bytes, and its IQ an id of one.
    let most = (8 + 1 + BytestreamLimits.partOverhead) * (Self.window + 1)
    require(receiver.unreadBytes <= most, "\(receiver.unreadBytes) bytes wait for the reader")
  }

  /// All that is left goes its way: then whoever waited has been told.
  mutating func finish() {
    progressed(sender.opened(now: .uptimeNanoseconds(0)))
    for _ in 0..<4 * (written.count + 8) {
      deliver()
      if !isReaderWaiting { readOn() }
      if answers > 0 { acknowledge() }
      if !isWriterWaiting, !isFinished { finishWriting() }
    }
    require(Array(written.prefix(read.count)) == read, "The reader got \(read) of \(written)")
    if isBroken {
      require(!hasEnded || read.count == written.count, "A part was taken for the whole")
    } else {
      require(hasEnded && read.count == written.count, "\(read.count) of \(written.count) bytes were read, and no end")
    }
  }

  // MARK: The sender

  private mutating func write(_ count: Int) {
    let bytes = (0..<count).map { UInt8(truncatingIfNeeded: written.count + $0) }
    guard case .send(let blocks, let wait) = sender.write(ByteBuffer(bytes: bytes), now: .uptimeNanoseconds(0)) else {
      require(isBroken, "It takes no more")
      return
    }
    written += bytes
    isWriterWaiting = wait
    send(blocks)
  }

  private mutating func finishWriting() {
    isFinished = true
    switch sender.finish(leavesOpen: isDuplex, now: .uptimeNanoseconds(0)) {
    case .wait: break
    case .send(let blocks): send(blocks)
    case .close(let sid): underWay.append(.close(sid: sid))
    case .refuse: require(isBroken, "It cannot be finished")
    }
  }

  private mutating func cancelWriting() {
    isBroken = true
    isFinished = true
    isWriterWaiting = false
    if let end = sender.cancel() { underWay += end.elements }
  }

  private mutating func send(_ blocks: [IBBBlock]) {
    unanswered += blocks.count
    underWay += blocks.map { .data($0) }
  }

  private mutating func acknowledge() {
    answers -= 1
    unanswered -= 1
    progressed(sender.acknowledged(on: Self.path, now: .uptimeNanoseconds(0)))
  }

  private mutating func progressed(_ action: IBBSenderMachine.ProgressAction) {
    switch action {
    case .none, .finished: break
    case .send(let blocks, let waiter):
      send(blocks)
      if waiter == .writer {
        require(isWriterWaiting, "Nobody waits to write")
        isWriterWaiting = false
      }
    case .close(let sid): underWay.append(.close(sid: sid))
    }
  }

  // MARK: The receiver

  private mutating func deliver() {
    guard !underWay.isEmpty else { return }
    switch underWay.removeFirst() {
    case .open: break
    case .data(let block): received(receiver.received(block, stanza: "x"))
    case .close:
      guard case .end = receiver.peerClosed() else { return }
      require(isReaderWaiting, "An end for nobody")
      isReaderWaiting = false
      hasEnded = true
    }
  }

  private mutating func received(_ action: IBBReceiverMachine.ReceivedAction) {
    switch action {
    case .deliver(let bytes, let stanza):
      require(isReaderWaiting, "Bytes for nobody")
      isReaderWaiting = false
      got(bytes, [stanza].compactMap(\.self))
    case .hold: break
    case .acknowledge(let stanza): answers += stanza == nil ? 0 : 1
    case .end(let stanza, let resumesReader):
      answers += stanza == nil ? 0 : 1
      requireEqual(resumesReader, isReaderWaiting, "Whether the reader waits")
      if resumesReader { hasEnded = true }
      isReaderWaiting = false
    case .refuse: require(isBroken, "A block is refused")
    case .fail(_, let end):
      require(isBroken, "A block fails the transfer: \(end.error)")
      ended(end)
    }
  }

  private mutating func readOn() {
    guard !hasEnded, !hasFailed else { return }
    switch receiver.read() {
    case .deliver(let bytes, let stanzas): got(bytes, stanzas)
    case .wait: isReaderWaiting = true
    case .end: hasEnded = true
    case .fail:
      require(isBroken, "The reader gets an error")
      hasFailed = true
    }
  }

  private mutating func got(_ bytes: ByteBuffer, _ stanzas: [String]) {
    read += bytes.readableBytesView
    answers += stanzas.count
  }

  private mutating func ended(_ end: IBBReceiverMachine.End?) {
    guard let end else { return }
    requireEqual(end.resumesReader, isReaderWaiting, "Whether the reader waits")
    answers += end.acknowledge.count
    if isReaderWaiting { hasFailed = true }
    isReaderWaiting = false
  }
}
