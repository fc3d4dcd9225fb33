import NIOCore
import XML
import XMPP

extension FuzzTarget {
  /// `StreamMachine`, as either side and under every policy, behind a reader: what it asks for keeps the order that it promises,
  /// is bounded by what came, and ends; what it writes can be read.
  ///
  /// Between records, which byte 1E separates, something other than bytes happens: their first byte says what.
  static let stream = FuzzTarget("stream", longest: 8192) { bytes in
    for policy in [TLSPolicy.none, .preferred, .required] {
      for role in [StreamMachine.Role.responder, .initiator(local: juliet, remote: romeo)] {
        var draw = Draw(bytes)
        let conversation = Conversation(role, policy)
        for (index, record) in bytes.records(separatedBy: 0x1E).enumerated() {
          var record = record
          if index > 0, let event = record.first {
            conversation.happen(event)
            record.removeFirst()
          }
          // That any split gives the same is the reader's affair; here it costs most of the time.
          let parts = policy == .preferred ? draw.parts(of: record) : [ByteBuffer(bytes: record)]
          for part in parts { conversation.feed(part) }
        }
        conversation.finish()
      }
    }
  }
}

private let juliet = JID("juliet@pronto")!
private let romeo = JID("romeo@forza")!

/// A stream with the input in the place of its peer, and what has to hold of all it asks for.
private final class Conversation {
  private var machine: StreamMachine
  private let isTLSRequired: Bool
  private var now = NIODeadline.uptimeNanoseconds(1_000_000_000)
  private var deadline: NIODeadline?
  private var reader = XMLReader(limits: .negotiating)
  /// Reads what the machine writes.
  private var peer = XMLReader(limits: .generous)
  private var isReadable = true
  private var isSecuring = false
  private var hasStartedTLS = false
  private var isOpened = false
  private var isDisconnected = false
  private var isClosed = false
  private var received = 0
  private var written = 0

  init(_ role: StreamMachine.Role, _ policy: TLSPolicy) {
    isTLSRequired = policy == .required
    let features = StreamFeatures(
      info: DiscoInfo(
        identities: [.init(category: "client", type: "pc", name: "Hearth")],
        features: [Namespace.discoInfo, Namespace.http, Namespace.hearth], node: "urn:hearth#ver"),
      limits: StreamLimits(maxBytes: 262144, idleSeconds: 120))
    machine = StreamMachine(
      role: role,
      configuration: StreamConfiguration(
        node: juliet, isLocal: { $0 == juliet }, features: { _ in features }, streamID: { "id" },
        steps: NegotiationStep.link(tls: policy)))
    perform(machine.connected(now: now))
  }

  func feed(_ bytes: ByteBuffer) {
    guard isReadable, !isSecuring else { return }
    received += bytes.readableBytes
    do {
      try reader.feed(bytes) { event in
        perform(machine.received(event, unread: reader.unread, now: now))
        if machine.takesStanzas { reader.limits = .established }
      }
    } catch {
      isReadable = false
      perform(machine.failed(error as? XMLError ?? XMLError(.notWellFormed, "\(error)")))
      require(isClosed, "The stream goes on behind what cannot be read")
    }
  }

  func happen(_ event: UInt8) {
    switch event {
    case UInt8(ascii: "k") where isSecuring: secured([UInt8](repeating: 7, count: 32))
    case UInt8(ascii: "n") where isSecuring: secured(nil)
    case UInt8(ascii: "f"): perform(machine.tlsFailed("it was cut"))
    case UInt8(ascii: "c"): perform(machine.close(now: now))
    case UInt8(ascii: "x"): perform(machine.close(StreamError(.policyViolation, "x"), now: now))
    case UInt8(ascii: "t"): pass()
    case UInt8(ascii: "e"): perform(machine.inputEnded())
    case UInt8(ascii: "m"): send()
    default: break
    }
  }

  private func secured(_ key: [UInt8]?) {
    isSecuring = false
    perform(machine.secured(key: key))
  }

  private func pass() {
    now = deadline ?? now + .seconds(1)
    perform(machine.timedOut(now: now))
  }

  private func send() {
    guard case .write(let bytes) = machine.send(.chat("hello & goodbye")) else {
      require(!machine.isOpen, "An open stream takes no stanza")
      return
    }
    require(isOpened && !isClosed, "A stanza may be written where the stream is not open")
    listen(bytes)
  }

  /// Whatever was said, time ends negotiation and goodbyes, and the end of the connection ends the rest.
  func finish() {
    for _ in 0..<4 where deadline != nil { pass() }
    require(deadline == nil, "Time does not end it")
    require(isOpened || isClosed, "It is neither open nor over, and nothing is waited for")
    perform(machine.shut())
    require(isClosed, "It goes on without a connection")
    require(written <= 64 << 10 + 8 * received, "\(received) bytes were answered by \(written)")
  }

  private func perform(_ actions: [StreamAction]) {
    require(actions.count <= 8, "\(actions.count) actions at once")
    for action in actions {
      require(!isClosed, "\(action) behind the end")
      perform(action)
    }
  }

  private func perform(_ action: StreamAction) {
    switch action {
    case .write(let bytes): listen(bytes)
    case .startTLS:
      require(!hasStartedTLS, "TLS starts twice")
      hasStartedTLS = true
      isSecuring = true
      restart()
    case .restart: restart()
    case .opened(let attributes):
      require(!isOpened, "It opens twice")
      require(!isTLSRequired || attributes.key != nil, "It opens without the key that is required")
      isOpened = true
    case .features: require(isOpened, "Features are told before it is open")
    case .stanza(let stanza):
      require(isOpened, "A stanza is told before it is open")
      check(stanza)
    case .deadline(let time): deadline = time
    case .disconnect: isDisconnected = true
    case .closed:
      isClosed = true
      isSecuring = false
      require(deadline == nil, "A deadline is left")
    }
  }

  private func restart() {
    reader.stop()
    reader = XMLReader(limits: .negotiating)
    peer = XMLReader(limits: .generous)
  }

  private func listen(_ bytes: ByteBuffer) {
    require(!isSecuring, "Something is written into the handshake")
    require(!isDisconnected, "Something is written behind the last words")
    written += bytes.readableBytes
    do {
      try peer.feed(bytes) { _ in }
    } catch {
      fatalError("What it writes cannot be read: \(error): \(String(buffer: bytes))")
    }
  }

  /// Its answer is read as it was written.
  private func check(_ stanza: Stanza) {
    let answer = stanza.error(stanza.violation ?? StanzaError(.badRequest))
    var written = ByteBuffer()
    written.write(answer.element)
    requireEqual(Stanza(read(written)), answer, "A stanza is read as another one")
  }
}
