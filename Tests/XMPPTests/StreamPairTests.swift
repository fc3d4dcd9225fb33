import NIOCore
import Testing
import XML
import XMPP

/// Both ends of one connection in memory: what one writes, the other reads. TLS takes no bytes: it is done once both
/// sides have started it.
@Suite struct StreamPairTests {
  struct Pair {
    let initiator: Wire
    let responder: Wire
    /// How much of what the initiator wrote has been read, and of the responder's.
    private var read = [0, 0]
    /// How many bytes a side reads at a time.
    let piece: Int

    init(_ dialling: TLSPolicy, _ answering: TLSPolicy, piece: Int) {
      initiator = Wire(.initiator(local: juliet, remote: romeo), tls: dialling)
      responder = Wire(.responder, tls: answering)
      self.piece = piece
      responder.connect()
      initiator.connect()
    }

    /// Until nobody has anything to say.
    mutating func run() {
      while pass(from: initiator, to: responder, 0) || pass(from: responder, to: initiator, 1) || secure() {}
    }

    private mutating func pass(from writer: Wire, to reader: Wire, _ side: Int) -> Bool {
      let written = writer.written
      let new = String(written.dropFirst(read[side]))
      read[side] = written.count
      guard !new.isEmpty else { return false }
      reader.feed(new, piece: piece)
      return true
    }

    private func secure() -> Bool {
      guard initiator.isSecuring, responder.isSecuring else { return false }
      responder.secure([1])
      initiator.secure([2])
      return true
    }
  }

  static let policies: [TLSPolicy] = [.none, .preferred, .required]

  @Test(arguments: policies, policies) func everyPolicyMeetsEvery(dialling: TLSPolicy, answering: TLSPolicy) {
    for piece in [Int.max, 1, 7] {
      var pair = Pair(dialling, answering, piece: piece)
      pair.run()
      let ends = (pair.initiator.ends, pair.responder.ends)
      switch (dialling, answering) {
      case (.required, .none):
        #expect(
          ends == ([.insecure(.notOffered)], [.closedByPeer(StreamError(.policyViolation, "\(Insecurity.notOffered)"))])
        )
      case (.none, .required):
        #expect(ends.1 == [.insecure(.declined)])
        #expect(ends.0 == [.closedByPeer(StreamError(.policyViolation, "\(Insecurity.declined)"))])
      case (.none, .preferred): expectOpen(pair, initiatorSees: nil, responderSees: nil, untaken: .offered)
      case (.none, .none), (.preferred, .none): expectOpen(pair, initiatorSees: nil, responderSees: nil)
      case (.preferred, _), (.required, _): expectOpen(pair, initiatorSees: [2], responderSees: [1])
      }
    }
  }

  private func expectOpen(
    _ pair: Pair, initiatorSees: [UInt8]?, responderSees: [UInt8]?,
    untaken: StreamFeatures.StartTLS = .none
  ) {
    #expect(
      pair.initiator.peers == [StreamAttributes(remote: romeo, local: juliet, version: .xmpp1, key: initiatorSees)])
    #expect(
      pair.responder.peers == [StreamAttributes(remote: juliet, local: juliet, version: .xmpp1, key: responderSees)])
    #expect(pair.initiator.isOpen && pair.responder.isOpen)
    // Plaintext features that stand still offer what was not taken up.
    #expect(pair.initiator.features == [offered.with(startTLS: untaken)], "each learns of the other once")
    #expect(pair.responder.features == [offered])
    #expect(pair.initiator.actions.contains(.restart) == (initiatorSees != nil))
    #expect(pair.initiator.deadlines.last == .some(nil) && pair.responder.deadlines.last == .some(nil))
  }

  /// Every turn costs a round trip: header, STARTTLS, handshake, header, SASL, header.
  @Test func theResponderSpeaksOnceATurn() {
    var pair = Pair(.required, .preferred, piece: .max)
    pair.run()
    func writes(_ wire: Wire) -> Int { wire.actions.count { if case .write = $0 { true } else { false } } }
    #expect(writes(pair.responder) == 5)
    #expect(writes(pair.initiator) == 6, "its own features come on top, and nobody waits for them")
  }

  @Test func whatIsSentArrives() {
    var pair = Pair(.required, .preferred, piece: 3)
    pair.run()
    guard case .write(let bytes) = pair.initiator.send(.chat("hi")) else {
      Issue.record("not open")
      return
    }
    pair.responder.feed(String(buffer: bytes))
    #expect(pair.responder.stanzas.map(\.body) == ["hi"])
    pair.initiator.close()
    pair.run()
    #expect(pair.initiator.ends == [.closed(nil)])
    #expect(pair.responder.ends == [.closedByPeer(nil)])
  }
}

/// Whatever is said in whatever order, from every point on the way: it ends once, opens once at most, never in plaintext
/// where that is not allowed, and no timer is left.
@Suite struct NegotiationOrderTests {
  static let verbs: [@Sendable (Wire) -> Void] =
    [
      element("starttls", Namespace.tls), element("proceed", Namespace.tls), element("failure", Namespace.tls),
      element("success", Namespace.sasl), element("failure", Namespace.sasl), element("abort", Namespace.sasl),
      element("auth", Namespace.sasl), element("response", Namespace.sasl),
      element("message", Namespace.client), element("unknown", Namespace.client), element("error", Namespace.streams),
      { $0.receive(.element(StreamFeatures(startTLS: .offered).element)) },
      { $0.receive(.element(StreamFeatures(mechanisms: ["EXTERNAL"]).element)) },
      { $0.receive(.element(element("auth", mechanism: "EXTERNAL", "="))) },
      { $0.receive(.element(element("auth", mechanism: "EXTERNAL", "")), unread: 1) },
      { $0.receive(.element(Element("proceed", namespace: Namespace.tls)), unread: 1) },
      { $0.receive(.opened(Element("stream", namespace: Namespace.streams, ["version": "1.0"]))) },
      { $0.receive(.opened(Element("stream", namespace: Namespace.streams))) },
      { $0.receive(.closed) }, { $0.fail(XMLError(.notWellFormed, "")) }, { $0.endInput() }, { $0.secure() },
      { $0.secure(nil) },
      { $0.failTLS("") }, { $0.wait(.seconds(1)) }, { $0.wait(.seconds(10)) }, { $0.close() },
      { $0.close(StreamError(.reset)) }, { $0.shut() }, { $0.connect() },
    ]

  private static func element(_ name: String, _ namespace: String) -> @Sendable (Wire) -> Void {
    { $0.receive(.element(Element(name, namespace: namespace))) }
  }

  private static func element(_ name: String, mechanism: String, _ text: String) -> Element {
    Element(name, namespace: Namespace.sasl, ["mechanism": mechanism], text: text)
  }

  static let initiator: [@Sendable (Wire) -> Void] = [
    { $0.feed(Header.salutResponse) }, { $0.feed(Say.offersTLS) }, { $0.feed(Say.proceed) }, { $0.secure() },
    { $0.feed(Header.salutResponse) }, { $0.feed(Say.offersExternal) }, { $0.feed(Say.success) },
    { $0.feed(Header.salutResponse) }, { $0.close() },
  ]
  static let responder: [@Sendable (Wire) -> Void] = [
    { $0.feed(Header.salut) }, { $0.feed(Say.startTLS) }, { $0.secure() }, { $0.feed(Header.salut) },
    { $0.feed(Say.auth("")) }, { $0.feed("<response xmlns='\(Namespace.sasl)'/>") }, { $0.feed(Header.salut) },
    { $0.close() },
  ]

  @Test(arguments: [TLSPolicy.preferred, .required], [true, false])
  func everyOrderFromEveryPointEndsOnce(tls: TLSPolicy, isInitiator: Bool) {
    let way = isInitiator ? Self.initiator : Self.responder
    for steps in 0...way.count {
      for first in Self.verbs {
        for second in Self.verbs {
          let wire = isInitiator ? Wire.initiator(tls: tls) : Wire.responder(tls: tls)
          for step in way.prefix(steps) { step(wire) }
          first(wire)
          second(wire)
          wire.shut()
          wire.expectOver()
          #expect(tls != .required || wire.peers.allSatisfy { $0.key != nil })
        }
      }
    }
  }
}
