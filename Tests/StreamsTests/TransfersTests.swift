import Bytestreams
import NIOCore
import NIOEmbedded
import Testing
import XML
import XMPP

@testable import Streams

/// The bodies of a stream as one table, without a stream.
@Suite(.timeLimit(.minutes(2))) struct TransfersTests {
  private let loop = EmbeddedEventLoop()
  private let ibb = TransferID(.ibb, "a")
  private let chunks = TransferID(.chunks, "a")

  /// `#expect` takes no calls that mutate.
  private func check<Value: Equatable>(
    _ value: Value, _ wanted: Value, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(value == wanted, sourceLocation: sourceLocation)
  }

  private func block(_ seq: UInt16, _ text: String) -> IBBBlock {
    IBBBlock(sid: "a", seq: seq, bytes: ByteBuffer(string: text))
  }

  private func chunk(_ nr: UInt64, _ text: String, isLast: Bool = false) -> Chunk {
    Chunk(streamId: "a", nr: nr, isLast: isLast, bytes: ByteBuffer(string: text))
  }

  @Test func unreadBytesAreASum() throws {
    var transfers = Transfers(on: loop)
    _ = try transfers.expect(ibb, length: nil)
    _ = try transfers.expect(chunks, length: nil)
    _ = transfers.received(IBBOpen(sid: "a", blockSize: 4096), iq: "o", mayBeEarly: false)
    _ = transfers.received(block(0, "12345"), iq: "b")
    _ = transfers.received(chunk(0, "123"))
    #expect(transfers.unreadBytes == 8 + 1 + 2 * BytestreamLimits.partOverhead && transfers.incomingCount == 2)
    _ = transfers.cancelReading(ibb)
    #expect(transfers.unreadBytes == 3 + BytestreamLimits.partOverhead)
    transfers.fail(.timedOut)
    _ = transfers.cancelReading(chunks)
    #expect(transfers.unreadBytes == 0 && transfers.isEmpty)
  }

  /// A producer that runs elsewhere waits a turn of the loop after it has written, and the peer may have answered by then.
  @Test(.timeLimit(.minutes(1))) func roomThatCameBeforeItIsWaitedFor() async throws {
    var transfers = Transfers(on: loop)
    let taken = Result<Stanza, StreamFailure>.success(Stanza(.iq, type: "result", id: "1"))
    _ = transfers.start(ibb, blockSize: 1000, offer: nil)
    _ = transfers.answered(ibb, taken)
    let (effects, mustWait) = try transfers.write(ByteBuffer(repeating: 1, count: 20_000), to: ibb)
    #expect(mustWait)
    var unanswered = effects.count
    while unanswered > 0 { unanswered += transfers.answered(ibb, taken).count - 1 }
    try await withCheckedThrowingContinuation { transfers.waitForRoom(ibb, $0) }
    transfers.fail(.timedOut)
  }

  @Test func whatIsPublishedIsAskedForAndHasAnotherNameThen() throws {
    var transfers = Transfers(on: loop)
    let id = TransferID(.sipub, "p")
    let effects = try transfers.expect(id, length: nil)
    guard case .ask("get", SIPub.start("p"))? = effects.first?.effect else {
      Issue.record("\(effects)")
      return
    }
    #expect(throws: StanzaError.self) { _ = try transfers.expect(id, length: nil) }
    _ = transfers.answered(id, .success(Stanza(.iq, type: "result", id: "1", [SIPub.starting("a")])))
    #expect(throws: StanzaError.self) { _ = try transfers.expect(id, length: nil) }
    #expect(throws: StanzaError.self) { _ = try transfers.expect(ibb, length: nil) }
    let other = transfers.received(SIOffer(id: "b", file: SIFile(name: "n")), iq: "2")
    let offer = transfers.received(SIOffer(id: "a", file: SIFile(name: "n")), iq: "3")
    #expect(other == nil && offer?.count == 1)
    #expect(transfers.received(IBBOpen(sid: "a", blockSize: 4096), iq: "o", mayBeEarly: false).count == 1)
    _ = transfers.received(block(0, "12345"), iq: "b")
    #expect(transfers.unreadBytes > 5 && transfers.incomingCount == 1)
    let late = transfers.received(SIOffer(id: "a", file: SIFile(name: "n")), iq: "4")
    #expect(late == nil)
    _ = transfers.cancelReading(id)
    #expect(transfers.isEmpty && transfers.unreadBytes == 0 && transfers.incomingCount == 0)
    check(try transfers.expect(id, length: nil).count, 1)
  }

  @Test func eachStepOfWhatIsPublishedHasItsTime() throws {
    for steps in 0...2 {
      var transfers = Transfers(on: loop)
      let id = TransferID(.sipub, "p")
      _ = try transfers.expect(id, length: nil)
      loop.advanceTime(by: .seconds(29))
      if steps > 0 {
        _ = transfers.answered(id, .success(Stanza(.iq, type: "result", id: "1", [SIPub.starting("a")])))
        loop.advanceTime(by: .seconds(29))
      }
      if steps > 1 {
        _ = transfers.received(SIOffer(id: "a", file: SIFile(name: "n")), iq: "3")
        loop.advanceTime(by: .seconds(29))
      }
      _ = transfers.expire(now: loop.now)
      check(transfers.nextDeadline() != nil, true)
      loop.advanceTime(by: .seconds(1))
      _ = transfers.expire(now: loop.now)
      check(transfers.nextDeadline(), nil)
      // Too late.
      let effects = transfers.received(IBBOpen(sid: "a", blockSize: 4096), iq: "o", mayBeEarly: false)
      guard case .error? = effects.first?.effect else {
        Issue.record("\(effects)")
        continue
      }
      _ = transfers.cancelReading(id)
      #expect(transfers.isEmpty)
    }
  }

  /// XEP-0047 §1: a session has both directions, and each ends by itself.
  @Test func oneNameMayHaveBothDirections() throws {
    var transfers = Transfers(on: loop)
    _ = try transfers.expect(ibb, length: nil)
    _ = transfers.start(ibb, blockSize: 4096)
    #expect(transfers.incomingCount == 1 && transfers.outgoingCount == 1 && transfers.isSending(ibb))
    _ = transfers.cancelReading(ibb)
    #expect(transfers.incomingCount == 0 && transfers.isSending(ibb))
    let (first, second) = (transfers.cancelWriting(ibb), transfers.cancelWriting(ibb))
    #expect(first != nil && second == nil)
    #expect(transfers.isEmpty)
  }

  @Test func aNameIsUsedOnceADirection() throws {
    var transfers = Transfers(on: loop)
    _ = try transfers.expect(ibb, length: nil)
    do throws(StanzaError) {
      _ = try transfers.expect(ibb, length: nil)
      Issue.record("taken twice")
    } catch {
      #expect(error == StanzaError(.conflict, "“a” is under way already."))
    }
    _ = transfers.cancelReading(ibb)
  }

  /// However many are opened at once, the socket is given what it takes, each transfer in turn.
  @Test func whatTheSocketDoesNotTakeWaitsForItsTurn() throws {
    var transfers = Transfers(on: loop)
    let ids = (0..<4).map { TransferID(.ibb, "t\($0)") }
    for id in ids {
      _ = transfers.start(id, blockSize: 4096)
      _ = try transfers.write(ByteBuffer(string: id.name), to: id)
    }
    let accepted = Stanza(.iq, type: "result", id: "o")
    func blocks(_ effects: [Transfers.Effect]?) -> [String]? {
      effects?.compactMap { if case .block(let block) = $0.effect { block.sid } else { nil } }
    }
    check(blocks(transfers.answered(ids[0], .success(accepted))), ["t0"])
    transfers.isWritable = false
    for id in ids.dropFirst() { check(blocks(transfers.answered(id, .success(accepted))), []) }
    _ = transfers.cancelWriting(ids[2])
    transfers.isWritable = true
    check(blocks(transfers.resume()), ["t1"])
    check(blocks(transfers.resume()), ["t3"])
    check(blocks(transfers.resume()), nil)
    transfers.fail(.timedOut)
    #expect(transfers.isEmpty)
  }

  /// 50 ms to each answer: three bodies have grown windows, and seventeen more come.
  @Test func windowsThatGrowHaveABoundTogether() throws {
    var transfers = Transfers(on: loop)
    transfers.windows.limit = Limits.windows
    let part = ByteBuffer(repeating: 0, count: BytestreamLimits.blockSize)
    let ids = (0..<20).map { TransferID(.ibb, "t\($0)") }
    var inFlight: [TransferID: Int] = [:]
    func left(_ effects: [Transfers.Effect]) {
      for case .block in effects.map(\.effect) { inFlight[effects[0].transfer, default: 0] += 1 }
    }
    func start(_ ids: some Sequence<TransferID>) {
      for id in ids { _ = transfers.start(id, blockSize: BytestreamLimits.blockSize) }
      loop.advanceTime(by: .milliseconds(50))
      for id in ids { left(transfers.answered(id, .success(Stanza(.iq, type: "result", id: "o")))) }
    }
    /// What is written until there is no room, and the answers to all of it.
    func roundTrip(_ ids: some Sequence<TransferID>) throws {
      for id in ids {
        while true {
          let (effects, mustWait) = try transfers.write(part, to: id)
          left(effects)
          if mustWait { break }
        }
      }
      loop.advanceTime(by: .milliseconds(50))
      for id in ids {
        for _ in 0..<(inFlight[id] ?? 0) {
          inFlight[id]? -= 1
          left(transfers.answered(id, .success(Stanza(.iq, type: "result", id: "b"))))
        }
      }
    }
    start(ids[..<3])
    for _ in 0..<8 { try roundTrip(ids[..<3]) }
    #expect(transfers.windows.bytes > Limits.windows / 2 && transfers.windows.bytes <= Limits.windows)
    start(ids[3...])
    for round in 0..<8 {
      try roundTrip(ids)
      guard round > 1 else { continue }
      let bytes = inFlight.values.reduce(0, +) * BytestreamLimits.blockSize
      #expect(bytes <= Limits.windows && transfers.windows.bytes <= Limits.windows)
    }
    for id in ids { _ = transfers.cancelWriting(id) }
    #expect(transfers.windows.bytes == 0 && transfers.isEmpty)
  }

  // MARK: Reading

  /// Chunks come faster than they are read: the stream waits until the reader has taken enough, or has had its time.
  @Test func aRowThatComesTooFastPausesReading() {
    var pause = ReadPause()
    let (other, now) = (TransferID(.chunks, "b"), loop.now)
    let (much, little) = (Limits.unreadInPause + 1, Limits.unreadInPause - Limits.pausedBytes)
    pause.changed(chunks, unread: much - 1, now: now)
    check(pause.isPaused, false)
    pause.changed(chunks, unread: much, now: now)
    check(pause.deadline, now + Timeouts.readPause)
    pause.changed(chunks, unread: little + 1, now: now + .milliseconds(1))
    check(pause.isPaused, true)
    pause.changed(chunks, unread: little, now: now + .milliseconds(2))
    check(pause.isPaused, false)
    // One that has had its time is waited for no more, until it has caught up; others are.
    pause.changed(chunks, unread: much, now: now)
    pause.expire(now: now + Timeouts.readPause)
    pause.changed(chunks, unread: much, now: now + Timeouts.readPause)
    check(pause.isPaused, false)
    pause.changed(other, unread: much, now: now + .seconds(1))
    check(pause.deadline, now + .seconds(1) + Timeouts.readPause)
    pause.changed(other, unread: 0, now: now + .seconds(1))
    check(pause.isPaused, false)
    pause.changed(chunks, unread: 0, now: now + .seconds(2))
    pause.changed(chunks, unread: much, now: now + .seconds(3))
    check(pause.isPaused, true)
  }

  @Test func aRowThatIsGonePausesNothing() throws {
    var transfers = Transfers(on: loop)
    _ = try transfers.expect(chunks, length: nil)
    let part = ByteBuffer(repeating: 0, count: Limits.unreadInPause + 1)
    _ = transfers.received(Chunk(streamId: "a", nr: 0, isLast: false, bytes: part))
    #expect(transfers.readPause.isPaused)
    _ = transfers.cancelReading(chunks)
    #expect(!transfers.readPause.isPaused && transfers.isEmpty)
  }

  @Test func anOpenThatCameEarlyIsAnsweredWhenItIsAnnounced() throws {
    var transfers = Transfers(on: loop)
    let open = IBBOpen(sid: "a", blockSize: 4096)
    let early = transfers.received(open, iq: "1", mayBeEarly: true)
    #expect(early.isEmpty && transfers.earlyOpenCount == 1)
    let effects = try transfers.expect(ibb, length: nil)
    #expect(effects.count == 1 && effects.first?.transfer == ibb)
    guard case .result(id: "1")? = effects.first?.effect else {
      Issue.record("the open is not accepted: \(effects)")
      return
    }
    #expect(transfers.earlyOpenCount == 0)
    _ = transfers.cancelReading(ibb)
  }

  /// Where no response is awaited that could announce it, and where its time is over.
  @Test func anOpenThatNobodyAnnouncesIsRefused() {
    var transfers = Transfers(on: loop)
    let open = IBBOpen(sid: "a", blockSize: 4096)
    let refused = transfers.received(open, iq: "1", mayBeEarly: false)
    let held = transfers.received(open, iq: "2", mayBeEarly: true)
    #expect(refused.count == 1 && held.isEmpty)
    check(transfers.nextDeadline(), loop.now + Timeouts.opening)
    check(transfers.expire(now: loop.now + Timeouts.opening).count, 1)
    check(transfers.nextDeadline(), nil)
  }

  @Test func deadlinesAreThoseOfTheTransfersThatAreThere() throws {
    var transfers = Transfers(on: loop)
    _ = try transfers.expect(ibb, length: nil)
    let announced = loop.now + Timeouts.opening
    check(transfers.nextDeadline(), announced)
    _ = transfers.start(chunks, blockSize: 4096)
    _ = try transfers.write(ByteBuffer(string: "x"), to: chunks)
    check(transfers.nextDeadline(), loop.now + BytestreamLimits.chunkHold)
    // What was held back goes out, and has no deadline any more.
    check(transfers.expire(now: loop.now + BytestreamLimits.chunkHold).count, 1)
    check(transfers.nextDeadline(), announced)
    _ = transfers.cancelReading(ibb)
    _ = transfers.cancelWriting(chunks)
    // Only that an `<open/>` may still come for the body that nobody reads.
    check(transfers.nextDeadline(), announced)
    _ = transfers.expire(now: announced)
    check(transfers.nextDeadline(), nil)
  }

  @Test func moreThanMayWaitEndsTheTransferThatSentIt() throws {
    var transfers = Transfers(on: loop)
    let part = ByteBuffer(repeating: 0, count: BytestreamLimits.largestBlockSize)
    let names = (0...Limits.unreadBytes / BytestreamLimits.unreadBytes).map { "\($0)" }
    var refused = 0
    for name in names {
      _ = try transfers.expect(TransferID(.chunks, name), length: nil)
      for nr in 0..<63 where transfers.unreadBytes <= Limits.unreadBytes {
        let effects = transfers.received(Chunk(streamId: name, nr: UInt64(nr), isLast: false, bytes: part)) ?? []
        refused += effects.count
      }
    }
    #expect(transfers.unreadBytes <= Limits.unreadBytes + part.readableBytes)
    for name in names { _ = transfers.cancelReading(TransferID(.chunks, name)) }
    #expect(transfers.isEmpty && transfers.unreadBytes == 0)
    #expect(refused == 1)
  }
}

extension Transfers {
  /// With memory of its own.
  fileprivate init(on eventLoop: any EventLoop) {
    self.init(eventLoop: eventLoop, memory: MemoryAccount(MemoryBudget(limit: MemoryBudget.standardLimit)))
  }
}
