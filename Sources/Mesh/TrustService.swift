package import FoundationEssentials
package import Logging
import Synchronization
package import TLS
package import Trust
package import XMPP

/// The node's friends and what becomes of them: runs the actions of `FriendBook`, which decides about friendship. What this
/// actor decides is how often the log hears of it, and in which order a change is saved, counts and is told.
///
/// A change counts once it is on disk; then peers and watchers learn of it. Verdicts are given without waiting for any of
/// that, from whatever thread. The actor itself runs where a thread may block, as a change is written while it waits.
///
/// More than eight properties: besides the book they are its ways out (disk, log, numbers, peers, watchers, deadlines).
package actor TrustService {
  /// How the actions reach the peers.
  struct PeerOutbox: Sendable {
    /// On a stream with this key. Where there is none, a message has one dialled to a device of that node, and all else
    /// is dropped: nobody shall make this node dial by asking it something and hanging up.
    let send: @Sendable (_ friendship: Friendship, _ id: NodeID, _ mayDial: Bool) -> Void
    let pair: @Sendable (PairingMessage, NodeID) -> Void
    let terminate: @Sendable (NodeID) -> Void
    /// What these nodes are to this one, or whose these devices are, counts from now on.
    let changed: @Sendable (_ nodes: Set<NodeID>, _ devices: Set<JID>) -> Void
  }

  nonisolated private let executor = BlockingExecutor()
  nonisolated package var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }
  nonisolated package let identity: Identity
  nonisolated package let id: NodeID
  nonisolated private let book: Mutex<FriendBook>
  /// What lets friends of a former key of this node know it again.
  nonisolated package let rotations: [KeyRotation]
  /// Apart, so that nothing that strangers do often drowns the one who pretends to be a friend.
  nonisolated private let rateLimiters = Mutex(
    (accepted: LogRateLimiter(), impostors: LogRateLimiter(), others: LogRateLimiter()))
  /// How often what was refused, by the reason.
  nonisolated private let refused = Mutex<[String: Int]>([:])
  nonisolated private let watchers = Watchers<TrustEvent?>(capacity: MeshLimits.events)
  /// Deadlines for `run()` to keep.
  nonisolated private let deadlines: AsyncStream<Date>
  nonisolated private let deadlinesContinuation: AsyncStream<Date>.Continuation
  private let save: @Sendable ([UInt8]) throws -> Void
  private let logger: Logger
  private var peerOutbox: PeerOutbox?
  /// The last one given to `run()`.
  private var scheduled: Date?

  /// - Parameters:
  ///   - rotations: the statements that lead from this node's former keys to the one that it has.
  ///   - stored: what `save` was given last, nil at the first start.
  ///   - save: keeps the store; what was given is on disk when it returns.
  /// - Throws: `TrustError` where the store cannot be read.
  package init(
    identity: Identity, rotations: [KeyRotation] = [], stored: [UInt8]?, mode: RequestMode, logger: Logger,
    save: @escaping @Sendable ([UInt8]) throws -> Void
  ) throws {
    let cryptography = Cryptography(
      sha256: { Digest.sha256($0) }, verify: { Identity.verify($0, of: $1, spki: $2) })
    guard let id = cryptography.id(ofKey: identity.spki) else {
      throw TrustError(.nodeID, "SHA-256 gave no 32 bytes")
    }
    self.identity = identity
    self.rotations = rotations
    self.id = id
    self.save = save
    self.logger = logger
    let book =
      if let stored {
        try FriendBook(decoding: stored, own: id, ownKey: identity.spki, mode: mode, cryptography: cryptography)
      } else {
        FriendBook(own: id, ownKey: identity.spki, mode: mode, cryptography: cryptography)
      }
    self.book = Mutex(book)
    (deadlines, deadlinesContinuation) = AsyncStream.makeStream()
  }

  func connect(_ peerOutbox: PeerOutbox) {
    self.peerOutbox = peerOutbox
  }

  /// Ends what is over in time, until cancelled.
  func run() async {
    await withDiscardingTaskGroup { group in
      for await deadline in deadlines {
        group.addTask {
          try? await Task.sleep(for: .seconds(max(0, deadline.timeIntervalSinceNow)))
          await self.apply { book, now in book.expire(now: now) }
        }
      }
      group.cancelAll()
    }
  }

  // MARK: To be looked at

  /// As it is on disk.
  nonisolated package var current: FriendBook { book.withLock { $0 } }

  nonisolated func verdict(jid: JID?, id: NodeID?, hint: String? = nil) -> Standing {
    book.withLock { $0.verdict(jid: jid, id: id, hint: hint) }
  }

  nonisolated func appearance(jid: JID, hint: String?) -> Standing {
    book.withLock { $0.appearance(jid: jid, hint: hint) }
  }

  nonisolated func expectedKey(of jid: JID, hint: String?) -> NodeID? {
    book.withLock { $0.expectedKey(of: jid, hint: hint) }
  }

  /// Whether the address belongs to a key.
  nonisolated func isPinned(_ jid: JID) -> Bool { expectedKey(of: jid, hint: nil) != nil }

  /// Whether this node has something to say to that one that it may not have heard: a request without an answer, a new key.
  nonisolated func expectsWord(of id: NodeID) -> Bool {
    book.withLock { book in
      book.asked.contains { $0.id == id && $0.origin == .request } || !rotations.isEmpty && book.friend(id) != nil
    }
  }

  /// Whether somebody may come whom nobody knows yet, with the token of an invite.
  nonisolated func expectsGuests(now: Date = Date()) -> Bool { book.withLock { !$0.invites(now: now).isEmpty } }

  /// Whether it is a friend whose node does not count this one among its own, as far as that is known.
  nonisolated func isRenounced(_ id: NodeID) -> Bool { book.withLock { $0.friend(id)?.renounced != nil } }

  /// Tells what was decided about a peer, as often as the log can bear.
  nonisolated func decided(_ event: TrustEvent) {
    count(event)
    let events = rateLimiters.withLock { rateLimiters in
      if case .streamAccepted = event { return rateLimiters.accepted.pass(event, now: Date()) }
      return event.isAboutAnImpostor
        ? rateLimiters.impostors.pass(event, now: Date()) : rateLimiters.others.pass(event, now: Date())
    }
    for event in events { tell(event) }
  }

  nonisolated private func count(_ event: TrustEvent) {
    let reason: String
    switch event {
    case .streamRefused(_, let why, _): reason = why
    case .accessRefused(_, _, let refusal): reason = refusal.name
    default: return
    }
    refused.withLock { refused in
      let isKnown = refused[reason] != nil || refused.count < MeshLimits.talliedReasons
      refused[isKnown ? reason : RequestTallies.others, default: 0] += 1
    }
  }

  /// How many streams and requests were refused since the start, by the reason as the log has it.
  nonisolated var refusals: [String: Int] { refused.withLock { $0 } }

  /// Every decision from now on; nil where the owner is asked to compare digits.
  nonisolated package func events() -> AsyncStream<TrustEvent?> { watchers.add() }

  // MARK: What the owner does

  package func rename(_ who: String, to petname: String) throws {
    try change { book, _ throws(TrustError) in try book.rename(try book.find(who), to: try Petname(petname)) }
  }

  package func remove(_ who: String) throws {
    try change { book, _ throws(TrustError) in try book.remove(try book.find(who)) }
  }

  package func block(_ who: String) throws {
    try change { book, now throws(TrustError) in try book.block(try book.find(who), now: now) }
  }

  package func unblock(_ who: String) throws {
    try change { book, _ throws(TrustError) in try book.unblock(try book.find(who)) }
  }

  package func accept(_ who: String, petname: String?) throws {
    try change { book, now throws(TrustError) in
      try book.accept(try book.requester(who), petname: try petname.map(Petname.init), now: now)
    }
  }

  package func reject(_ who: String) throws {
    try change { book, now throws(TrustError) in try book.reject(try book.find(who), now: now) }
  }

  /// Takes a request of ours back.
  package func withdraw(_ who: String) throws {
    try change { book, _ throws(TrustError) in try book.withdraw(try book.find(who)) }
  }

  /// A line for `join` on another node, good once and for ten minutes; `jid` is this node's own address, `account` the one on a server that leads
  /// to it.
  package func invite(jid: JID, account: JID? = nil, petname: String?) throws -> InviteLine {
    let token = SecureRandom.bytes(TrustLimits.tokenBytes)
    guard let line = InviteLine(jid: jid, id: id, token: token, account: account) else {
      throw TrustError(.invite, "there is no line for “\(jid)”")
    }
    try change { book, now throws(TrustError) in
      try book.invite(token: token, petname: try petname.map(Petname.init), now: now)
    }
    return line
  }

  package func permit(seconds: TimeInterval) throws {
    try change { book, now throws(TrustError) in try book.permit(seconds: seconds, now: now) }
  }

  package func closePermit() {
    apply { book, _ in book.closePermit() }
  }

  /// - Parameter digits: those that the owner has compared; meanwhile it may be another's turn.
  package func confirmPairing(digits: String, petname: String?) throws {
    try change { book, now throws(TrustError) in
      guard book.pairingQuestion?.digits == digits else {
        throw TrustError(.pairing, "these digits are no longer to be confirmed: begin again")
      }
      return try book.confirmPairing(petname: try petname.map(Petname.init), now: now)
    }
  }

  package func cancelPairing() {
    apply { book, now in book.cancelPairing(now: now) }
  }

  package func setFleet(_ entries: [FleetEntry]) {
    apply { book, now in book.setFleet(entries, now: now) }
  }

  func ask(_ id: NodeID, jid: JID, petname: String?, greeting: String? = nil, token: [UInt8]? = nil) throws {
    try change { book, now throws(TrustError) in
      try book.ask(
        id, jid: jid, petname: try petname.map(Petname.init), greeting: greeting, token: token, rotations: rotations,
        now: now)
    }
  }

  /// Says once more what this node wants from a node that can be reached again: an answer to its request, or to be
  /// known by its new key.
  func remind(_ id: NodeID) {
    peerOutbox?.send(.subscribe(FriendRequest(rotations: rotations)), id, true)
  }

  func pair(with peer: KeyedPeer, petname: String?) throws {
    let nonce = SecureRandom.bytes(TrustLimits.nonceBytes)
    try change { book, now throws(TrustError) in
      try book.pair(with: peer, petname: try petname.map(Petname.init), nonce: nonce, now: now)
    }
  }

  // MARK: What peers do

  func received(_ friendship: Friendship, from peer: KeyedPeer) {
    apply { book, now in book.received(friendship, from: peer, now: now) }
  }

  func received(_ message: PairingMessage, from peer: KeyedPeer) {
    let nonce = SecureRandom.bytes(TrustLimits.nonceBytes)
    apply { book, now in book.received(message, from: peer, nonce: nonce, now: now) }
  }

  func renounced(by id: NodeID) {
    apply { book, now in book.renounced(by: id, now: now) }
  }

  func confirmed(by id: NodeID) {
    apply { book, now in book.confirmed(by: id, now: now) }
  }

  func claimed(by peer: KeyedPeer) {
    apply { book, now in book.claimed(by: peer, now: now) }
  }

  func told(_ account: JID?, by id: NodeID) {
    apply { book, now in book.told(account, by: id, now: now) }
  }

  func met(_ jid: JID, id: NodeID) {
    apply { book, now in book.met(jid, id: id, now: now) }
  }

  func disconnected(_ id: NodeID) {
    apply { book, now in book.disconnected(id, now: now) }
  }

  // MARK: Actions

  /// - Throws: `TrustError` where nothing was done; what `save` throws, and then nothing was done either.
  private func change(_ verb: (inout FriendBook, Date) throws(TrustError) -> [TrustAction]) throws {
    var next = current
    let actions = try verb(&next, Date())
    try perform(actions, leadingTo: next, mayDial: true)
  }

  /// The same for verbs of peers and of time, whose failures nobody can be told.
  private func apply(_ verb: (inout FriendBook, Date) -> [TrustAction]) {
    var next = current
    let actions = verb(&next, Date())
    do {
      try perform(actions, leadingTo: next, mayDial: false)
    } catch {
      // What was spent is spent: a disk that is full must not be asked more often than one that is not.
      book.withLock { $0.keepLimits(of: next) }
      decided(.notKept("\(error)"))
    }
  }

  private func perform(_ actions: [TrustAction], leadingTo next: FriendBook, mayDial: Bool) throws {
    if actions.contains(.persist) { try save(try next.encoded()) }
    book.withLock { $0 = next }
    // Before anything else is done: from here on every request is judged by what is in the book.
    for case .tell(let event) in actions {
      let (nodes, devices) = event.concerned
      if !nodes.isEmpty { peerOutbox?.changed(nodes, devices) }
    }
    if let deadline = next.deadline, deadline != scheduled {
      scheduled = deadline
      deadlinesContinuation.yield(deadline)
    }
    // To peers first: who hears of it here may say more to them at once, which has to come behind.
    for action in actions { if case .tell = action { continue } else { perform(action, mayDial: mayDial) } }
    for case .tell(let event) in actions { tell(event) }
  }

  private func perform(_ action: TrustAction, mayDial: Bool) {
    switch action {
    case .persist, .tell: break
    case .send(let friendship, let id): peerOutbox?.send(friendship, id, mayDial)
    case .terminate(let id): peerOutbox?.terminate(id)
    case .pair(let message, let id): peerOutbox?.pair(message, id)
    case .compare: watchers.tell(nil)
    }
  }

  nonisolated private func tell(_ event: TrustEvent) {
    logger.notice("\(event.name)", metadata: event.fields.mapValues { "\($0)" })
    watchers.tell(event)
  }
}
