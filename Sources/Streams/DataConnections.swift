import NIOCore
import Synchronization
import TLS
import Trust

/// By what whoever is at the other end of a connection beside a stream is known for the stream's peer.
struct DataProof: Sendable {
  /// DER SubjectPublicKeyInfo that it shows in a whole handshake.
  let key: [UInt8]
  /// What nobody but the two ends of the stream has, and for this connection alone; nil where the stream's TLS gives none.
  let shared: SharedKey?
}

/// The connections beside the streams of one node: which are expected at the moment, how many there are, and with whom there were
/// none lately.
package final class DataConnections: Sendable {
  /// A connection that the peer of a stream may make.
  struct Expectation: Sendable {
    /// nil beside a stream that has no TLS: then this has none either.
    let proof: DataProof?
    /// A friend's.
    let isKnown: Bool
    /// Called on the connection's event loop.
    let connected: @Sendable (DataConnection) -> Void
  }

  /// A node, at the address that it has at the moment; without an id it has shown no key.
  struct Peer: Hashable, Sendable {
    let id: NodeID?
    let host: String

    /// Who has shown no key is told apart by the address.
    fileprivate func holder(isOwn: Bool) -> Holder { Holder(id: id, host: id == nil ? host : nil, isOwn: isOwn) }
  }

  /// Whose body it is: each side has places of its own, so that neither offers what the other has no room for.
  fileprivate struct Holder: Hashable {
    let id: NodeID?
    let host: String?
    let isOwn: Bool
  }

  /// One body's part of what there may be; given back when nobody holds it any more.
  final class Place: Sendable {
    private let connections: DataConnections
    private let holder: Holder
    private let expected = Mutex<String?>(nil)

    fileprivate init(_ connections: DataConnections, _ holder: Holder) {
      self.connections = connections
      self.holder = holder
    }

    deinit { connections.release(holder, expected.withLock { $0 }) }

    /// Once: who asks for this destination from now on is meant.
    func expect(_ destination: String, _ expectation: Expectation) {
      expected.withLock { $0 = destination }
      connections.state.withLock { $0.expected[destination] = expectation }
    }
  }

  /// How bodies went that were to go beside their streams.
  package struct Carried: Sendable, Hashable {
    /// Beside.
    package var direct = 0
    /// In-band, since no connection came about.
    package var fellBack = 0

    package init(direct: Int = 0, fellBack: Int = 0) { (self.direct, self.fellBack) = (direct, fellBack) }
  }

  private struct State {
    var port: Int?
    var expected: [String: Expectation] = [:]
    var places: [Holder: Int] = [:]
    var all = 0
    /// Until when nothing is tried.
    var failures: [Peer: NIODeadline] = [:]
    var carried = Carried()
    var shared = 0

    func hasRoom(_ holder: Holder) -> Bool {
      all < Limits.dataConnections && places[holder, default: 0] < Limits.dataConnectionsOfPeer
    }
  }

  private let state = Mutex(State())

  package init() {}

  package var carried: Carried { state.withLock { $0.carried } }

  /// Places that are taken, and destinations that are expected; for tests.
  package var held: (places: Int, expected: Int) { state.withLock { ($0.all, $0.expected.count) } }

  /// Where this node takes connections; nil while it does not.
  var port: Int? { state.withLock { $0.port } }

  func listens(on port: Int) { state.withLock { $0.port = port } }

  /// nil where there is no room, in all or for this node. `isOwn`: the body goes to it.
  func reserve(_ peer: Peer, isOwn: Bool) -> Place? {
    let holder = peer.holder(isOwn: isOwn)
    let hasPlace = state.withLock { state in
      guard state.hasRoom(holder) else { return false }
      state.all += 1
      state.places[holder, default: 0] += 1
      return true
    }
    return hasPlace ? Place(self, holder) : nil
  }

  private func release(_ holder: Holder, _ destination: String?) {
    state.withLock { state in
      state.all -= 1
      let left = state.places[holder, default: 1] - 1
      state.places[holder] = left > 0 ? left : nil
      if let destination { state.expected[destination] = nil }
    }
  }

  /// Whether a body to this peer may go beside the stream.
  func mayBegin(_ peer: Peer, now: NIODeadline) -> Bool {
    state.withLock { state in
      guard state.hasRoom(peer.holder(isOwn: true)) else { return false }
      guard let until = state.failures[peer] else { return true }
      guard until <= now else { return false }
      state.failures[peer] = nil
      return true
    }
  }

  /// The expectation by this name, which is met once.
  func claim(_ destination: String) -> Expectation? { state.withLock { $0.expected.removeValue(forKey: destination) } }

  /// Of those that went beside their streams, how many took no certificates for it; for tests.
  package var shared: Int { state.withLock { $0.shared } }

  func went(isShared: Bool) {
    state.withLock { state in
      state.carried.direct += 1
      if isShared { state.shared += 1 }
    }
  }

  /// No connection came about. - Parameter isToBeRemembered: the other side had tried to.
  func failed(_ peer: Peer, isToBeRemembered: Bool, now: NIODeadline) {
    state.withLock { state in
      state.carried.fellBack += 1
      guard isToBeRemembered else { return }
      if state.failures.count >= Limits.dataFailures { state.failures = state.failures.filter { $0.value > now } }
      if state.failures.count >= Limits.dataFailures { state.failures.removeAll() }
      state.failures[peer] = now + Timeouts.dataFailure
    }
  }
}
