import Bytestreams
import NIOCore
import TestKit
import Testing
import XMPP

extension IBBReceiverMachine.ReceivedAction {
  var summary: String {
    switch self {
    case .deliver(let bytes, let stanza): "deliver \(String(buffer: bytes)), ack \(stanza ?? "-")"
    case .hold: "hold"
    case .acknowledge(let stanza): "ack \(stanza ?? "-")"
    case .end(let stanza, let resumesReader): "end, ack \(stanza ?? "-")\(resumesReader ? ", resume" : "")"
    case .refuse(let error): "refuse \(error.condition.rawValue)"
    case .fail(let error, let end): "fail \(error.condition.rawValue), \(end.summary)"
    }
  }
}

extension IBBReceiverMachine.End {
  var summary: String {
    let parts = [
      closes ? "close" : nil, acknowledge.isEmpty ? nil : "ack \(acknowledge.joined(separator: " "))",
      resumesReader ? "resume" : nil, code(error),
    ]
    return parts.compactMap { $0 }.joined(separator: ", ")
  }
}

extension IBBReceiverMachine.ReadAction {
  var summary: String {
    switch self {
    case .deliver(let bytes, let stanzas): "deliver \(String(buffer: bytes)), ack \(stanzas.joined(separator: " "))"
    case .wait: "wait"
    case .end: "end"
    case .fail(let error): "fail \(code(error))"
    }
  }
}

extension IBBReceiverMachine {
  mutating func receive(_ seq: UInt16, _ text: String, id: String? = nil) -> String {
    received(IBBBlock(sid: "s", seq: seq, bytes: bytes(text)), stanza: id ?? "q\(seq)").summary
  }

  mutating func receiveInMessage(_ seq: UInt16, _ text: String) -> String {
    received(IBBBlock(sid: "s", seq: seq, bytes: bytes(text)), stanza: nil).summary
  }
}

@Suite struct IBBReceiverMachineTests {
  @Test func aWaitingReaderGetsABlockAndItIsAnswered() {
    var machine = IBBReceiverMachine(sid: "s", blockSize: 10)
    check(machine.read().summary, "wait")
    check(machine.receive(0, "a"), "deliver a, ack q0")
    check(machine.receive(1, "b"), "hold")
  }

  @Test func answersAreWithheldUntilTheReaderTakesTheBytes() {
    var machine = IBBReceiverMachine(sid: "s", blockSize: 20_000)
    let large = String(repeating: "x", count: 16_384)
    check(machine.receive(0, large), "hold")
    check(machine.receive(1, large), "hold")
    check(machine.read().summary, "deliver \(large), ack q0")
    check(machine.read().summary, "deliver \(large), ack q1")
    check(machine.read().summary, "wait")
  }

  @Test func smallBlocksAreReadTogether() {
    var machine = IBBReceiverMachine(sid: "s", blockSize: 10)
    for seq in 0..<3 { check(machine.receive(UInt16(seq), "\(seq)"), "hold") }
    check(machine.read().summary, "deliver 012, ack q0 q1 q2")
  }

  @Test func messagesCarryBlocksWithoutAnswers() {
    var machine = IBBReceiverMachine(sid: "s", blockSize: 10)
    check(machine.receiveInMessage(0, "a"), "hold")
    check(machine.read().summary, "deliver a, ack ")
    check(machine.read().summary, "wait")
    check(machine.receiveInMessage(1, "b"), "deliver b, ack -")
  }

  @Test func anEmptyBlockIsAnsweredAndCounts() {
    var machine = IBBReceiverMachine(sid: "s", blockSize: 10)
    _ = machine.read()
    check(machine.receive(0, ""), "ack q0")
    check(machine.receive(1, "a"), "deliver a, ack q1")
  }

  @Test func anEmptyBlockEndsOneDirectionWhereBothSend() {
    var waiting = IBBReceiverMachine(sid: "s", blockSize: 10, isDuplex: true)
    _ = waiting.read()
    check("\(waiting.isEnding)", "false")
    check(waiting.receive(0, ""), "end, ack q0, resume")
    check("\(waiting.isEnding)", "true")
    check(waiting.read().summary, "end")
    check(waiting.receive(1, "late"), "refuse item-not-found")

    var holding = IBBReceiverMachine(sid: "s", blockSize: 10, isDuplex: true)
    check(holding.receive(0, "a"), "hold")
    check(holding.receive(1, ""), "end, ack q1")
    check(holding.read().summary, "deliver a, ack q0")
    check(holding.read().summary, "end")
  }

  @Test func whatCameBeforeTheCloseIsReadThenTheEnd() {
    var machine = IBBReceiverMachine(sid: "s", blockSize: 20_000)
    let large = String(repeating: "x", count: 16_384)
    _ = machine.receive(0, large)
    _ = machine.receive(1, large)
    guard case .none = machine.peerClosed() else { return #expect(Bool(false), "nobody waits") }
    check(machine.receive(2, "late"), "refuse item-not-found")
    check(machine.read().summary, "deliver \(large), ack q0")
    checkNil(machine.failed(Broken()))
    check(machine.read().summary, "deliver \(large), ack q1")
    check(machine.read().summary, "end")
    check(machine.read().summary, "end")
  }

  @Test func aCloseEndsAWaitingReader() {
    var machine = IBBReceiverMachine(sid: "s", blockSize: 10)
    _ = machine.read()
    guard case .end = machine.peerClosed() else { return #expect(Bool(false), "resumes") }
    guard case .none = machine.peerClosed() else { return #expect(Bool(false), "only once") }
    checkNil(machine.cancel())
    check(machine.read().summary, "end")
  }

  // MARK: Numbers

  @Test func aReplayIsAnsweredAndDropped() {
    var machine = IBBReceiverMachine(sid: "s", blockSize: 10)
    _ = machine.receive(0, "a")
    _ = machine.receive(1, "b")
    check(machine.receive(0, "a", id: "again"), "ack again")
    check(machine.read().summary, "deliver ab, ack q0 q1")
  }

  @Test func aGapAheadEndsIt() {
    var machine = IBBReceiverMachine(sid: "s", blockSize: 10)
    _ = machine.receive(0, "a")
    check(machine.receive(2, "c"), "fail unexpected-request, close, ack q0, outOfOrder")
    check(machine.receive(3, "d"), "refuse item-not-found")
    check(machine.read().summary, "fail outOfOrder")
    check(machine.read().summary, "fail outOfOrder")
  }

  @Test func aGapTellsAWaitingReader() {
    var machine = IBBReceiverMachine(sid: "s", blockSize: 10)
    _ = machine.read()
    check(machine.receive(1, "b"), "fail unexpected-request, close, resume, outOfOrder")
  }

  @Test func beforeTheFirstBlockNothingIsAReplay() {
    var machine = IBBReceiverMachine(sid: "s", blockSize: 10)
    check(machine.receive(65535, "x"), "fail unexpected-request, close, outOfOrder")
  }

  @Test func numbersWrapBehind65535AndReplaysToo() {
    var machine = IBBReceiverMachine(sid: "s", blockSize: 10)
    var seq: UInt16 = 0
    for _ in 0..<65537 {
      _ = machine.read()
      guard case .deliver = machine.received(IBBBlock(sid: "s", seq: seq, bytes: bytes("x")), stanza: "q")
      else { return #expect(Bool(false), "at \(seq)") }
      seq &+= 1
    }
    #expect(seq == 1)
    check(machine.receive(65535, "x", id: "again"), "ack again")
    // 64 behind is a replay, 65 is confusion.
    check(machine.receive(1 &- 64, "x", id: "again"), "ack again")
    check(machine.receive(1 &- 65, "x"), "fail unexpected-request, close, outOfOrder")
  }

  // MARK: Bounds

  @Test func aBlockLargerThanAgreedEndsIt() {
    var machine = IBBReceiverMachine(sid: "s", blockSize: 3)
    _ = machine.read()
    check(machine.receive(0, "abc"), "deliver abc, ack q0")
    check(machine.receive(1, "abcd"), "fail bad-request, close, malformed")
  }

  @Test func aSenderThatDoesNotWaitIsCutOff() {
    var machine = IBBReceiverMachine(sid: "s", blockSize: 65535)
    var held = 0
    for seq in UInt16(0)...100 {
      let action = machine.received(IBBBlock(sid: "s", seq: seq, bytes: bytes(count: 65535)), stanza: nil)
      guard case .hold = action else {
        #expect(action.summary == "fail resource-constraint, close, overflow")
        break
      }
      held += 65535
    }
    #expect(held <= BytestreamLimits.unreadBytes)
    #expect(held > BytestreamLimits.unreadBytes - 65535)
  }

  @Test func aFloodOfTinyBlocksIsCutOff() {
    var machine = IBBReceiverMachine(sid: "s", blockSize: 65535)
    var held = 0
    while case .hold = machine.received(
      IBBBlock(sid: "s", seq: UInt16(truncatingIfNeeded: held), bytes: bytes("x")), stanza: nil)
    {
      held += 1
    }
    #expect(held == BytestreamLimits.unreadParts)
  }

  @Test func anUnreadableBlockEndsIt() {
    var machine = IBBReceiverMachine(sid: "s", blockSize: 10)
    _ = machine.read()
    check(machine.refused(StanzaError(.badRequest))?.summary, "close, resume, malformed")
  }

  // MARK: Every state, every end

  enum Start: CaseIterable { case idle, waiting, holding, draining, ended, failed }

  static func machine(_ start: Start) -> IBBReceiverMachine {
    var machine = IBBReceiverMachine(sid: "s", blockSize: 10)
    switch start {
    case .idle: break
    case .waiting: _ = machine.read()
    case .holding: _ = machine.receive(0, "a")
    case .draining:
      _ = machine.receive(0, "a")
      _ = machine.peerClosed()
    case .ended: _ = machine.peerClosed()
    case .failed: _ = machine.failed(Broken())
    }
    return machine
  }

  @Test(arguments: Start.allCases, 0..<4) func everyEndTellsTheReaderExactlyOnce(start: Start, way: Int) {
    var machine = Self.machine(start)
    var told = 0
    for _ in 0..<2 {
      switch way {
      case 0: told += machine.failed(Broken())?.resumesReader == true ? 1 : 0
      case 1: told += machine.cancel()?.resumesReader == true ? 1 : 0
      case 2: told += machine.refused(StanzaError(.badRequest))?.resumesReader == true ? 1 : 0
      default: if case .end = machine.peerClosed() { told += 1 }
      }
    }
    #expect(told == (start == .waiting ? 1 : 0))
    // A read never waits for ever behind an end.
    _ = machine.read()
    switch machine.read() {
    case .end, .fail: break
    case .wait, .deliver: #expect(Bool(false), "\(start) \(way)")
    }
  }

  @Test func cancellingAnswersWhatIsHeld() {
    var holding = Self.machine(.holding)
    check(holding.cancel()?.summary, "close, ack q0, cancelled")
    var draining = Self.machine(.draining)
    check(draining.cancel()?.summary, "ack q0, cancelled")
  }
}

/// Romeo sends, Juliet receives: both machines, with the link between them as a queue.
@Suite struct IBBTransferTests {
  @Test(arguments: 0..<30) func whatIsSentIsReceivedAtAnyPace(seed: Int) {
    var dice = Dice(seed: UInt64(seed + 1))
    let blockSize = Int.random(in: 1...3000, using: &dice)
    let window = Int.random(in: 1...9, using: &dice)
    var romeo = IBBSenderMachine(sid: "s", blockSize: blockSize, window: window)
    var juliet = IBBReceiverMachine(sid: "s", blockSize: blockSize)
    let body = ByteBuffer.random(Int.random(in: 0...40_000, using: &dice), &dice)
    var (unsent, received) = (body, ByteBuffer())
    var (link, answers): ([IBBBlock], [String]) = ([], [])
    var (writerWaits, readerWaits, finished, closed, ended) = (false, false, false, false, false)

    func progress(_ action: IBBSenderMachine.ProgressAction) {
      switch action {
      case .none: break
      case .send(let blocks, let resumes):
        link += blocks
        if resumes == .writer { writerWaits = false }
      case .close: closed = true
      case .finished: #expect(Bool(false), "nobody leaves it open")
      }
    }
    progress(romeo.opened())
    var inFlight = 0
    for _ in 0..<200_000 where !ended {
      switch Int.random(in: 0..<4, using: &dice) {
      case 0 where !writerWaits && !finished:
        if let part = unsent.readSlice(length: min(unsent.readableBytes, Int.random(in: 1...9000, using: &dice))),
          part.readableBytes > 0
        {
          guard case .send(let blocks, let wait) = romeo.write(part) else { return #expect(Bool(false)) }
          link += blocks
          writerWaits = wait
        } else {
          finished = true
          if case .close = romeo.finish() { closed = true }
        }
      case 1 where !link.isEmpty:
        let block = link.removeFirst()
        inFlight += 1
        switch juliet.received(block, stanza: "\(block.seq)") {
        case .deliver(var bytes, let id):
          readerWaits = false
          received.writeBuffer(&bytes)
          answers.append(id ?? "")
        case .hold: break
        case let other: return #expect(Bool(false), "\(other.summary)")
        }
      case 2 where !answers.isEmpty:
        answers.removeFirst()
        inFlight -= 1
        progress(romeo.acknowledged())
      case 3 where !readerWaits:
        switch juliet.read() {
        case .deliver(var bytes, let ids):
          received.writeBuffer(&bytes)
          answers += ids
        case .wait: readerWaits = true
        case .end: ended = true
        case .fail(let error): return #expect(Bool(false), "\(error)")
        }
      default:
        if closed, link.isEmpty, case .end = juliet.peerClosed() { ended = true }
      }
      #expect(inFlight + link.count <= window)
    }
    #expect(ended)
    #expect(received == body)
  }

  /// The sender's way to say that it gave up reaches the reader as an error, though a close follows.
  @Test func aCancelledTransferIsNeverAShortBody() {
    var romeo = IBBSenderMachine(sid: "s", blockSize: 10, isOpen: true)
    var juliet = IBBReceiverMachine(sid: "s", blockSize: 10)
    _ = romeo.write(bytes("half"))
    _ = juliet.receive(0, "half")
    for element in romeo.cancel()?.elements ?? [] {
      switch element {
      case .data(let block): _ = juliet.received(block, stanza: "x")
      case .close: _ = juliet.peerClosed()
      case .open: #expect(Bool(false))
      }
    }
    check(juliet.read().summary, "fail outOfOrder")
  }
}
