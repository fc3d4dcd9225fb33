import Bytestreams
import NIOCore
import Testing
import XMPP

private let start = NIODeadline.uptimeNanoseconds(1_000_000_000)

extension ChunkSenderMachine.SendAction {
  var summary: String {
    switch self {
    case .send(let chunks): "send\(texts(chunks))"
    case .refuse(let error): "refuse \(code(error))"
    }
  }
}

private func texts(_ chunks: [Chunk]) -> String {
  chunks.map { " \($0.nr ?? 999):\(String(buffer: $0.bytes))\($0.isLast ? "!" : "")" }.joined()
}

@Suite struct ChunkSenderMachineTests {
  @Test func theLastChunkCarriesData() {
    var machine = ChunkSenderMachine(streamId: "s", chunkSize: 3)
    check(machine.write(bytes("abcdef"), now: start).summary, "send 0:abc")
    check(machine.write(bytes("g"), now: start).summary, "send 1:def")
    check(machine.finish().summary, "send 2:g!")
    check(machine.finish().summary, "refuse finished")
    check(machine.write(bytes("h"), now: start).summary, "refuse finished")
  }

  @Test func anEmptyBodyIsOneEmptyLastChunk() {
    var machine = ChunkSenderMachine(streamId: "s", chunkSize: 3)
    check(machine.write(ByteBuffer(), now: start).summary, "send")
    check(machine.finish().summary, "send 0:!")
  }

  @Test func aPauseOfTheProducerDelaysNothingForLong() throws {
    var machine = ChunkSenderMachine(streamId: "s", chunkSize: 100)
    _ = machine.write(bytes("event 1\n"), now: start)
    let due = machine.deadline
    let deadline = try #require(due)
    #expect(deadline == start + BytestreamLimits.chunkHold)
    // More of it does not put it off.
    _ = machine.write(bytes("\n"), now: start + .milliseconds(5))
    check(machine.deadline, deadline)
    check(texts(machine.timedOut(now: start + .milliseconds(6))), "")
    check(texts(machine.timedOut(now: deadline)), " 0:event 1\n\n")
    checkNil(machine.deadline)
    check(texts(machine.timedOut(now: deadline + .seconds(1))), "")
    check(machine.finish().summary, "send 1:!")
  }

  @Test func aLargeWriteIsCutIntoChunks() {
    var machine = ChunkSenderMachine(streamId: "s", chunkSize: 2)
    check(machine.write(bytes("abcdefg"), now: start).summary, "send 0:ab 1:cd 2:ef")
    check(machine.finish().summary, "send 3:g!")
  }

  @Test func everyEndIsToldOnceAndRefusesTheNextWrite() {
    for way in 0..<3 {
      var machine = ChunkSenderMachine(streamId: "s", chunkSize: 2)
      _ = machine.write(bytes("a"), now: start)
      let told = (0..<2).map { _ in
        switch way {
        case 0: machine.peerClosed()
        case 1: machine.cancel() == .close(streamId: "s")
        default: machine.failed(Broken())
        }
      }
      #expect(told == [true, false])
      checkNil(machine.deadline)
      check(texts(machine.timedOut(now: start + .seconds(1))), "")
      let expected = ["closedEarly", "cancelled", "broken"][way]
      check(machine.write(bytes("b"), now: start).summary, "refuse \(expected)")
      check(machine.finish().summary, "refuse \(expected)")
    }
  }

  @Test func nothingIsCancelledBehindTheLastChunk() {
    var machine = ChunkSenderMachine(streamId: "s", chunkSize: 2)
    _ = machine.finish()
    checkNil(machine.cancel())
    check(machine.peerClosed(), false)
  }
}

extension ChunkReceiverMachine.ReceivedAction {
  var summary: String {
    switch self {
    case .none: "none"
    case .deliver(let bytes): "deliver \(String(buffer: bytes))"
    case .end: "end"
    case .fail(let end): "fail \(end.summary)"
    }
  }
}

extension ChunkReceiverMachine.End {
  var summary: String {
    [element == nil ? nil : "close", resumesReader ? "resume" : nil, code(error)].compactMap { $0 }
      .joined(separator: ", ")
  }
}

extension ChunkReceiverMachine.ReadAction {
  var summary: String {
    switch self {
    case .deliver(let bytes): "deliver \(String(buffer: bytes))"
    case .wait: "wait"
    case .end: "end"
    case .fail(let error): "fail \(code(error))"
    }
  }
}

extension ChunkReceiverMachine {
  mutating func receive(_ nr: UInt64?, _ text: String, last: Bool = false, at now: NIODeadline = start) -> String {
    received(Chunk(streamId: "s", nr: nr, isLast: last, bytes: bytes(text)), now: now).summary
  }

  /// Reads what there is, to the end or the error.
  mutating func readAll() -> String {
    var text = ""
    while true {
      switch read() {
      case .deliver(let bytes): text += String(buffer: bytes)
      case .wait: return text + " wait"
      case .end: return text + " end"
      case .fail(let error): return text + " fail \(code(error))"
      }
    }
  }
}

@Suite struct ChunkReceiverMachineTests {
  @Test func inOrder() {
    var machine = ChunkReceiverMachine(streamId: "s")
    check(machine.read().summary, "wait")
    check(machine.receive(0, "a"), "deliver a")
    check(machine.receive(1, "b"), "none")
    check(machine.receive(2, "c", last: true), "none")
    check(machine.readAll(), "bc end")
    check(machine.readAll(), " end")
  }

  /// Every order of five chunks, one of them empty, gives the body.
  @Test func anyPermutationGivesTheBody() {
    let chunks = ["a", "b", "", "d", "e"]
    for order in permutations(Array(chunks.indices)) {
      var machine = ChunkReceiverMachine(streamId: "s")
      for nr in order {
        check(machine.receive(UInt64(nr), chunks[nr], last: nr == 4), "none")
      }
      check(machine.readAll(), "abde end")
      checkNil(machine.deadline)
    }
  }

  @Test func aWaitingReaderGetsWhatAFilledGapReleases() {
    var machine = ChunkReceiverMachine(streamId: "s")
    _ = machine.read()
    check(machine.receive(1, "b", last: true), "none")
    check(machine.receive(0, "a"), "deliver ab")
    check(machine.read().summary, "end")
  }

  @Test func anEmptyLastChunkEndsAWaitingReader() {
    var machine = ChunkReceiverMachine(streamId: "s")
    _ = machine.read()
    check(machine.receive(0, "", last: true), "end")
  }

  /// COMPAT(Smack).
  @Test func missingNumbersAreCounted() {
    var machine = ChunkReceiverMachine(streamId: "s")
    for text in ["a", "b"] { check(machine.receive(nil, text), "none") }
    check(machine.receive(nil, "c", last: true), "none")
    check(machine.readAll(), "abc end")
  }

  @Test func exactDuplicatesAreIgnored() {
    var machine = ChunkReceiverMachine(streamId: "s")
    _ = machine.receive(0, "a")
    check(machine.receive(0, "a"), "none")
    _ = machine.receive(2, "c", last: true)
    check(machine.receive(2, "c", last: true), "none")
    _ = machine.receive(1, "b")
    check(machine.receive(2, "c", last: true), "none")
    check(machine.readAll(), "abc end")
  }

  @Test func contradictionsEndIt() {
    let rows: [[(nr: UInt64, text: String, last: Bool)]] = [
      [(2, "c", false), (2, "x", false)],
      [(2, "c", false), (2, "c", true)],
      [(2, "c", true), (3, "d", false)],
      [(3, "d", false), (2, "c", true)],
      [(2, "c", true), (1, "b", true)],
    ]
    for row in rows {
      var machine = ChunkReceiverMachine(streamId: "s")
      _ = machine.read()
      check(machine.receive(row[0].nr, row[0].text, last: row[0].last), "none")
      check(machine.receive(row[1].nr, row[1].text, last: row[1].last), "fail close, resume, outOfOrder")
      check(machine.readAll(), " fail outOfOrder")
    }
  }

  @Test func aMebibyteInReverseOrderFitsAndMoreDoesNot() {
    var machine = ChunkReceiverMachine(streamId: "s")
    let count = BytestreamLimits.earlyBytes / 4096
    for nr in (1...count).reversed() {
      let chunk = Chunk(streamId: "s", nr: UInt64(nr), isLast: nr == count, bytes: bytes(count: 4096))
      guard case .none = machine.received(chunk, now: start) else { return #expect(Bool(false), "chunk \(nr)") }
    }
    check(machine.receive(0, "a"), "none")
    var total = 0
    while case .deliver(let bytes) = machine.read() { total += bytes.readableBytes }
    #expect(total == BytestreamLimits.earlyBytes + 1)

    var greedy = ChunkReceiverMachine(streamId: "s")
    for nr in 1...count {
      _ = greedy.received(Chunk(streamId: "s", nr: UInt64(nr), bytes: bytes(count: 4096)), now: start)
    }
    check(greedy.receive(UInt64(count + 1), "x"), "fail close, overflow")
  }

  @Test(arguments: [UInt64.max, BytestreamLimits.earlyChunks + 1]) func aNumberFarAheadEndsIt(nr: UInt64) {
    var machine = ChunkReceiverMachine(streamId: "s")
    check(machine.receive(nr, "x"), "fail close, overflow")
  }

  @Test func theHighestNumberIsNotCountedBeyond() {
    var machine = ChunkReceiverMachine(streamId: "s")
    check(machine.receive(UInt64.max, "x", last: true), "fail close, overflow")
  }

  @Test func aReaderThatDoesNotReadBoundsWhatIsHeld() {
    var machine = ChunkReceiverMachine(streamId: "s")
    var held = 0
    for nr in UInt64(0)...100 {
      let action = machine.received(Chunk(streamId: "s", nr: nr, bytes: bytes(count: 65536)), now: start)
      guard case .none = action else {
        #expect(action.summary == "fail close, overflow")
        break
      }
      held += 65536
    }
    #expect(held == BytestreamLimits.unreadBytes)
  }

  @Test func aMissingChunkIsAnErrorInTheEndAndNoShortBody() throws {
    var machine = ChunkReceiverMachine(streamId: "s")
    _ = machine.receive(0, "a")
    checkNil(machine.deadline)
    _ = machine.receive(2, "c", last: true)
    let due = machine.deadline
    let deadline = try #require(due)
    checkNil(machine.timedOut(now: deadline - .nanoseconds(1)))
    check(machine.timedOut(now: deadline)?.summary, "close, outOfOrder")
    checkNil(machine.timedOut(now: deadline))
    check(machine.readAll(), " fail outOfOrder")
  }

  @Test func aFilledGapGivesTheNextOneItsOwnTime() throws {
    var machine = ChunkReceiverMachine(streamId: "s")
    _ = machine.receive(1, "b")
    _ = machine.receive(3, "d")
    let later = start + .seconds(20)
    _ = machine.receive(0, "a", at: later)
    check(machine.deadline, later + BytestreamLimits.missingChunk)
  }

  @Test func aSenderThatClosesInTheMiddleIsAnError() {
    var machine = ChunkReceiverMachine(streamId: "s")
    _ = machine.receive(0, "a")
    check(machine.peerClosed()?.summary, "closedEarly")
    check(machine.readAll(), " fail closedEarly")
  }

  // MARK: Every state, every end

  enum Start: CaseIterable { case idle, waiting, holding, gap, draining, ended, failed }

  static func machine(_ state: Start) -> ChunkReceiverMachine {
    var machine = ChunkReceiverMachine(streamId: "s")
    switch state {
    case .idle: break
    case .waiting: _ = machine.read()
    case .holding: _ = machine.receive(0, "a")
    case .gap: _ = machine.receive(1, "b")
    case .draining: _ = machine.receive(0, "a", last: true)
    case .ended: _ = machine.receive(0, "", last: true)
    case .failed: _ = machine.failed(Broken())
    }
    return machine
  }

  @Test(arguments: Start.allCases, 0..<4) func everyEndTellsTheReaderExactlyOnce(state: Start, way: Int) {
    var machine = Self.machine(state)
    var told = 0
    for _ in 0..<2 {
      let end =
        switch way {
        case 0: machine.failed(Broken())
        case 1: machine.cancel()
        case 2: machine.refused(StanzaError(.badRequest))
        default: machine.peerClosed()
        }
      told += end?.resumesReader == true ? 1 : 0
    }
    #expect(told == (state == .waiting ? 1 : 0))
    checkNil(machine.deadline)
    check(machine.receive(0, "late"), "none")
    check(machine.readAll().hasSuffix("wait"), false)
  }

  @Test func whatIsCompleteMayBeReadThoughTheStreamIsGone() {
    var machine = Self.machine(.draining)
    checkNil(machine.failed(Broken()))
    checkNil(machine.peerClosed())
    check(machine.readAll(), "a end")
  }

  private func permutations(_ items: [Int]) -> [[Int]] {
    guard let first = items.first else { return [[]] }
    return permutations(Array(items.dropFirst())).flatMap { rest in
      (0...rest.count).map { Array(rest[..<$0]) + [first] + Array(rest[$0...]) }
    }
  }
}

@Suite struct ParkingTests {
  @Test func whatIsParkedIsClaimedInOrderAndOnce() {
    var earlyOpens = EarlyOpens<Int>(capacity: 10, bytes: 100, lifetime: .seconds(5))
    #expect(earlyOpens.deadline == nil)
    for value in 0..<3 { check(earlyOpens.hold(value, of: value == 1 ? "b" : "a", now: start), true) }
    #expect(earlyOpens.claim("a") == [0, 2])
    #expect(earlyOpens.claim("a") == [])
    #expect(earlyOpens.claim("b") == [1])
    #expect(earlyOpens.deadline == nil)
  }

  @Test func roomIsBoundedByNumberAndBytesAndComesBack() {
    var earlyOpens = EarlyOpens<Int>(capacity: 2, bytes: 100, lifetime: .seconds(5))
    check(earlyOpens.hold(0, of: "a", bytes: 60, now: start), true)
    check(earlyOpens.hold(1, of: "b", bytes: 41, now: start), false)
    check(earlyOpens.hold(2, of: "b", bytes: 40, now: start), true)
    check(earlyOpens.hold(3, of: "c", now: start), false)
    #expect(earlyOpens.claim("a") == [0])
    check(earlyOpens.hold(4, of: "c", bytes: 60, now: start), true)
  }

  @Test func whatNobodyClaimsComesBackToBeRefused() {
    var earlyOpens = EarlyOpens<Int>(capacity: 10, bytes: 100, lifetime: .seconds(5))
    _ = earlyOpens.hold(0, of: "a", bytes: 100, now: start)
    _ = earlyOpens.hold(1, of: "b", now: start + .seconds(1))
    #expect(earlyOpens.deadline == start + .seconds(5))
    #expect(earlyOpens.expire(now: start + .seconds(4)).isEmpty)
    let expired = earlyOpens.expire(now: start + .seconds(5))
    #expect(expired.map(\.transfer) == ["a"])
    #expect(expired.map(\.value) == [0])
    #expect(earlyOpens.deadline == start + .seconds(6))
    check(earlyOpens.hold(2, of: "a", bytes: 100, now: start), true)
  }
}
