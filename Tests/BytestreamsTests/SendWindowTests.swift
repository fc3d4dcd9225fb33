import Bytestreams
import NIOCore
import Testing
import XMPP

/// A link and the reader behind it, in time that passes when told: all that decides how large a window becomes.
private struct Way: Sendable, CustomTestStringConvertible {
  let name: String
  /// Until the answer to what waits for nobody.
  var roundTrip: TimeAmount
  /// Bytes that the link carries in a second.
  var rate: Int64 = 10_000_000_000
  /// The reader takes a block in this time.
  var reading = TimeAmount.nanoseconds(0)
  /// The reader looks only so often.
  var pause = TimeAmount.nanoseconds(1)
  /// Bytes that all others leave.
  var room = Int.max

  init(
    _ name: String, _ roundTrip: TimeAmount, rate: Int64 = 10_000_000_000, reading: TimeAmount = .nanoseconds(0),
    pause: TimeAmount = .nanoseconds(1), room: Int = .max
  ) {
    (self.name, self.roundTrip, self.rate) = (name, roundTrip, rate)
    (self.reading, self.pause, self.room) = (reading, pause, room)
  }

  var testDescription: String { name }
}

/// Sends without end.
private struct Sender: ~Copyable {
  private var machine = IBBSenderMachine(sid: "s", isOpen: true)
  private var now = NIODeadline.uptimeNanoseconds(1_000_000_000)
  /// When the blocks in flight are answered, in order.
  private var answers: [NIODeadline] = []
  private var linkIsFree = NIODeadline.uptimeNanoseconds(0)
  private var readerIsFree = NIODeadline.uptimeNanoseconds(0)
  private let part = bytes(count: 2 * BytestreamLimits.blockSize)
  private(set) var mostInFlight = 0

  var window: Int { machine.windowBytes / BytestreamLimits.blockSize }

  private mutating func leave(_ blocks: [IBBBlock], _ way: Way) {
    for block in blocks {
      linkIsFree = max(now, linkIsFree) + .nanoseconds(Int64(block.bytes.readableBytes) * 1_000_000_000 / way.rate)
      let there = linkIsFree + .nanoseconds(way.roundTrip.nanoseconds / 2)
      let pause = UInt64(way.pause.nanoseconds)
      let looked = NIODeadline.uptimeNanoseconds((there.uptimeNanoseconds + pause - 1) / pause * pause)
      readerIsFree = max(looked, readerIsFree) + way.reading
      answers.append(readerIsFree + .nanoseconds(way.roundTrip.nanoseconds / 2))
    }
    mostInFlight = max(mostInFlight, answers.count)
  }

  private mutating func write(_ way: Way) {
    while case .send(let blocks, let wait) = machine.write(part, now: now) {
      leave(blocks, way)
      if wait { return }
    }
  }

  /// - Returns: blocks that were answered in this time.
  mutating func run(_ way: Way, for time: TimeAmount) -> Int {
    let end = now + time
    var count = 0
    if answers.isEmpty { write(way) }
    while let next = answers.first, next <= end {
      answers.removeFirst()
      now = max(now, next)
      count += 1
      let path = IBBSenderMachine.Path(roundTrip: way.roundTrip, room: way.room)
      if case .send(let blocks, let resumes) = machine.acknowledged(on: path, now: now) {
        leave(blocks, way)
        if resumes != nil { write(way) }
      }
    }
    return count
  }
}

@Suite struct SendWindowTests {
  /// Where eight are enough, or more would only wait longer.
  @Test(arguments: [
    Way("loopback", .microseconds(100)),
    Way("a gigabit in a house", .milliseconds(3), rate: 117_000_000),
    Way("a slow link", .microseconds(100), rate: 1_000_000),
    Way("a slow link far away", .milliseconds(50), rate: 3_000_000),
    Way("a slow reader", .microseconds(100), reading: .milliseconds(20)),
    Way("a reader that looks now and then", .microseconds(100), pause: .milliseconds(20)),
    Way("a slow reader far away", .milliseconds(50), reading: .milliseconds(40)),
    Way("a reader far away that looks now and then", .milliseconds(50), pause: .milliseconds(400)),
    Way("no room", .milliseconds(50), room: 0),
  ])
  private func staysAsItIs(_ way: Way) {
    var sender = Sender()
    _ = sender.run(way, for: .seconds(10))
    check(sender.mostInFlight, BytestreamLimits.window)
    check(sender.window, BytestreamLimits.window)
  }

  @Test func aLongWayIsFilled() {
    let way = Way("far away", .milliseconds(50))
    var sender = Sender()
    _ = sender.run(way, for: .seconds(2))
    let count = sender.run(way, for: .seconds(1))
    // Eight in 50 ms are 160 in a second.
    #expect(count >= 1600)
    // More than any receiver of ours ever took of one transfer is never in flight.
    check(sender.mostInFlight, BytestreamLimits.unreadBytes / BytestreamLimits.blockSize)
  }

  /// 20 blocks are under way on it: as many more wait before it, no matter how many the receiver would take.
  @Test func aLinkThatIsFullIsNotFilledFurther() {
    let way = Way("a link of 20 blocks", .milliseconds(50), rate: Int64(20 * BytestreamLimits.blockSize) * 20)
    var sender = Sender()
    _ = sender.run(way, for: .seconds(5))
    check(sender.run(way, for: .seconds(1)) >= 395, true)
    check((20...42).contains(sender.mostInFlight), true)
  }

  /// What has grown goes back when the way becomes short, or the reader slow, or others need the room.
  @Test(arguments: [
    Way("nearby", .microseconds(100)), Way("a slow reader", .milliseconds(50), reading: .milliseconds(20)),
    Way("no room", .milliseconds(50), room: 0),
  ])
  private func goesBack(_ later: Way) {
    var sender = Sender()
    _ = sender.run(Way("far away", .milliseconds(50)), for: .seconds(2))
    check(sender.window >= 80, true)
    _ = sender.run(later, for: .seconds(10))
    check(sender.window, BytestreamLimits.window)
  }

  @Test func theRoomThatOthersLeaveIsKeptTo() {
    var sender = Sender()
    _ = sender.run(Way("far", .milliseconds(50), room: 30 * BytestreamLimits.blockSize + 1), for: .seconds(2))
    check(sender.mostInFlight, 30)
  }
}
