import NIOCore
import Streams
import Synchronization
import Trust
import XMPP

/// The streams that this node opened: found, awaited while being dialled, or to be dialled now.
///
/// There is one for each node whose devices announce its key and whose stream has proven it, and one for each other
/// device. Requests go only over streams of our own. Without a key a stream that came in may claim any name, and would
/// otherwise be given the requests meant for the device of that name.
final class StreamPool: Sendable {
  enum Key: Sendable, Hashable {
    case node(NodeID)
    case device(JID)
  }

  /// A dial that is under way. Devices share one where they expect the same key at the same addresses: an impostor at
  /// other addresses keeps nobody waiting but who asks for its device.
  struct Dial: Sendable, Hashable {
    let key: Key
    let addresses: [SocketAddress]

    init(_ route: Route) {
      (key, addresses) = (route.key, route.addresses)
    }
  }

  enum Lookup {
    case open(OpenStream)
    /// Where it is new, the caller sees to it that `dialled` is called.
    case dialling(EventLoopFuture<OpenStream>, isNew: Bool)
  }

  private struct State {
    var streams: [Key: OpenStream] = [:]
    var dials: [Dial: EventLoopPromise<OpenStream>] = [:]
    var isShutDown = false
  }

  private let state = Mutex(State())
  private let eventLoopGroup: any EventLoopGroup

  init(eventLoopGroup: any EventLoopGroup) {
    self.eventLoopGroup = eventLoopGroup
  }

  /// - Throws: `StreamFailure.closed` once the node shuts down; `MeshError` where there is nothing to dial.
  func lookup(_ route: Route) throws -> Lookup {
    try state.withLock { state in
      guard !state.isShutDown else { throw Self.shuttingDown }
      if let open = Self.open(route, state) { return .open(open) }
      if let error = route.unreachable { throw error }
      let dial = Dial(route)
      if let promise = state.dials[dial] { return .dialling(promise.futureResult, isNew: false) }
      let promise = eventLoopGroup.next().makePromise(of: OpenStream.self)
      state.dials[dial] = promise
      return .dialling(promise.futureResult, isNew: true)
    }
  }

  /// The stream to a device, where there is one.
  func find(_ route: Route) -> OpenStream? {
    state.withLock { Self.open(route, $0) }
  }

  private static func open(_ route: Route, _ state: State) -> OpenStream? {
    guard let open = state.streams[route.key], open.stream.isOpen, open.reaches(route) else { return nil }
    return open
  }

  static let shuttingDown = StreamFailure.closed("this node is shutting down.")

  func dialled(_ route: Route, _ result: Result<OpenStream, any Error>) {
    let promise = state.withLock { state in
      guard let promise = state.dials.removeValue(forKey: Dial(route)) else {
        return nil as EventLoopPromise<OpenStream>?
      }
      if let open = try? result.get() { state.streams[open.key] = open }
      return promise
    }
    promise?.completeWith(result)
  }

  func ended(_ open: OpenStream) {
    state.withLock { state in
      if state.streams[open.key]?.stream === open.stream { state.streams[open.key] = nil }
    }
  }

  /// Nobody will dial any more.
  func shutDown() {
    let waiting = state.withLock { state in
      let waiting = Array(state.dials.values)
      state = State(isShutDown: true)
      return waiting
    }
    for promise in waiting { promise.fail(Self.shuttingDown) }
  }

  /// Those that are open.
  var count: Int {
    state.withLock { $0.streams.values.count { $0.stream.isOpen } }
  }
}

/// A stream that this node opened, and who is at its other end: known without asking the stream.
final class OpenStream: Sendable {
  let stream: PeerStream
  let identity: PeerIdentity
  /// Whom it was opened to.
  let device: JID
  /// Under which others find it.
  let key: StreamPool.Key
  private let isRelayed: Bool

  init(_ stream: PeerStream, _ identity: PeerIdentity, along route: Route) {
    (self.stream, self.identity, device) = (stream, identity, route.jid)
    isRelayed = route.isRelayed
    key = identity.id.map { .node($0) } == route.key ? route.key : .device(route.jid)
  }

  /// Proven by TLS; nil without.
  var nodeID: NodeID? { identity.id }

  /// Another device of the node may be gone while the node is there.
  func reaches(_ route: Route) -> Bool {
    isRelayed == route.isRelayed && (device == route.jid || route.device.state != .gone)
  }
}
