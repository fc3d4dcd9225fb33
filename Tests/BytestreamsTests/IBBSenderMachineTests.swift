import Bytestreams
import NIOCore
import Testing
import XMPP

extension IBBSenderMachine.WriteAction {
  var summary: String {
    switch self {
    case .send(let blocks, let wait): "send\(sizes(blocks))\(wait ? " wait" : "")"
    case .refuse(let error): "refuse \(code(error))"
    }
  }
}

extension IBBSenderMachine.FinishAction {
  var summary: String {
    switch self {
    case .wait: "wait"
    case .send(let blocks): "send\(sizes(blocks))"
    case .close(let sid): "close \(sid)"
    case .refuse(let error): "refuse \(code(error))"
    }
  }
}

extension IBBSenderMachine.ProgressAction {
  var summary: String {
    switch self {
    case .none: "none"
    case .send(let blocks, let resumes): "send\(sizes(blocks))\(resumes.map { " resume \($0)" } ?? "")"
    case .close(let sid): "close \(sid)"
    case .finished: "finished"
    }
  }
}

extension IBBSenderMachine.End {
  var summary: String {
    let elements = elements.map { element in
      switch element {
      case .open: "open"
      case .data(let block): "data \(block.seq)"
      case .close: "close"
      }
    }
    return (elements + [resumes.map { "resume \($0)" } ?? "nobody", code(error)]).joined(separator: ", ")
  }
}

private func sizes(_ blocks: [IBBBlock]) -> String {
  blocks.map { " \($0.seq):\($0.bytes.readableBytes)" }.joined()
}

@Suite struct IBBSenderMachineTests {
  @Test func nothingLeavesBeforeTheOpeningWasAccepted() {
    var machine = IBBSenderMachine(sid: "s", blockSize: 10)
    check(machine.write(bytes(count: 4)).summary, "send")
    check(machine.write(bytes(count: 5)).summary, "send")
    check(machine.write(bytes(count: 5)).summary, "send wait")
    check(machine.opened().summary, "send 0:10 1:4 resume writer")
  }

  @Test func aSmallWriteLeavesAtOnce() {
    var machine = IBBSenderMachine(sid: "s", blockSize: 10, isOpen: true)
    check(machine.write(bytes(count: 1)).summary, "send 0:1")
    check(machine.write(bytes(count: 2)).summary, "send 1:2")
  }

  @Test(arguments: [1, 2, 8, 16]) func exactlyWindowBlocksAreInFlight(window: Int) {
    var machine = IBBSenderMachine(sid: "s", blockSize: 10, window: window, isOpen: true)
    guard case .send(let blocks, wait: true) = machine.write(bytes(count: 10 * window + 25))
    else { return #expect(Bool(false), "must wait") }
    #expect(blocks.map(\.seq) == (0..<UInt16(window)).map { $0 })
    #expect(blocks.allSatisfy { $0.bytes.readableBytes == 10 })
    let next = UInt16(window)
    check(machine.acknowledged().summary, "send \(next):10")
    check(machine.acknowledged().summary, "send \(next + 1):10 resume writer")
    check(machine.acknowledged().summary, "send \(next + 2):5")
    check(machine.acknowledged().summary, "none")
  }

  @Test func aFullWindowCoalescesSmallWrites() {
    var machine = IBBSenderMachine(sid: "s", blockSize: 10, window: 1, isOpen: true)
    check(machine.write(bytes("a")).summary, "send 0:1")
    check(machine.write(bytes("b")).summary, "send")
    check(machine.write(bytes("c")).summary, "send")
    guard case .send(let blocks, resumes: nil) = machine.acknowledged() else { return #expect(Bool(false)) }
    #expect(blocks == [IBBBlock(sid: "s", seq: 1, bytes: bytes("bc"))])
  }

  /// Nor does a machine that always has something left take as much memory as went through it.
  @Test func whatHasLeftTakesNoMemory() {
    var ibb = IBBSenderMachine(sid: "s", blockSize: 48 * 1024, window: 1, isOpen: true)
    var chunks = ChunkSenderMachine(streamId: "s", chunkSize: 48 * 1024)
    var largest = 0
    func check(_ bytes: ByteBuffer) { largest = max(largest, bytes.storageCapacity) }
    _ = ibb.write(bytes(count: 60_000))
    for _ in 0..<200 {
      _ = ibb.write(bytes(count: 48 * 1024))
      if case .send(let blocks, _) = ibb.acknowledged() { blocks.forEach { check($0.bytes) } }
      if case .send(let sent) = chunks.write(bytes(count: 50_000), now: .uptimeNanoseconds(0)) {
        sent.forEach { check($0.bytes) }
      }
    }
    #expect(largest < 1 << 20)
  }

  @Test func anEmptyWriteMakesNoBlock() {
    var machine = IBBSenderMachine(sid: "s", blockSize: 10, isOpen: true)
    check(machine.write(ByteBuffer()).summary, "send")
    check(machine.finish().summary, "close s")
  }

  /// Where the socket takes no more, answers set nothing free; the writer may go on as far as a block.
  @Test func whatIsHeldBackGoesOutLater() {
    var machine = IBBSenderMachine(sid: "s", blockSize: 10, window: 2)
    check(machine.write(bytes(count: 35)).summary, "send wait")
    check(machine.isHeldBack, false)
    check(machine.opened(isHeld: true).summary, "none")
    check(machine.isHeldBack, true)
    check(machine.resume().summary, "send 0:10 1:10")
    check(machine.isHeldBack, false)
    check(machine.acknowledged(isHeld: true).summary, "none")
    check(machine.resume().summary, "send 2:10 resume writer")
    check(machine.finish().summary, "wait")
    check(machine.acknowledged(isHeld: true).summary, "none")
    check(machine.acknowledged(isHeld: true).summary, "none")
    check(machine.resume().summary, "send 3:5")
    check(machine.acknowledged(isHeld: true).summary, "close s")
    check(machine.resume().summary, "none")
  }

  @Test func theBlockThatEndsADirectionIsHeldBackAsWell() {
    var machine = IBBSenderMachine(sid: "s", blockSize: 10)
    check(machine.finish(leavesOpen: true).summary, "send")
    check(machine.opened(isHeld: true).summary, "none")
    check(machine.isHeldBack, true)
    check(machine.resume().summary, "send 0:0")
    check(machine.acknowledged().summary, "finished")
  }

  @Test func closeWaitsForEveryAnswer() {
    var machine = IBBSenderMachine(sid: "s", blockSize: 10, isOpen: true)
    _ = machine.write(bytes(count: 20))
    check(machine.finish().summary, "wait")
    check(machine.acknowledged().summary, "none")
    check(machine.acknowledged().summary, "close s")
    check(machine.acknowledged().summary, "none")
    check(machine.finish().summary, "refuse finished")
  }

  @Test func anEmptyBlockEndsOneDirectionAndLeavesTheOther() {
    var machine = IBBSenderMachine(sid: "s", blockSize: 10, isOpen: true)
    check(machine.finish(leavesOpen: true).summary, "send 0:0")
    check(machine.acknowledged().summary, "finished")
    check(machine.finish().summary, "refuse finished")

    var behind = IBBSenderMachine(sid: "s", blockSize: 10, window: 1, isOpen: true)
    _ = behind.write(bytes(count: 15))
    check(behind.finish(leavesOpen: true).summary, "send")
    check(behind.acknowledged().summary, "send 1:5 2:0")
    check(behind.acknowledged().summary, "none")
    check(behind.acknowledged().summary, "finished")
  }

  @Test func theOtherSideOpensAndSaysHowLargeBlocksAre() {
    var machine = IBBSenderMachine(sid: "s", blockSize: 10)
    _ = machine.write(bytes(count: 5))
    check(machine.finish(leavesOpen: true).summary, "send")
    check(machine.opened(blockSize: 4).summary, "send 0:4 1:1 2:0")
  }

  @Test func whatIsPendingGoesOutBeforeTheClose() {
    var machine = IBBSenderMachine(sid: "s", blockSize: 10, window: 1, isOpen: true)
    _ = machine.write(bytes(count: 15))
    check(machine.finish().summary, "wait")
    check(machine.acknowledged().summary, "send 1:5")
    check(machine.acknowledged().summary, "close s")
  }

  @Test func anEmptyTransferWaitsForItsOpening() {
    var machine = IBBSenderMachine(sid: "s")
    check(machine.finish().summary, "wait")
    check(machine.opened().summary, "close s")
  }

  @Test func nothingIsWrittenBehindTheEnd() {
    var machine = IBBSenderMachine(sid: "s")
    _ = machine.finish()
    check(machine.write(bytes("x")).summary, "refuse finished")
    check(machine.finish().summary, "refuse finished")
  }

  @Test func numbersWrapBehind65535() {
    var machine = IBBSenderMachine(sid: "s", blockSize: 1, window: 1, isOpen: true)
    var expected: UInt16 = 0
    for _ in 0..<65538 {
      guard case .send(let blocks, _) = machine.write(bytes("x")), blocks.count == 1, blocks[0].seq == expected
      else { return #expect(Bool(false), "at \(expected)") }
      expected &+= 1
      _ = machine.acknowledged()
    }
    #expect(expected == 2)
  }

  @Test func openingWithSmallerBlocksIsTriedDownTo4096() {
    var machine = IBBSenderMachine(sid: "s", blockSize: 10_000)
    _ = machine.write(bytes(count: 12_000))
    let constraint = StanzaError(.resourceConstraint)
    guard case .reopen(5000) = machine.openRefused(constraint) else { return #expect(Bool(false), "5000") }
    guard case .reopen(4096) = machine.openRefused(constraint) else { return #expect(Bool(false), "4096") }
    guard case .end(let end) = machine.openRefused(constraint) else { return #expect(Bool(false), "end") }
    #expect(end.summary == "resume writer, refused")
    guard case .none = machine.openRefused(constraint) else { return #expect(Bool(false), "none") }
  }

  @Test func blocksHaveTheSizeThatWasAgreedOn() {
    var machine = IBBSenderMachine(sid: "s", blockSize: 10_000)
    _ = machine.write(bytes(count: 12_000))
    _ = machine.finish()
    guard case .reopen(5000) = machine.openRefused(StanzaError(.resourceConstraint)) else {
      return #expect(Bool(false))
    }
    check(machine.opened().summary, "send 0:5000 1:5000 2:2000")
  }

  @Test(arguments: [StanzaError.Condition.notAcceptable, .serviceUnavailable, .featureNotImplemented])
  func anyOtherRefusalOfTheOpeningEndsIt(condition: StanzaError.Condition) {
    var machine = IBBSenderMachine(sid: "s")
    guard case .end(let end) = machine.openRefused(StanzaError(condition)) else { return #expect(Bool(false)) }
    #expect(end.summary == "nobody, refused")
    #expect((end.error as? BytestreamError)?.underlying?.condition == condition)
    check(machine.write(bytes("x")).summary, "refuse refused")
  }

  @Test func aRefusedBlockClosesTheSessionAndTellsTheEarliestError() {
    var machine = IBBSenderMachine(sid: "s", blockSize: 10, window: 2, isOpen: true)
    _ = machine.write(bytes(count: 40))
    check(machine.refused(StanzaError(.unexpectedRequest))?.summary, "close, resume writer, refused")
    checkNil(machine.refused(StanzaError(.badRequest)))
    guard case .refuse(let error as BytestreamError) = machine.write(bytes("x")) else { return #expect(Bool(false)) }
    #expect(error.underlying?.condition == .unexpectedRequest)
  }

  @Test func aSessionThatTheOtherSideHasForgottenNeedsNoClose() {
    var machine = IBBSenderMachine(sid: "s", blockSize: 10, isOpen: true)
    _ = machine.write(bytes("x"))
    _ = machine.finish()
    check(machine.refused(StanzaError(.itemNotFound))?.summary, "resume finisher, refused")
  }

  @Test func aPeerThatClosesFreesAParkedWriter() {
    var machine = IBBSenderMachine(sid: "s", blockSize: 10, window: 1, isOpen: true)
    _ = machine.write(bytes(count: 30))
    check(machine.peerClosed()?.summary, "resume writer, closedEarly")
    check(machine.acknowledged().summary, "none")
  }

  @Test func aPeerThatClosesWithEverythingInHandEndsItWell() {
    var machine = IBBSenderMachine(sid: "s", blockSize: 10, isOpen: true)
    _ = machine.write(bytes(count: 30))
    _ = machine.finish()
    check(machine.peerClosed()?.summary, "resume finisher, well")
  }

  @Test func aPeerThatClosesWithBytesPendingDoesNot() {
    var machine = IBBSenderMachine(sid: "s", blockSize: 10, window: 1, isOpen: true)
    _ = machine.write(bytes(count: 30))
    _ = machine.finish()
    check(machine.peerClosed()?.summary, "resume finisher, closedEarly")
  }

  /// A bare close would look like the end of the body.
  @Test func cancellingBreaksTheSequenceBeforeItCloses() {
    var machine = IBBSenderMachine(sid: "s", blockSize: 10, isOpen: true)
    _ = machine.write(bytes(count: 30))
    check(machine.cancel()?.summary, "data 4, close, nobody, cancelled")
    checkNil(machine.cancel())
  }

  // MARK: Every state, every end

  enum Start: CaseIterable { case opening, openingFull, open, full, finishing, closed, failed }

  static func machine(_ start: Start) -> IBBSenderMachine {
    var machine = IBBSenderMachine(sid: "s", blockSize: 10, window: 1)
    switch start {
    case .opening: break
    case .openingFull: _ = machine.write(bytes(count: 30))
    case .open: _ = machine.opened()
    case .full:
      _ = machine.opened()
      _ = machine.write(bytes(count: 30))
    case .finishing:
      _ = machine.write(bytes(count: 30))
      _ = machine.finish()
    case .closed:
      _ = machine.opened()
      _ = machine.finish()
    case .failed: _ = machine.failed(Broken())
    }
    return machine
  }

  static let waiters: [Start: String] = [.openingFull: "writer", .full: "writer", .finishing: "finisher"]

  @Test(arguments: Start.allCases, 0..<4) func everyEndTellsTheWaiterExactlyOnce(start: Start, way: Int) {
    var machine = Self.machine(start)
    var told: [String] = []
    for _ in 0..<2 {
      let end =
        switch way {
        case 0: machine.failed(Broken())
        case 1: machine.cancel()
        case 2: machine.peerClosed()
        default: machine.refused(StanzaError(.badRequest))
        }
      if let waiter = end?.resumes { told.append("\(waiter)") }
    }
    // Whatever comes late changes nothing.
    if case .send(_, let resumes?) = machine.opened() { told.append("\(resumes)") }
    if case .send(_, let resumes?) = machine.acknowledged() { told.append("\(resumes)") }
    #expect(told == Self.waiters[start].map { [$0] } ?? [])
    guard case .refuse = machine.write(bytes("x")) else { return #expect(Bool(false), "must refuse") }
    guard case .refuse = machine.finish() else { return #expect(Bool(false), "must refuse") }
  }
}
