import NIOCore
import Testing
import XML
import XMPP

let juliet = JID("juliet@pronto")!
let nurse = JID("nurse@pronto")!
let romeo = JID("romeo@forza")!

/// What the node `pronto` offers; it is a Hearth node.
let offered = StreamFeatures(
  info: DiscoInfo(
    identities: [.init(category: "client", type: "pc", name: "Hearth")],
    features: [Namespace.discoInfo, Namespace.http, Namespace.hearth], node: "urn:hearth#ver"),
  limits: StreamLimits(maxBytes: 262144, idleSeconds: 120))

/// One end of a stream, with a script in the place of the peer: bytes go through a reader into the machine.
final class Wire {
  private var machine: StreamMachine
  private lazy var reader = XMLReader(limits: .negotiating)
  private(set) var actions: [StreamAction] = []
  private var hasFailed = false
  var now = NIODeadline.uptimeNanoseconds(1_000_000_000)

  init(_ role: StreamMachine.Role) {
    let configuration = StreamConfiguration(
      node: juliet, isLocal: { [juliet, nurse].contains($0) }, features: { _ in offered }, streamID: { "id1" })
    machine = StreamMachine(role: role, configuration: configuration)
  }

  static func responder() -> Wire {
    let wire = Wire(.responder)
    wire.connect()
    return wire
  }

  static func initiator() -> Wire {
    let wire = Wire(.initiator(local: juliet, remote: romeo))
    wire.connect()
    return wire
  }

  func connect() { actions += machine.connected(now: now) }

  /// The peer's bytes, in one piece or byte by byte.
  func feed(_ text: String, piece: Int = .max) {
    var bytes = ByteBuffer(string: text)
    while !hasFailed, let part = bytes.readSlice(length: min(piece, bytes.readableBytes)), part.readableBytes > 0 {
      do {
        try reader.feed(part) { event in
          let found = machine.received(event)
          if found.contains(where: { if case .opened = $0 { true } else { false } }) { reader.limits = .established }
          actions += found
        }
      } catch let error as XMLError {
        hasFailed = true
        actions += machine.failed(error)
      } catch {
        Issue.record(error)
      }
    }
  }

  func fail(_ error: XMLError) { actions += machine.failed(error) }
  func receive(_ event: XMLEvent) { actions += machine.received(event) }
  func endInput() { actions += machine.inputEnded() }
  func shut() { actions += machine.shut() }
  func close(_ error: StreamError? = nil) { actions += machine.close(error, now: now) }
  func send(_ stanza: Stanza) -> StreamSendAction { machine.send(stanza) }
  var isOpen: Bool { machine.isOpen }

  func wait(_ time: TimeAmount) {
    now = now + time
    actions += machine.timedOut(now: now)
  }
}

/// What the machine asked for, by kind.
extension Wire {
  var written: String {
    actions.map { if case .write(let bytes) = $0 { String(buffer: bytes) } else { "" } }.joined()
  }
  var peers: [Peer] { actions.compactMap { if case .opened(let peer) = $0 { peer } else { nil } } }
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
    let opened = actions.firstIndex { if case .opened = $0 { true } else { false } } ?? .max
    let used = actions.firstIndex {
      switch $0 {
      case .stanza, .features: true
      case .write, .opened, .deadline, .disconnect, .closed: false
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
