import LinkLocal
import Streams
import Synchronization
import TLS
import Trust
import XMPP

/// Between streams and friendships: who may come in, and what comes of what they say about friendship.
///
/// The key decides in each case; a name is a claim (XEP-0174 leaves identity to the reader).
final class Gatekeeper: Sendable {
  /// What has to be done in order, and not on an event loop.
  enum News: Sendable {
    case friendship(Friendship, AuthenticatedPeer)
    case pairing(PairingMessage, PairingPeer)
    case met(JID, NodeID)
    case disconnected(NodeID)
  }

  /// What is to be said to a node that has no stream here.
  struct Errand: Sendable {
    let friendship: Friendship
    let id: NodeID
  }

  let friendships: Friendships
  /// Each to be carried over a stream that is dialled for it.
  let errands: AsyncStream<Errand>
  private let errandsContinuation: AsyncStream<Errand>.Continuation
  private let news: AsyncStream<News>
  private let newsContinuation: AsyncStream<News>.Continuation
  private let registry = StreamRegistry()
  private let directory: Directory
  /// Nodes that were told what there is to tell, since they were last seen to come.
  private let reminded = Mutex<Set<NodeID>>([])
  /// How much of `news` is of each node.
  private let waiting = Mutex<[NodeID: Int]>([:])

  init(friendships: Friendships, directory: Directory) {
    self.friendships = friendships
    self.directory = directory
    (news, newsContinuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(MeshLimits.news))
    (errands, errandsContinuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(MeshLimits.errands))
  }

  private var wire: Friendships.Wire {
    let (registry, errands) = (self.registry, errandsContinuation)
    return Friendships.Wire(
      send: { friendship, id, isErrand in
        if let stream = registry.stream(with: id) {
          stream.tell(friendship.stanza(from: nil, to: nil))
        } else if isErrand {
          errands.yield(Errand(friendship: friendship, id: id))
        }
      },
      pair: { registry.stream(with: $1)?.tell(Stanza(.iq, type: "set", [$0.element])) },
      cut: { id in for stream in registry.all(with: id) { stream.terminate() } })
  }

  /// From now on peers hear of what becomes of friendships.
  func connect() async { await friendships.connect(wire) }

  /// Runs what came of streams, until cancelled.
  func run() async {
    for await news in news {
      switch news {
      case .friendship(let friendship, let peer):
        await friendships.received(friendship, from: peer)
        release(peer.id)
      case .pairing(let message, let peer):
        await friendships.received(message, from: peer)
        release(peer.id)
      case .met(let jid, let id): await friendships.met(jid, id: id)
      case .disconnected(let id): await friendships.disconnected(id)
      }
    }
  }

  /// Once each time that it comes, as long as it is told indeed.
  func mayRemind(_ id: NodeID) -> Bool { reminded.withLock { $0.insert(id).inserted } }

  func undelivered(_ id: NodeID) { reminded.withLock { _ = $0.remove(id) } }

  /// Whether this node may have one more word dealt with: who does not wait for an answer shall not keep others waiting.
  private func reserve(_ id: NodeID) -> Bool {
    waiting.withLock { waiting in
      guard waiting[id, default: 0] < MeshLimits.newsOfNode else { return false }
      waiting[id, default: 0] += 1
      return true
    }
  }

  private func release(_ id: NodeID) {
    waiting.withLock { waiting in
      let left = waiting[id, default: 1] - 1
      waiting[id] = left > 0 ? left : nil
    }
  }

  private func pass(_ news: News, of id: NodeID) {
    guard reserve(id) else { return }
    if case .dropped = newsContinuation.yield(news) { release(id) }
  }

  // MARK: Streams

  /// What becomes of a stream that has just opened.
  ///
  /// A name that belongs to another key gets in as far as presence: that is how a changed key is announced. All else is
  /// refused request by request.
  func opened(_ stream: PeerStream, _ identity: StreamIdentity) -> StreamAdmission {
    // Before its standing is looked at: whom the owner blocks in between is cut.
    if let id = identity.nodeID { registry.opened(stream, with: id) }
    let standing = self.standing(identity)
    // Whoever dialled looks for itself.
    switch standing.refusal {
    case _ where identity.isDialled: break
    case let refusal?:
      tell(refusal, identity)
      if case .blocked = refusal { return .refused(StreamError(.notAuthorized, refusal.text)) }
    case nil: friendships.decided(.streamAccepted(StreamPeer(identity), standing))
    }
    guard case .friend = standing, let id = identity.nodeID else { return .stranger }
    if let jid = announced(identity) { newsContinuation.yield(.met(jid, id)) }
    return .known
  }

  func tell(_ refusal: Refusal, _ identity: StreamIdentity) {
    friendships.decided(.streamRefused(StreamPeer(identity), why: refusal.name, detail: refusal.detail))
  }

  /// A stream that came to nothing, or was ended for what its peer did.
  func failed(_ failure: StreamRefusal) {
    friendships.decided(
      .streamRefused(StreamPeer(failure.identity), why: failure.name, detail: failure.detail))
  }

  /// The devices that it has streams with by now are its own from now on.
  func befriended(_ id: NodeID) async {
    for stream in registry.all(with: id) {
      if let jid = await stream.identity.flatMap(announced) { newsContinuation.yield(.met(jid, id)) }
    }
  }

  func ended(_ stream: PeerStream, _ identity: StreamIdentity?) {
    guard let id = identity?.nodeID, registry.ended(stream, with: id) else { return }
    newsContinuation.yield(.disconnected(id))
  }

  func received(_ stanza: Stanza, _ identity: StreamIdentity) -> StanzaDisposition {
    guard let id = identity.nodeID, let certificate = identity.certificate else { return .unknown }
    if let friendship = Friendship(stanza) {
      let peer = AuthenticatedPeer(id: id, jid: announced(identity), address: identity.address)
      pass(.friendship(friendship, peer), of: id)
      return .taken(nil)
    }
    guard stanza.kind == .iq, stanza.type == "set", let message = stanza.payload.flatMap(PairingMessage.init) else {
      return .unknown
    }
    let peer = PairingPeer(
      id: id, jid: announced(identity), key: certificate.spki, ownKey: friendships.identity.spki)
    pass(.pairing(message, peer), of: id)
    return .taken(nil)
  }

  func caller(_ identity: StreamIdentity) -> Caller {
    Caller(jid: identity.jid, id: identity.nodeID, standing: standing(identity))
  }

  /// As things are now: a removal counts for the next request on an open stream.
  ///
  /// - Parameter hint: the announced id under which it was found, where this node dialled. Who came in may claim in mDNS
  ///   what it likes.
  func standing(_ identity: StreamIdentity, hint: String? = nil) -> Standing {
    friendships.verdict(jid: identity.jid, id: identity.nodeID, hint: hint)
  }

  /// The claimed name, where the link lists it with this very key.
  private func announced(_ identity: StreamIdentity) -> JID? {
    guard let jid = identity.jid, let hint = directory.hint(of: jid), (try? NodeID(hint)) == identity.nodeID
    else { return nil }
    return jid
  }
}

extension StreamPeer {
  init(_ identity: StreamIdentity) {
    self.init(id: identity.nodeID, jid: identity.jid, address: identity.address)
  }
}

extension StreamIdentity {
  var nodeID: NodeID? { certificate.flatMap { NodeID(digest: Digest.sha256($0.spki)) } }
}
