import LinkLocal
import NIOCore
import Streams
import Synchronization
import Trust
import XML
import XMPP

/// Between streams and friendships: who may come in, and what comes of what they say about friendship.
///
/// The key decides in each case; a name is a claim (XEP-0174 leaves identity to the reader). Ten properties: two queues,
/// each with its two ends, are four of them.
final class Gatekeeper: Sendable {
  /// What has to be done in order, and not on an event loop.
  enum TrustInput: Sendable {
    case friendship(Friendship, KeyedPeer)
    case pairing(PairingMessage, KeyedPeer)
    case met(JID, NodeID)
    /// A friend's node treated this one as no friend, or as one.
    case renounced(NodeID)
    case confirmed(NodeID)
    /// It asked for what nodes ask their friends for.
    case claimed(KeyedPeer)
    case disconnected(NodeID)
    /// A friend's stream has opened.
    case opened(NodeID)
    /// A friend says by which account it can be reached.
    case account(JID?, NodeID)
  }

  /// What is to be said to a node over a stream that may have to be dialled.
  struct OutboxMessage: Sendable {
    enum Content: Sendable {
      case friendship(Friendship)
      /// A query for a report, which says whether its node counts this one among its friends, and tells it so of this one.
      case report
      /// By which account this node can be reached.
      case account
      /// An IQ set.
      case element(Element)
    }

    let content: Content
    let id: NodeID
  }

  let trustService: TrustService
  /// Each to be carried over a stream that is dialled for it.
  let outbox: AsyncStream<OutboxMessage>
  private let outboxContinuation: AsyncStream<OutboxMessage>.Continuation
  private let inputs: AsyncStream<TrustInput>
  private let inputsContinuation: AsyncStream<TrustInput>.Continuation
  private let registry = StreamRegistry()
  private let directory: Directory
  /// Nodes that were told what there is to tell, since they were last seen to come.
  private let reminded = Mutex<Set<NodeID>>([])
  /// How much of `inputs` is of each node.
  private let waiting = Mutex<[NodeID: Int]>([:])
  private let running = Atomic<Int>(0)
  /// What tells contacts from others.
  private let contacts = Mutex<(any AccountConnection)?>(nil)
  /// This node's own account, where friends are to know it, and who was told.
  private let shared = Mutex<(account: JID?, told: Set<NodeID>)>((nil, []))

  init(trustService: TrustService, directory: Directory) {
    self.trustService = trustService
    self.directory = directory
    (inputs, inputsContinuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(MeshLimits.trustInputs))
    (outbox, outboxContinuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(MeshLimits.outbox))
  }

  private var peerOutbox: TrustService.PeerOutbox {
    let (registry, outbox, directory) = (self.registry, outboxContinuation, self.directory)
    return TrustService.PeerOutbox(
      send: { friendship, id, mayDial in
        if let stream = registry.stream(with: id) {
          stream.tell(friendship.stanza(from: nil, to: nil))
        } else if mayDial {
          outbox.yield(OutboxMessage(content: .friendship(friendship), id: id))
        }
      },
      pair: { registry.stream(with: $1)?.tell(Stanza(.iq, type: "set", [$0.element])) },
      terminate: { id in for stream in registry.all(with: id) { stream.terminate() } },
      changed: { directory.refresh($0, $1) })
  }

  /// From now on peers hear of what becomes of friendships.
  func connect() async { await trustService.connect(peerOutbox) }

  /// Runs what came of streams, until cancelled.
  func run() async {
    for await input in inputs {
      switch input {
      case .friendship(let friendship, let peer):
        await trustService.received(friendship, from: peer)
        release(peer.id)
      case .pairing(let message, let peer):
        await trustService.received(message, from: peer)
        release(peer.id)
      case .met(let jid, let id): await trustService.met(jid, id: id)
      case .renounced(let id): await trustService.renounced(by: id)
      case .confirmed(let id): await trustService.confirmed(by: id)
      case .claimed(let peer):
        await trustService.claimed(by: peer)
        release(peer.id)
      case .disconnected(let id): await trustService.disconnected(id)
      case .opened(let id): if shared.withLock({ $0.account != nil }) { tellAccount(to: id) }
      case .account(let account, let id):
        await trustService.told(account, by: id)
        release(id)
      }
    }
  }

  // MARK: Accounts

  /// Friends learn of it from now on: those who are here at once, others when they come. nil: that there is none any more.
  func share(_ account: JID?) {
    let isNews = shared.withLock { shared in
      guard shared.account != account else { return false }
      shared = (account, [])
      return true
    }
    guard isNews else { return }
    for friend in trustService.current.friends {
      if !tellAccount(to: friend.id), account != nil { announceAccount(to: friend.id) }
    }
  }

  /// A friend that is on the link, and has not heard of it, is dialled for that.
  func announceAccount(to id: NodeID) {
    let isDue = shared.withLock { $0.account != nil && !$0.told.contains(id) }
    if isDue, trustService.current.friend(id) != nil {
      outboxContinuation.yield(OutboxMessage(content: .account, id: id))
    }
  }

  /// False where there is no stream.
  @discardableResult func tellAccount(to id: NodeID) -> Bool {
    let account = shared.withLock { $0.account }
    guard tell(Self.element(account), to: id) else { return false }
    shared.withLock { _ = $0.told.insert(id) }
    return true
  }

  private static func element(_ account: JID?) -> Element {
    Element("account", namespace: Namespace.link, ["jid": account?.text])
  }

  /// As an IQ set, whose answer changes nothing. False where there is no stream.
  @discardableResult func tell(_ element: Element, to id: NodeID) -> Bool {
    guard let stream = registry.stream(with: id) else { return false }
    stream.tell(Stanza(.iq, type: "set", [element]))
    return true
  }

  /// The same over a stream that is dialled for it, where there is a way.
  func deliver(_ element: Element, to id: NodeID) {
    outboxContinuation.yield(OutboxMessage(content: .element(element), id: id))
  }

  // MARK: Friendships that one side knows of

  /// A friend's node refused this one for not being a friend.
  func renounced(by id: NodeID) {
    guard let friend = trustService.current.friend(id) else { return }
    // Where its owner may not have seen it yet, as where this node was blocked before.
    if friend.renounced == nil {
      inputsContinuation.yield(.renounced(id))
    } else if mayRemind(id) {
      askWhetherFriends(id)
    }
  }

  /// A friend's node answered this one as a friend.
  func confirmed(by id: NodeID) {
    if trustService.isRenounced(id) { inputsContinuation.yield(.confirmed(id)) }
  }

  /// A peer asked for a report.
  func claimed(_ caller: Caller) {
    guard let peer = KeyedPeer(caller.identity) else { return }
    switch caller.standing {
    case .friend where trustService.isRenounced(peer.id), .stranger: pass(.claimed(asAnnounced(peer)), of: peer.id)
    case .friend, .self, .plaintext, .account, .changed, .mismatch, .blocked: break
    }
  }

  /// Asks a friend's node whether it knows of the friendship.
  func askWhetherFriends(_ id: NodeID) {
    _ = mayRemind(id)
    outboxContinuation.yield(OutboxMessage(content: .report, id: id))
  }

  /// Once each time that it comes, as long as it is told indeed.
  func mayRemind(_ id: NodeID) -> Bool { reminded.withLock { $0.insert(id).inserted } }

  func undelivered(_ id: NodeID) { reminded.withLock { _ = $0.remove(id) } }

  /// Whether this node may have one more word dealt with: who does not wait for an answer shall not keep others waiting.
  private func reserve(_ id: NodeID) -> Bool {
    waiting.withLock { waiting in
      guard waiting[id, default: 0] < MeshLimits.trustInputsOfNode else { return false }
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

  private func pass(_ input: TrustInput, of id: NodeID) {
    guard reserve(id) else { return }
    if case .dropped = inputsContinuation.yield(input) { release(id) }
  }

  // MARK: Streams

  /// What becomes of a stream that has just opened.
  ///
  /// A name that belongs to another key gets in as far as presence: that is how a changed key is announced. All else is
  /// refused request by request.
  func opened(_ stream: PeerStream, _ identity: PeerIdentity) -> StreamAdmission {
    // Before its standing is looked at: whom the owner blocks in between is cut.
    if let id = identity.id { registry.opened(stream, with: id) }
    let standing = self.standing(identity)
    if case .account = standing {
      trustService.decided(.streamAccepted(identity, standing))
      return .stranger
    }
    // Over a server come friends alone.
    if identity.isRelayed, !identity.isDialled {
      guard case .friend = standing else {
        // Who has an invite is a friend in a moment, and until then gets nothing: see `Router`.
        if case .stranger = standing, trustService.expectsGuests() { return .stranger }
        trustService.decided(.streamRefused(identity, why: "no-friend", detail: "only friends come over an account"))
        return .refused(StreamError(.notAuthorized, "only friends come in over an account"))
      }
    }
    // Whoever dialled looks for itself.
    switch standing.refusal {
    case _ where identity.isDialled: break
    case let refusal?:
      tell(refusal, identity)
      if case .blocked = refusal { return .refused(StreamError(.notAuthorized, refusal.text)) }
    case nil: trustService.decided(.streamAccepted(identity, standing))
    }
    if identity.id == nil, !identity.isDialled { directory.came(identity) }
    guard case .friend = standing, let id = identity.id else { return .stranger }
    inputsContinuation.yield(.opened(id))
    if let jid = announced(identity) { inputsContinuation.yield(.met(jid, id)) }
    return .known
  }

  func tell(_ refusal: Refusal, _ identity: PeerIdentity) {
    trustService.decided(.streamRefused(identity, why: refusal.name, detail: refusal.detail))
  }

  /// A stream that came to nothing, or was ended for what its peer did.
  func failed(_ failure: StreamRefusal) {
    trustService.decided(
      .streamRefused(failure.identity, why: failure.name, detail: failure.detail))
  }

  /// The devices that were reached with its key by now, or came with it, are its own from now on.
  func befriended(_ id: NodeID) {
    if shared.withLock({ $0.account != nil }) { tellAccount(to: id) }
    for jid in directory.devices(showing: id) { met(jid, id) }
    for stream in registry.all(with: id) {
      if let jid = stream.identity.flatMap(announced) { met(jid, id) }
    }
  }

  /// The device of a friend was reached with its key.
  func met(_ jid: JID, _ id: NodeID) {
    guard directory.hint(of: jid) == id else { return }
    inputsContinuation.yield(.met(jid, id))
  }

  /// Whoever opened them, those that are not open yet included.
  var streams: Int { running.load(ordering: .relaxed) }

  /// Answers the peer's requests until the stream has ended.
  func run(_ stream: PeerStream) async {
    running.wrappingAdd(1, ordering: .relaxed)
    defer { running.wrappingSubtract(1, ordering: .relaxed) }
    await stream.run()
    ended(stream, stream.identity)
  }

  func ended(_ stream: PeerStream, _ identity: PeerIdentity?) {
    guard let id = identity?.id, registry.ended(stream, with: id) else { return }
    inputsContinuation.yield(.disconnected(id))
  }

  /// Whether it is for this node to deal with at all, as far as who says it goes: of foreign peers nothing is, of a guest the token of an invite
  /// and what friends say as soon as they are some.
  func hears(_ stanza: Stanza, _ identity: PeerIdentity) -> Bool {
    guard identity.account == nil else { return false }
    guard !identity.isDialled, caller(identity).isGuest else { return true }
    // A broken token is one that opens nothing.
    if case .subscribe(let request)? = Friendship(stanza) { return request.token != nil }
    return stanza.kind == .iq && stanza.type == "set" && stanza.payload?.is("account", Namespace.link) == true
  }

  func received(_ stanza: Stanza, _ identity: PeerIdentity) -> StanzaDisposition {
    guard let peer = KeyedPeer(identity) else { return .unknown }
    if let friendship = Friendship(stanza) {
      pass(.friendship(friendship, asAnnounced(peer)), of: peer.id)
      return .taken(nil)
    }
    if stanza.kind == .iq, stanza.type == "set", let account = stanza.payload, account.is("account", Namespace.link) {
      // Who has just become a friend by what was said before is one when this is dealt with; others count for nothing then.
      pass(.account(account["jid"].flatMap { JID(bare: $0) }, peer.id), of: peer.id)
      return .taken(nil)
    }
    guard stanza.kind == .iq, stanza.type == "set", let message = stanza.payload.flatMap(PairingMessage.init) else {
      return .unknown
    }
    pass(.pairing(message, asAnnounced(peer)), of: peer.id)
    return .taken(nil)
  }

  /// Where the link has the node of a friend who came in: of the addresses that are announced for the name it gives itself, and with
  /// its key, those that can be a neighbour's.
  func addresses(_ identity: PeerIdentity) -> [SocketAddress] {
    guard let jid = announced(identity), let devices = try? System.enumerateDevices() else { return [] }
    let rule = NeighbourAddresses(devices)
    return directory.endpoints(of: jid).compactMap { endpoint in
      rule.refusal(of: endpoint, isFriends: false) == nil ? endpoint.socketAddress : nil
    }
  }

  func caller(_ identity: PeerIdentity) -> Caller {
    Caller(identity: identity, standing: standing(identity))
  }

  /// As things are now: a removal counts for the next request on an open stream.
  ///
  /// - Parameter hint: the announced id under which it was found, where this node dialled. Who came in may claim in mDNS
  ///   what it likes.
  func standing(_ identity: PeerIdentity, hint: String? = nil) -> Standing {
    if let account = identity.account { return standing(ofAccount: account) }
    return trustService.verdict(jid: identity.address, id: identity.id, hint: hint)
  }

  func standing(ofAccount account: JID) -> Standing {
    .account(account, isContact: isContact(account))
  }

  func isContact(_ account: JID) -> Bool { contacts.withLock { $0 }?.isContact(account) == true }

  /// By this account's roster it is known who is a contact; nil: nobody is.
  func use(_ account: (any AccountConnection)?) { contacts.withLock { $0 = account } }

  /// Without the claimed name where the link does not list it with this very key.
  private func asAnnounced(_ peer: KeyedPeer) -> KeyedPeer {
    var peer = peer
    peer.identity = peer.identity.at(announced(peer.identity))
    return peer
  }

  /// The claimed name, where the link lists it with this very key.
  private func announced(_ identity: PeerIdentity) -> JID? {
    guard let jid = identity.address, let id = identity.id, directory.hint(of: jid) == id else { return nil }
    return jid
  }
}
