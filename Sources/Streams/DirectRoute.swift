import Bytestreams
import NIOCore
import XMPP

/// One body beside the stream, at either side: what its connection has to do, however it comes about.
class DataRoute {
  let file: SIFile
  /// By which the stream knows the body.
  fileprivate let id: TransferID
  fileprivate let peer: DirectPeer
  /// nil where there is none, or it is over.
  fileprivate var place: DataConnections.Place?
  /// Which the body goes over.
  fileprivate(set) var connection: DataConnection?

  /// What the body's transfer has to do.
  enum Outcome {
    case none
    case connected
    /// There is no connection, and will be none.
    case fallBack
  }

  /// - Parameter isOwn: the body goes to the peer.
  fileprivate init(_ file: SIFile, _ id: TransferID, _ peer: DirectPeer, isOwn: Bool) {
    (self.file, self.id, self.peer) = (file, id, peer)
    place = peer.reserve(isOwn: isOwn)
  }

  /// When it has something to do by itself.
  var deadline: NIODeadline? { nil }

  func expire(now: NIODeadline) -> ([TransferEffect], Outcome) { ([], .none) }

  func connected(_ result: Result<DataConnection, any Error>, isOwn: Bool) -> ([TransferEffect], Outcome) {
    preconditionFailure("each way has its own")
  }

  /// Nothing more comes of it, or of the body: connections are closed at once.
  func end() {
    connection?.close()
    (connection, place) = (nil, nil)
  }

  /// The body has come whole, and the other side is told so.
  func finish() { connection?.finish() }

  /// The same, where the other side has said its last word too.
  func leave() {
    connection?.finish()
    (connection, place) = (nil, nil)
  }

  // MARK: Bytes

  /// Hears of what comes by the connection.
  func start() {
    if let connection { peer.start(connection, for: id) }
  }

  func write(_ bytes: ByteBuffer) {
    if let connection { peer.write(bytes, to: connection, for: id) }
  }
}

/// The way of one body beside the stream, at either side: from its offer in a session to a connection, or to the end of the attempt. The
/// machine inside decides.
final class DirectRoute: DataRoute {
  let session: JingleSession
  private var machine: S5BMachine
  /// The other side's candidates that are its own.
  private var theirs: [ReachableCandidate] = []
  private var destination: String?
  /// Both sides were ready for a connection.
  private var isTried = false
  private var own: DataConnection?
  private var others: DataConnection?

  init(_ session: JingleSession, _ id: TransferID, _ role: S5BMachine.Role, _ peer: DirectPeer) {
    self.session = session
    machine = S5BMachine(role)
    super.init(session.file, id, peer, isOwn: role == .initiator)
    let destination = role == .initiator ? session.direct?.destination : ownTransport.destination
    if let place, let destination { peer.expect(destination, for: id, place) }
  }

  /// Where this side, which did not begin the session, can be reached.
  private var ownTransport: S5BTransport { peer.transport(sid: session.transport.sid, place) }

  /// Accepts the session.
  var accept: TransferEffect { .ask(type: "set", session.accept(at: ownTransport)) }

  override var deadline: NIODeadline? { machine.deadline }

  // MARK: What happens

  /// The other side's candidates are known.
  func begin(_ transport: S5BTransport?, now: NIODeadline) -> ([TransferEffect], Outcome) {
    theirs = peer.reachable(transport?.candidates ?? [])
    destination = transport?.destination
    isTried = place != nil && !(transport?.candidates.isEmpty ?? true)
    let actions = machine.begin(isPossible: !theirs.isEmpty && destination != nil && place != nil, now: now)
    return perform(actions)
  }

  override func connected(_ result: Result<DataConnection, any Error>, isOwn: Bool) -> ([TransferEffect], Outcome) {
    guard case .success(let connection) = result else { return perform(machine.failed()) }
    guard place != nil, !machine.isSettled else {
      // Too late, and where nothing else was found, closed as what was found before: once the other side knows.
      if place != nil, self.connection == nil, others == nil, !isOwn { others = connection } else { connection.close() }
      return ([], .none)
    }
    if isOwn { own = connection } else { others = connection }
    return perform(isOwn ? machine.connected() : machine.reached())
  }

  /// What the other side tells of its own connection.
  func told(_ told: Jingle.Connection) -> ([TransferEffect], Outcome) {
    switch told {
    case .used: perform(machine.otherUsed())
    case .failed: perform(machine.otherFailed())
    }
  }

  override func expire(now: NIODeadline) -> ([TransferEffect], Outcome) { perform(machine.expire(now: now)) }

  /// The other side goes on in-band.
  func replaced() {
    machine.replaced()
    fallBack()
    end()
  }

  override func end() {
    machine.replaced()
    for connection in [own, others] { connection?.close() }
    (own, others) = (nil, nil)
    super.end()
  }

  /// What was found too late stays open until the other side knows: it would take the end for that of the body.
  private func fallBack() { peer.failed(file, wasTried: isTried) }

  private func perform(_ actions: [S5BMachine.Action]) -> ([TransferEffect], Outcome) {
    var effects: [TransferEffect] = []
    var outcome = Outcome.none
    for action in actions {
      switch action {
      case .connect:
        if let destination { peer.connect(to: theirs, destination, for: id) }
      case .stop:
        own?.close()
        own = nil
      case .sendUsed:
        let used = theirs.first { $0.address == own?.remote } ?? theirs.first
        effects.append(.notify(session.connection(.used(candidate: used?.id ?? ""))))
      case .sendError: effects.append(.notify(session.connection(.failed)))
      case .use(let isOwn):
        use(isOwn: isOwn)
        outcome = .connected
      case .fallBack:
        fallBack()
        outcome = .fallBack
      }
    }
    if let deadline = machine.deadline { peer.wake(at: deadline) }
    return (effects, outcome)
  }

  private func use(isOwn: Bool) {
    connection = isOwn ? own : others
    (isOwn ? others : own)?.close()
    (own, others) = (nil, nil)
    peer.went(file, isShared: connection?.isShared ?? false)
  }
}

/// The same in the clear, for what was offered by XEP-0095 (XEP-0065 §5.3): whoever has the body tells where it can be had, and the other
/// side connects, or says that it cannot. Only beside a stream that has no TLS.
final class PlainRoute: DataRoute {
  /// Where it can be had, and the name to ask for it by.
  private let transport: S5BTransport
  /// The IQ that told so, at the side that connects.
  private var iq: String?
  /// What the other side has connected, at the side that has the body; and whether it says so.
  private var reached: DataConnection?
  private var isUsed = false
  private var endsAt: NIODeadline?

  /// At the side that has the body.
  init(_ file: SIFile, sid: String, _ id: TransferID, _ peer: DirectPeer) {
    transport = peer.plainTransport(sid: sid)
    super.init(file, id, peer, isOwn: true)
    if let place, let destination = transport.destination { peer.expect(destination, for: id, place) }
  }

  /// At the side that is told of it.
  init(_ file: SIFile, at transport: S5BTransport, iq: String, _ id: TransferID, _ peer: DirectPeer) {
    (self.transport, self.iq) = (transport, iq)
    super.init(file, id, peer, isOwn: false)
  }

  /// Tells the other side.
  var query: TransferEffect { .ask(type: "set", transport.query) }

  override var deadline: NIODeadline? { endsAt }

  /// Connects.
  func begin() -> ([TransferEffect], Outcome) {
    let theirs = peer.reachable(transport.candidates)
    guard place != nil, !theirs.isEmpty else { return fail() }
    peer.connect(to: theirs, transport.destination ?? peer.destination(sid: transport.sid), for: id)
    return ([], .none)
  }

  override func connected(_ result: Result<DataConnection, any Error>, isOwn: Bool) -> ([TransferEffect], Outcome) {
    guard case .success(let connection) = result else { return isOwn ? fail() : ([], .none) }
    guard place != nil, self.connection == nil, reached == nil else {
      connection.close()
      return ([], .none)
    }
    guard let iq = iq.take() else {
      reached = connection
      return settle()
    }
    use(connection)
    let theirs = peer.reachable(transport.candidates)
    let used = theirs.first { $0.address == connection.remote } ?? theirs.first
    return ([.answer(id: iq, transport.used(used?.id ?? ""))], .connected)
  }

  /// The other side's answer.
  func answered(_ result: Result<Stanza, StreamFailure>, now: NIODeadline) -> ([TransferEffect], Outcome) {
    guard case .success(let answer) = result, S5BTransport.used(in: answer.payload) == transport.candidates.first?.jid
    else { return fail() }
    isUsed = true
    // It may be on its way from another event loop.
    endsAt = now + Timeouts.dataHandshake
    peer.wake(at: now + Timeouts.dataHandshake)
    return settle()
  }

  private func settle() -> ([TransferEffect], Outcome) {
    guard isUsed, let connection = reached.take() else { return ([], .none) }
    use(connection)
    return ([], .connected)
  }

  private func use(_ connection: DataConnection) {
    self.connection = connection
    endsAt = nil
    peer.went(file, isShared: false)
  }

  override func expire(now: NIODeadline) -> ([TransferEffect], Outcome) {
    guard let endsAt, endsAt <= now else { return ([], .none) }
    return fail()
  }

  private func fail() -> ([TransferEffect], Outcome) {
    guard connection == nil else { return ([], .none) }
    peer.failed(file, wasTried: true)
    endsAt = nil
    return (iq.take().map { [.error(id: $0, S5BTransport.unreachable)] } ?? [], .fallBack)
  }

  override func end() {
    reached?.close()
    reached = nil
    super.end()
  }
}
