import Bytestreams
import NIOCore
import NIOEmbedded
import Testing
import XMPP

@testable import Streams

/// The bodies of a stream as one table, without a stream.
@Suite struct TransfersTests {
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
    var transfers = Transfers(eventLoop: loop)
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

  /// XEP-0047 §1: a session has both directions, and each ends by itself.
  @Test func oneNameMayHaveBothDirections() throws {
    var transfers = Transfers(eventLoop: loop)
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
    var transfers = Transfers(eventLoop: loop)
    _ = try transfers.expect(ibb, length: nil)
    do throws(StanzaError) {
      _ = try transfers.expect(ibb, length: nil)
      Issue.record("taken twice")
    } catch {
      #expect(error == StanzaError(.conflict, "“a” is under way already."))
    }
    _ = transfers.cancelReading(ibb)
  }

  @Test func anOpenThatCameEarlyIsAnsweredWhenItIsAnnounced() throws {
    var transfers = Transfers(eventLoop: loop)
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
    var transfers = Transfers(eventLoop: loop)
    let open = IBBOpen(sid: "a", blockSize: 4096)
    let refused = transfers.received(open, iq: "1", mayBeEarly: false)
    let held = transfers.received(open, iq: "2", mayBeEarly: true)
    #expect(refused.count == 1 && held.isEmpty)
    check(transfers.nextDeadline(), loop.now + Timeouts.opening)
    check(transfers.expire(now: loop.now + Timeouts.opening).count, 1)
    check(transfers.nextDeadline(), nil)
  }

  @Test func deadlinesAreThoseOfTheTransfersThatAreThere() throws {
    var transfers = Transfers(eventLoop: loop)
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
    var transfers = Transfers(eventLoop: loop)
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
