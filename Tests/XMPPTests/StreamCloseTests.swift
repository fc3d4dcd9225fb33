import NIOCore
import Testing
import XML
import XMPP

@Suite struct StreamCloseTests {
  static func open() -> Wire {
    let wire = Wire.responder()
    wire.feed(Header.salut)
    return wire
  }

  @Test func wePartAndThePeerAnswers() {
    let wire = Self.open()
    let before = wire.actions.count
    wire.close()
    #expect(
      Array(wire.actions[before...]) == [
        .write(ByteBuffer(string: "</stream:stream>")), .deadline(wire.now + .seconds(2)),
      ])
    #expect(!wire.isOpen)
    #expect(wire.send(.chat("late")) == .tooLate)
    // What was under way still counts, and nothing is written behind the end tag.
    wire.feed("<message><body>last</body></message><unknown/><stream:features/>")
    #expect(wire.stanzas.map(\.body) == ["last"])
    wire.feed("</stream:stream>")
    #expect(Array(wire.actions.suffix(3)) == [.deadline(nil), .disconnect, .closed(.closed(nil))])
    #expect(wire.written.hasSuffix("</stream:features></stream:stream>"))
    wire.expectOver()
  }

  @Test func wePartAndThePeerIsSilent() {
    let wire = Self.open()
    wire.close()
    wire.wait(.milliseconds(1999))
    #expect(wire.ends.isEmpty)
    wire.wait(.milliseconds(1))
    #expect(wire.ends == [.closed(nil)])
    wire.expectOver()
  }

  @Test func wePartAndThePeerHangsUpOrBreaks() {
    for verb in [{ $0.endInput() }, { $0.shut() }, { $0.feed("<a></b>") }] as [(Wire) -> Void] {
      let wire = Self.open()
      wire.close()
      let before = wire.written
      verb(wire)
      #expect(wire.ends == [.closed(nil)])
      #expect(wire.written == before)
      wire.expectOver()
    }
  }

  @Test func wePartForAnError() {
    let wire = Self.open()
    let error = StreamError(.systemShutdown, "good night")
    wire.close(error)
    wire.close()
    #expect(wire.written.hasSuffix("</stream:error></stream:stream>"))
    wire.feed("</stream:stream>")
    #expect(wire.ends == [.closed(error)])
    wire.expectOver()
  }

  @Test func thePeerParts() {
    let wire = Self.open()
    let before = wire.actions.count
    wire.feed("</stream:stream>")
    #expect(
      Array(wire.actions[before...]) == [
        .write(ByteBuffer(string: "</stream:stream>")), .disconnect, .closed(.closedByPeer(nil)),
      ])
    wire.endInput()
    wire.shut()
    wire.expectOver()
  }

  @Test func thePeerHangsUp() {
    let wire = Self.open()
    wire.endInput()
    #expect(wire.ends == [.hungUp])
    #expect(wire.written.hasSuffix("</stream:stream>"), "its side may be half-closed")
    wire.expectOver()
  }

  @Test func theConnectionBreaks() {
    let wire = Self.open()
    let before = wire.actions.count
    wire.shut()
    #expect(Array(wire.actions[before...]) == [.closed(.lost)])
    wire.expectOver()
  }

  @Test func negotiationHasADeadline() {
    for wire in [Wire.responder(), Wire.initiator()] {
      wire.feed("<?xml version='1.0'?><stream:stream ")
      wire.wait(.milliseconds(9999))
      #expect(wire.ends.isEmpty)
      wire.wait(.milliseconds(1))
      #expect(wire.written.contains("<stream:error><connection-timeout xmlns="))
      #expect(wire.written.hasPrefix("<?xml"))
      #expect(wire.ends == [.timedOut])
      wire.expectOver()
    }
  }

  @Test func anOldTimerDoesNothing() {
    let wire = Self.open()
    wire.wait(.seconds(100))
    #expect(wire.isOpen)
    #expect(wire.ends.isEmpty)
  }

  @Test func aResponderThatHasSaidNothingHasNothingToClose() {
    let wire = Wire.responder()
    wire.close()
    #expect(wire.written.isEmpty)
    #expect(wire.ends == [.closed(nil)])
    wire.expectOver()
  }

  @Test func anInitiatorClosesWhatItOpened() {
    let wire = Wire.initiator()
    wire.close()
    #expect(wire.written.hasSuffix(" version='1.0'></stream:stream>"))
    wire.expectOver()
  }

  static let verbs: [@Sendable (Wire) -> Void] = [
    { $0.connect() },
    { $0.receive(.opened(Element("stream", namespace: Namespace.streams, ["version": "1.0"]))) },
    { $0.receive(.opened(Element("html", namespace: ""))) },
    { $0.receive(.element(Element("message", namespace: Namespace.client))) },
    { $0.receive(.element(Element("unknown", namespace: Namespace.client))) },
    { $0.receive(.element(Element("features", namespace: Namespace.streams))) },
    { $0.receive(.element(Element("error", namespace: Namespace.streams))) },
    { $0.receive(.closed) },
    { $0.fail(XMLError(.notWellFormed, "")) },
    { $0.endInput() },
    { $0.wait(.seconds(10)) },
    { $0.close() },
    { $0.close(StreamError(.reset)) },
    { $0.shut() },
  ]

  /// Whatever happens in whatever order: it ends once, with nothing behind the end, and no timer is left.
  @Test(arguments: [StreamMachine.Role.responder, .initiator(local: juliet, remote: romeo)])
  func everyOrderOfFourEndsOnce(role: StreamMachine.Role) {
    for number in 0..<Self.verbs.count * Self.verbs.count * Self.verbs.count * Self.verbs.count {
      let wire = Wire(role)
      var rest = number
      for _ in 0..<4 {
        Self.verbs[rest % Self.verbs.count](wire)
        rest /= Self.verbs.count
      }
      wire.shut()
      wire.expectOver()
    }
  }
}
