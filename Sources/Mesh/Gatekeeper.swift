import LinkLocal
import Streams
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

  let friendships: Friendships
  let news: AsyncStream<News>
  private let newsContinuation: AsyncStream<News>.Continuation
  private let registry = StreamRegistry()
  private let directory: Directory

  init(friendships: Friendships, directory: Directory) {
    self.friendships = friendships
    self.directory = directory
    (news, newsContinuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(MeshLimits.news))
  }

  var wire: Friendships.Wire {
    let registry = self.registry
    return Friendships.Wire(
      send: { registry.stream(with: $1)?.tell($0.stanza(from: nil, to: nil)) },
      pair: { registry.stream(with: $1)?.tell(Stanza(.iq, type: "set", [$0.element])) },
      cut: { id in for stream in registry.all(with: id) { stream.cut() } })
  }

  /// Runs what came of streams, until cancelled.
  func run() async {
    await friendships.connect(wire)
    for await news in news {
      switch news {
      case .friendship(let friendship, let peer): await friendships.received(friendship, from: peer)
      case .pairing(let message, let peer): await friendships.received(message, from: peer)
      case .met(let jid, let id): await friendships.met(jid, id: id)
      case .disconnected(let id): await friendships.disconnected(id)
      }
    }
  }

  // MARK: Streams

  /// The error to end a stream with that has just opened.
  ///
  /// A name that belongs to another key gets in as far as presence: that is how a changed key is announced. All else is
  /// refused request by request.
  func opened(_ stream: PeerStream, _ identity: StreamIdentity) -> StreamError? {
    guard let id = identity.nodeID else { return nil }
    let standing = self.standing(identity)
    if case .blocked = standing { return StreamError(.notAuthorized, Refusal.blocked.text) }
    registry.opened(stream, with: id)
    if case .friend = standing, let jid = announced(identity) { newsContinuation.yield(.met(jid, id)) }
    return nil
  }

  func ended(_ stream: PeerStream, _ identity: StreamIdentity?) {
    guard let id = identity?.nodeID, registry.ended(stream, with: id) else { return }
    newsContinuation.yield(.disconnected(id))
  }

  func received(_ stanza: Stanza, _ identity: StreamIdentity) -> StanzaFate {
    guard let id = identity.nodeID, let certificate = identity.certificate else { return .unknown }
    if let friendship = Friendship(stanza) {
      newsContinuation.yield(
        .friendship(friendship, AuthenticatedPeer(id: id, jid: announced(identity), address: identity.address)))
      return .taken(nil)
    }
    guard stanza.kind == .iq, stanza.type == "set", let message = stanza.payload.flatMap(PairingMessage.init) else {
      return .unknown
    }
    let peer = PairingPeer(
      id: id, jid: announced(identity), key: certificate.spki, ownKey: friendships.identity.spki)
    newsContinuation.yield(.pairing(message, peer))
    return .taken(nil)
  }

  func caller(_ identity: StreamIdentity) -> Caller {
    Caller(jid: identity.jid, id: identity.nodeID, standing: standing(identity))
  }

  /// As things are now: a removal counts for the next request on an open stream.
  func standing(_ identity: StreamIdentity) -> Standing {
    // Who came in may claim what it likes in mDNS as well; whom we dialled was found there.
    let hint = identity.isDialled ? identity.jid.flatMap { directory.hint(of: $0) } : nil
    return friendships.verdict(jid: identity.jid, id: identity.nodeID, hint: hint)
  }

  /// The claimed name, where the link lists it with this very key.
  private func announced(_ identity: StreamIdentity) -> JID? {
    guard let jid = identity.jid, let hint = directory.hint(of: jid), (try? NodeID(hint)) == identity.nodeID
    else { return nil }
    return jid
  }
}

extension StreamIdentity {
  var nodeID: NodeID? { certificate.flatMap { NodeID(digest: Digest.sha256($0.spki)) } }
}
