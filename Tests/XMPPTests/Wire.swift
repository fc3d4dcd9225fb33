import NIOCore
import Testing
import XML
import XMPP

let juliet = JID("juliet@pronto")!
let nurse = JID("nurse@pronto")!
let romeo = JID("romeo@forza")!
/// As if it were the digest of the peer's key.
let romeosKey = [UInt8](repeating: 7, count: 32)

/// What the node `pronto` offers; it is a Hearth node.
let offered = StreamFeatures(
  info: DiscoInfo(
    identities: [.init(category: "client", type: "pc", name: "Hearth")],
    features: [Namespace.discoInfo, Namespace.http, Namespace.hearth], node: "urn:hearth#ver"),
  limits: StreamLimits(maxBytes: 262144, idleSeconds: 120))

/// One end of a stream, with a script in the place of the peer: bytes go through a reader into the machine. TLS is a step
/// without bytes, that the test takes by `secure`.
final class Wire {
  private var machine: StreamMachine
  private lazy var reader = XMLReader(limits: .negotiating)
  private(set) var actions: [StreamAction] = []
  private var hasFailed = false
  private(set) var isSecuring = false
  var now = NIODeadline.uptimeNanoseconds(1_000_000_000)

  init(_ role: StreamMachine.Role, tls: TLSPolicy = .none) {
    let configuration = StreamConfiguration(
      node: juliet, isLocal: { [juliet, nurse].contains($0) }, features: { _ in offered }, streamID: { "id1" },
      steps: NegotiationStep.link(tls: tls))
    machine = StreamMachine(role: role, configuration: configuration)
  }

  static func responder(tls: TLSPolicy = .none) -> Wire {
    let wire = Wire(.responder, tls: tls)
    wire.connect()
    return wire
  }

  static func initiator(tls: TLSPolicy = .none) -> Wire {
    let wire = Wire(.initiator(local: juliet, remote: romeo), tls: tls)
    wire.connect()
    return wire
  }

  func connect() { perform(machine.connected(now: now)) }

  private func perform(_ found: [StreamAction]) {
    for action in found {
      switch action {
      case .write: #expect(!isSecuring, "nothing is written in the middle of a handshake")
      case .startTLS, .restart:
        reader.stop()
        reader = XMLReader(limits: .negotiating)
        isSecuring = action == .startTLS
      case .closed: isSecuring = false
      case .opened, .features, .stanza, .deadline, .disconnect: break
      }
    }
    actions += found
    if machine.takesStanzas { reader.limits = .established }
  }

  /// The peer's bytes, in one piece or byte by byte.
  func feed(_ text: String, piece: Int = .max) {
    var bytes = ByteBuffer(string: text)
    while !hasFailed, let part = bytes.readSlice(length: min(piece, bytes.readableBytes)), part.readableBytes > 0 {
      if isSecuring { failTLS("not a TLS record") }
      do {
        try reader.feed(part) { perform(machine.received($0, unread: reader.unread, now: now)) }
      } catch let error as XMLError {
        hasFailed = true
        perform(machine.failed(error))
      } catch {
        Issue.record(error)
      }
    }
  }

  /// - Parameter key: nil for a client that shows none.
  func secure(_ key: [UInt8]? = romeosKey) {
    isSecuring = false
    perform(machine.secured(key: key))
  }

  func failTLS(_ reason: String) {
    perform(machine.tlsFailed(reason))
  }

  func fail(_ error: XMLError) { perform(machine.failed(error)) }
  func receive(_ event: XMLEvent, unread: Int = 0) { perform(machine.received(event, unread: unread, now: now)) }
  func endInput() { perform(machine.inputEnded()) }
  func shut() { perform(machine.shut()) }
  func close(_ error: StreamError? = nil) { perform(machine.close(error, now: now)) }
  func send(_ stanza: Stanza) -> StreamSendAction { machine.send(stanza) }
  var isOpen: Bool { machine.isOpen }

  func wait(_ time: TimeAmount) {
    now = now + time
    perform(machine.timedOut(now: now))
  }
}

/// What the machine asked for, by kind.
extension Wire {
  var written: String {
    actions.map { if case .write(let bytes) = $0 { String(buffer: bytes) } else { "" } }.joined()
  }
  var peers: [StreamAttributes] { actions.compactMap { if case .opened(let peer) = $0 { peer } else { nil } } }
  var stanzas: [Stanza] { actions.compactMap { if case .stanza(let stanza) = $0 { stanza } else { nil } } }
  var features: [StreamFeatures] { actions.compactMap { if case .features(let found) = $0 { found } else { nil } } }
  var ends: [StreamEnd] { actions.compactMap { if case .closed(let end) = $0 { end } else { nil } } }
  var deadlines: [NIODeadline?] {
    actions.compactMap { if case .deadline(let deadline) = $0 { .some(deadline) } else { nil } }
  }
  var disconnects: Int { actions.count { $0 == .disconnect } }

  /// What holds for every stream that is over.
  func expectOver(_ location: SourceLocation = #_sourceLocation) {
    #expect(ends.count == 1, sourceLocation: location)
    #expect(actions.last == ends.first.map(StreamAction.closed), "closed comes last", sourceLocation: location)
    #expect(disconnects <= 1, sourceLocation: location)
    #expect(deadlines.isEmpty || deadlines.last == .some(nil), "no timer is left", sourceLocation: location)
    #expect(peers.count <= 1, sourceLocation: location)
    #expect(actions.count { $0 == .startTLS } <= 1, sourceLocation: location)
    #expect(actions.count { $0 == .restart } <= 1, sourceLocation: location)
    let opened = actions.firstIndex { if case .opened = $0 { true } else { false } } ?? .max
    let used = actions.firstIndex {
      switch $0 {
      case .stanza, .features: true
      case .write, .startTLS, .restart, .opened, .deadline, .disconnect, .closed: false
      }
    }
    #expect(used ?? .max >= opened, "nothing is told before it is open", sourceLocation: location)
  }
}

/// Headers as peers write them, by the names that their clients go by.
enum Header {
  static let streams = "xmlns:stream='http://etherx.jabber.org/streams'"
  static let pidgin =
    "<?xml version=\"1.0\" encoding=\"UTF-8\" ?>\n<stream:stream xmlns=\"jabber:client\" \(streams) "
    + "from=\"romeo@forza\" to=\"juliet@pronto\">"
  static let gajim =
    "<?xml version='1.0'?><stream:stream xmlns=\"jabber:client\" version=\"1.0\" \(streams) "
    + "from=\"romeo@forza\" to=\"juliet@pronto\">"
  static let adium =
    "<?xml version=\"1.0\" encoding=\"UTF-8\" ?><stream:stream to=\"127.0.0.1\" from=\"romeo@forza\" "
    + "xmlns=\"jabber:client\" \(streams)>"
  static let kopete =
    "<?xml version='1.0' encoding='UTF-8' ?>\n<stream:stream xmlns=\"jabber:client\" \(streams) "
    + "from=\"romeo@forza\" to=\"juliet@pronto\" >"
  static let kopeteNameless =
    "<?xml version='1.0' encoding='UTF-8' ?>\n<stream:stream xmlns=\"jabber:client\" \(streams)>"
  static let salut =
    "<stream:stream xmlns='jabber:client' \(streams) to='juliet@pronto' from='romeo@forza' version='1.0'>"
  static let salutResponse = "<stream:stream xmlns='jabber:client' \(streams) to='juliet@pronto' version='1.0'>"
  static let gloox =
    "<?xml version='1.0' encoding='UTF-8'?><stream:stream xmlns='jabber:client' \(streams) "
    + "to='juliet@pronto' from='romeo@forza' version='1.0'>"
  static let jitsi =
    "<?xml version=\"1.0\" encoding=\"UTF-8\" ?><stream:stream xmlns=\"jabber:client\" \(streams)>"
  static let jitsiBroken =
    "<stream:streamxmlns='jabber:client'xmlns:stream='http://etherx.jabber.org/streams'"
    + "from='romeo@forza'to='juliet@pronto'version='1.0'>\n"
  static let kaa =
    "<?xml version=\"1.0\"?>\n            <stream:stream from=\"romeo@forza\" to=\"juliet@pronto\" "
    + "xmlns=\"jabber:client\"\n                \(streams)\n version=\"1.0\">"
  static let kaaResponse =
    "<?xml version=\"1.0\"?>\n            <stream:stream id=\"streamid\" from=\"romeo@forza\" "
    + "xmlns=\"jabber:client\"\n                \(streams)\n version=\"1.0\">"
  static let libschnee =
    "<?xml version='1.0' encoding='utf-8'?><stream:stream xmlns='jabber:client' \(streams) "
    + "from='romeo@forza' to='juliet@pronto'  version='1.0'>"
  static let smack =
    "<stream:stream to=\"juliet@pronto\" from=\"romeo@forza\" xmlns=\"jabber:client\" \(streams) version=\"1.0\">"
  static let iChat = "<stream:stream xmlns='jabber:client' \(streams)>"

  static func with(to: String = "juliet@pronto", version: String?) -> String {
    "<stream:stream xmlns='jabber:client' \(streams) to='\(to)' from='romeo@forza'"
      + (version.map { " version='\($0)'>" } ?? ">")
  }
}

/// What peers say of TLS and SASL.
enum Say {
  static let startTLS = "<starttls xmlns='\(Namespace.tls)'/>"
  static let proceed = "<proceed xmlns='\(Namespace.tls)'/>"
  static let tlsFailure = "<failure xmlns='\(Namespace.tls)'/>"
  static let offersTLS = features(startTLS)
  static let requiresTLS = features("<starttls xmlns='\(Namespace.tls)'><required/></starttls>")
  static let offersExternal = features(mechanisms("EXTERNAL"))
  static let success = "<success xmlns='\(Namespace.sasl)'/>"
  static let message = "<message><body>hi</body></message>"

  static func features(_ inner: String) -> String { "<stream:features>\(inner)</stream:features>" }

  static func mechanisms(_ names: String...) -> String {
    "<mechanisms xmlns='\(Namespace.sasl)'>\(names.map { "<mechanism>\($0)</mechanism>" }.joined())</mechanisms>"
  }

  static func auth(_ response: String, mechanism: String = "EXTERNAL") -> String {
    "<auth xmlns='\(Namespace.sasl)' mechanism='\(mechanism)'>\(response)</auth>"
  }

  static func saslFailure(_ condition: String) -> String {
    "<failure xmlns='\(Namespace.sasl)'><\(condition)/></failure>"
  }
}
