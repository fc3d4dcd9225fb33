import NIOCore
import Testing
import XML

@Suite struct XMLStopTests {
  struct Refusal: Error {}

  @Test func whatIsBehindTheEventIsNotRead() throws {
    let reader = XMLReader(limits: .established)
    var events: [XMLEvent] = []
    try reader.feed(ByteBuffer(string: "<s><a/><proceed/>\u{16}\u{3}")) {
      events.append($0)
      if events.count == 3 { reader.stop() }
    }
    #expect(events.last == .element(Element("proceed", namespace: "")))
    #expect(reader.unread == 2)
  }

  @Test func nothingIsUnreadWhereTheEventCameLast() throws {
    let reader = XMLReader(limits: .established)
    try reader.feed(ByteBuffer(string: "<s><proceed/>")) { if case .element = $0 { reader.stop() } }
    #expect(reader.unread == 0)
  }

  @Test func aStoppedReaderGoesOnWithWhatItIsGiven() throws {
    let reader = XMLReader(limits: .established)
    var events: [XMLEvent] = []
    try reader.feed(ByteBuffer(string: "<s><a/><b/>")) {
      events.append($0)
      reader.stop()
    }
    #expect(events.count == 1)
    #expect(reader.unread == 8)
    try reader.feed(ByteBuffer(string: "<a/><b/>")) { events.append($0) }
    #expect(events.count == 3)
  }

  @Test func theStopHoldsForTheEndOfAnEmptyRoot() throws {
    let reader = XMLReader(limits: .established)
    var events: [XMLEvent] = []
    try reader.feed(ByteBuffer(string: "<s/>")) {
      events.append($0)
      reader.stop()
    }
    #expect(events == [.opened(Element("s", namespace: ""))])
  }

  @Test func errorsOfTheReceiverComeOut() throws {
    let reader = XMLReader(limits: .established)
    #expect(throws: Refusal.self) {
      try reader.feed(ByteBuffer(string: "<s><a/>")) { _ in throw Refusal() }
    }
    #expect(reader.unread == 4)
  }

  @Test func whatFollowsTheEndIsUnread() throws {
    let reader = XMLReader(limits: .established)
    var events: [XMLEvent] = []
    try reader.feed(ByteBuffer(string: "<s></s><s>")) { events.append($0) }
    try reader.feed(ByteBuffer(string: "<<<")) { events.append($0) }
    #expect(events.count == 2)
    #expect(reader.unread == 3)
  }
}
