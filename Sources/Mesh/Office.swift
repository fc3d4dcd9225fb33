import FoundationEssentials
import LinkLocal
import Logging
import NIOCore
import Streams
import Synchronization
package import Trust
import XML
package import XMPP

/// Friends' nodes that are not on the link, over the owner's account on a server: where each is, and which devices it has. The way there
/// is a bytestream, and what runs inside is the stream of the link, with its keys: the server carries ciphertext. Foreign peers are
/// reached over the same account, and come in by it, as `RoutedPeers` has it.
///
/// One account is used at a time. What it tells is dealt with in order; what takes longer runs beside that.
///
/// More than eight properties: the parts of the node that it serves, and what is under way over the account.
actor Office {
  private struct Session {
    let settings: AccountSettings
    /// Full, while it is online.
    var own: JID?
    /// Resources that relay, and whose nodes they say they are.
    var places: [JID: NodeID] = [:]
    /// What each of those nodes has, as the directory was told.
    var listed: [NodeID: [Sighting.Key]] = [:]
    /// Nodes that are being asked.
    var asked: Set<NodeID> = []
    /// How often each was not who it has to be, or did not answer: the next of its places has its turn then.
    var failures: [NodeID: Int] = [:]
    /// Where nodes say they are that have invited this one.
    var invited: [NodeID: JID] = [:]
    /// Why one has not told its devices.
    var problems: [NodeID: String] = [:]
  }

  private let trustService: TrustService
  private let gatekeeper: Gatekeeper
  private let directory: Directory
  private let table: ServiceTable
  private let logger: Logger
  private let relay: Relay
  private let routed = RoutedPeers()
  private var session: Session?
  /// The account, while it is used, and its full address while it is online.
  private nonisolated let used = Mutex<(settings: AccountSettings, own: JID?)?>(nil)
  /// Nodes that want to hear of changes.
  private nonisolated let subscribers = Mutex<Set<NodeID>>([])
  /// What friends' nodes say of their devices unasked.
  private nonisolated let pushes = AsyncStream.makeStream(
    of: (NodeID, DeviceList).self, bufferingPolicy: .bufferingNewest(MeshLimits.trustInputs))

  init(
    trustService: TrustService, gatekeeper: Gatekeeper, directory: Directory, table: ServiceTable,
    logger: Logger
  ) {
    (self.trustService, self.gatekeeper, self.directory, self.table) = (trustService, gatekeeper, directory, table)
    self.logger = logger
    relay = Relay(logger: logger)
  }

  // MARK: Life

  /// Takes what friends' nodes say unasked, until cancelled.
  func run() async {
    for await (id, list) in pushes.stream { received(list, of: id) }
  }

  /// Uses an account until there is another one, or it ends.
  func serve(_ settings: AccountSettings, over dialer: Dialer) async {
    leave()
    session = Session(settings: settings)
    used.withLock { $0 = (settings, nil) }
    gatekeeper.use(settings.connection)
    settings.connection.admit { [routed, relay] stanza in
      guard let jid = stanza.from else { return false }
      return routed.isOpen(to: jid) || relay.isOpen(to: jid) || self.foreignService(for: jid, settings) != nil
        || stanza.kind == .iq && stanza.type == "set" && stanza.payload?.namespace == Namespace.ibb
          && self.expectsGuests(settings)
    }
    gatekeeper.share(settings.isShared ? settings.connection.address : nil)
    follow()
    await withDiscardingTaskGroup { group in
      group.addTask { await self.followFriends(over: dialer) }
      let connections = routed.connections()
      group.addTask { await self.routed.run(connections, over: settings.connection) }
      for await event in settings.connection.events {
        guard session?.settings.connection === settings.connection else { break }
        switch event {
        case .online(let jid, let isResumed): if !isResumed { online(as: jid) }
        case .offline: offline()
        case .presence(let presence):
          routed.received(presence)
          if let id = received(presence) { group.addTask { await self.keepListed(id, over: dialer) } }
        case .stanza(let stanza):
          if let work = received(stanza, settings, over: dialer) { group.addTask { await work() } }
        }
      }
      group.cancelAll()
    }
    if session?.settings.connection === settings.connection { leave() }
  }

  private func leave() {
    offline()
    session?.settings.connection.admit { _ in false }
    session = nil
    used.withLock { $0 = nil }
    gatekeeper.use(nil)
  }

  private func online(as jid: JID) {
    offline()
    session?.own = jid
    used.withLock { $0?.own = jid }
  }

  private func offline() {
    for id in (session?.listed ?? [:]).keys { forget(id) }
    session?.places = [:]
    session?.own = nil
    used.withLock { $0?.own = nil }
    relay.endAll()
    routed.endAll()
  }

  // MARK: What comes

  /// Bytestreams of friends' nodes, and stanzas of foreign peers, each to its stream; what is returned lives with a new one.
  private func received(
    _ stanza: Stanza, _ settings: AccountSettings, over dialer: Dialer
  ) -> (@Sendable () async -> Void)? {
    guard let own = session?.own else { return nil }
    let payload = stanza.payload
    // A friend's node may be both: it opens ways to itself, and asks what foreign peers ask.
    let opensWay =
      stanza.from.map { session?.places[$0] != nil } == true
      && (payload?.is("open", Namespace.ibb) == true || payload?.namespace == Namespace.bytestreams)
    if !opensWay, !relay.concerns(stanza), routed.received(stanza, at: own) { return nil }
    if stanza.wantsAnswer, payload?.namespace == Namespace.http {
      return accept(stanza, settings, at: own, over: dialer)
    }
    guard stanza.wantsAnswer else { return nil }
    let work = relay.received(
      stanza, over: settings.connection, on: settings.connection.eventLoop, of: admission(of: stanza.from))
    guard let work else { return nil }
    return { if let channel = await work() { await dialer.accept(relayed: channel) } }
  }

  private func accept(
    _ request: Stanza, _ settings: AccountSettings, at own: JID, over dialer: Dialer
  ) -> (@Sendable () async -> Void)? {
    guard let from = request.from, let device = foreignService(for: from, settings) else {
      settings.connection.tell(request.error(StanzaError(.serviceUnavailable)))
      return nil
    }
    return routed.accept(request, at: own, for: device, over: settings.connection, dialer)
  }

  /// The device that answers this peer at the account's own address; nil where the owner has named none, or not this peer.
  private nonisolated func foreignService(for jid: JID, _ settings: AccountSettings) -> JID? {
    guard let name = settings.served, let (device, policy) = table.device(named: name),
      policy.accounts.admits(jid, isContact: settings.connection.isContact(jid))
    else { return nil }
    return device
  }

  // MARK: Foreign peers

  /// The way to an address that is on no link and no friend's, while there is an account; nil where it can be none on a server.
  nonisolated func route(toForeign jid: JID) -> Route? {
    let domain = jid.domainpart
    guard let settings = used.withLock({ $0?.settings }), jid.localpart?.isEmpty == false, domain.contains("."),
      !domain.lowercased().hasSuffix(".local"), !trustService.isPinned(jid.bare)
    else { return nil }
    return Route(
      to: jid.bare, over: settings.connection.address.domainpart, gatekeeper.standing(ofAccount: jid.bare))
  }

  /// - Throws: `MeshError` where no client of it answers HTTP.
  func stream(toForeign jid: JID, _ setup: StreamSetup) async throws -> PeerStream {
    guard let session, let own = session.own else {
      throw MeshError(
        .away, device: jid, message: "“\(jid)” is not on this network, and this node's own account is offline.")
    }
    let device = session.settings.served.flatMap { table.device(named: $0)?.jid } ?? table.node
    return try await routed.stream(to: jid, at: own, as: device, over: session.settings.connection, setup)
  }

  // MARK: Whose accounts

  /// Friends' accounts are those whose presence counts.
  private func follow() {
    session?.settings.connection.follow(Set(trustService.current.friends.compactMap(\.account)))
  }

  /// As friends come and go, and say where they are; until cancelled.
  private func followFriends(over dialer: Dialer) async {
    await withDiscardingTaskGroup { group in
      for await event in trustService.events() {
        for id in heard(event) { group.addTask { await self.keepListed(id, over: dialer) } }
      }
      group.cancelAll()
    }
  }

  /// Nodes that there is something to be asked of now.
  private func heard(_ event: TrustEvent?) -> [NodeID] {
    guard let event else { return [] }
    let nodes = event.concerned.nodes
    guard !nodes.isEmpty, session != nil else { return [] }
    // Where a friend is, its presence says from then on.
    for id in nodes where trustService.current.friend(id) != nil { session?.invited[id] = nil }
    follow()
    for id in nodes where place(of: id) == nil { forget(id) }
    return nodes.filter { place(of: $0) != nil && session?.listed[$0] == nil }
  }

  /// Where a friend's node is, or says that it is: whoever has the password of an account may say so, too, and does not get the better of
  /// it by that.
  private func place(of id: NodeID) -> JID? {
    guard let session else { return nil }
    guard let friend = trustService.current.friend(id) else { return session.invited[id] }
    let places = session.places.filter { jid, node in
      node == id && (jid.bare == friend.account || jid.bare == session.settings.connection.address)
    }.keys.sorted()
    return places.isEmpty ? nil : places[session.failures[id, default: 0] % places.count]
  }

  /// No stream to this node came about.
  func failed(_ id: NodeID) { session?.failures[id, default: 0] += 1 }

  /// Whether a bytestream is taken from there: whose stream comes inside of it is seen by its key. Others than friends come as long as an
  /// invite is open.
  private func admission(of jid: JID?) -> Relay.Admission {
    guard let session, session.settings.isRelay, let jid, jid.resource != nil else { return .refused }
    let isFriends =
      jid.bare == session.settings.connection.address
      || trustService.current.friends.contains { $0.account == jid.bare }
    return isFriends ? .friend : expectsGuests(session.settings) ? .guest : .refused
  }

  /// Whether somebody may come with an invite that names this account.
  private nonisolated func expectsGuests(_ settings: AccountSettings) -> Bool {
    settings.isRelay && settings.isShared && trustService.expectsGuests()
  }

  nonisolated var isUsed: Bool { used.withLock { $0 != nil } }

  /// The address of this node's own account, where friends' nodes come.
  nonisolated var relayAddress: JID? {
    used.withLock { used in used.flatMap { $0.settings.isRelay && $0.settings.isShared ? $0.own : nil } }
  }

  /// The way to the node that has invited this one, over the account that the invite names; nil where there is none.
  func route(toInviter line: InviteLine) -> Route? {
    guard session?.own != nil, let account = line.account else { return nil }
    if session?.invited.count ?? 0 >= MeshLimits.relaysOfAccount { session?.invited = [:] }
    session?.invited[line.id] = account
    return Route(to: line.jid, over: account.domainpart, of: line.id)
  }

  /// The node that there is something to be asked of now.
  private func received(_ presence: Stanza) -> NodeID? {
    guard let jid = presence.from, jid.resource != nil else { return nil }
    let link = presence.type == nil ? presence.first("link", Namespace.link) : nil
    let id = link?["node"].flatMap { try? NodeID($0) }
    guard let places = session?.places else { return nil }
    let former = places[jid]
    guard former != id, former != nil || places.count < MeshLimits.places else { return nil }
    session?.places[jid] = id
    if let former, place(of: former) == nil { forget(former) }
    return id.flatMap { place(of: $0) == nil ? nil : $0 }
  }

  // MARK: Their devices

  /// Asks a node for its devices, again and again until it answers or is gone.
  private func keepListed(_ id: NodeID, over dialer: Dialer) async {
    guard session?.asked.insert(id).inserted == true else { return }
    defer { session?.asked.remove(id) }
    var pause = MeshLimits.firstListing
    while let jid = place(of: id), !Task.isCancelled {
      do {
        try await list(id, over: dialer)
        session?.problems[id] = nil
        return
      } catch {
        session?.problems[id] = (error as? MeshError)?.message ?? "\(error)"
        logger.info(
          "a friend's node does not answer over its account", metadata: ["account": "\(jid)", "why": "\(error)"])
      }
      try? await Task.sleep(for: pause)
      pause = min(pause * 2, MeshLimits.longestListing)
    }
  }

  private func list(_ id: NodeID, over dialer: Dialer) async throws {
    guard let session, let friend = trustService.current.friend(id) else { return }
    let route = Route(toNodeOf: friend, over: session.settings.connection.address.domainpart, from: table.node)
    let open = try await dialer.stream(along: route)
    guard let answer = try await open.stream.ask(DeviceList.query), let list = DeviceList(answer, of: id) else {
      throw StreamFailure.malformed("it lists no devices")
    }
    received(list, of: id)
  }

  private func received(_ list: DeviceList, of id: NodeID) {
    guard session != nil, place(of: id) != nil else { return }
    let former = session?.listed[id] ?? []
    let keys = list.entries.map { Self.key($0.name, of: id) }
    session?.listed[id] = keys
    for entry in list.entries {
      tell(.found(Sighting(key: Self.key(entry.name, of: id), endpoint: nil, record: entry.record)))
    }
    for key in former where !keys.contains(key) { tell(.lost(key)) }
  }

  private func forget(_ id: NodeID) {
    for key in session?.listed.removeValue(forKey: id) ?? [] { tell(.lost(key)) }
  }

  private func tell(_ event: DiscoveryEvent) {
    guard let session else { return }
    directory.received(event, from: .account(domain: session.settings.connection.address.domainpart))
  }

  /// Two nodes may list the same name.
  private static func key(_ name: InstanceName, of id: NodeID) -> Sighting.Key {
    Sighting.Key(instance: name, interface: Interface(index: 0, name: id.description), family: .ipv4)
  }

  /// How far the way to each friend is there, for the owner to see; nil without an account.
  func report() -> OfficeReport? {
    guard let session else { return nil }
    let friends = trustService.current.friends.compactMap { friend -> OfficeReport.Friend? in
      let place = place(of: friend.id)
      guard let account = friend.account ?? place?.bare else { return nil }
      let state: OfficeReport.State =
        place == nil ? .offline : session.listed[friend.id] != nil ? .reached : .online
      return OfficeReport.Friend(
        petname: friend.petname, account: account, state: state,
        problem: state == .online ? session.problems[friend.id] : nil)
    }
    return OfficeReport(proxy: relay.knownProxy, friends: friends.sorted { $0.petname.text < $1.petname.text })
  }

  // MARK: The way

  /// A connection to a friend's node: by the server's proxy, or in-band.
  ///
  /// - Throws: `StreamFailure` where there is none; `CancellationError`.
  func connect(to id: NodeID) async throws -> any Channel {
    guard let session, let own = session.own else { throw StreamFailure.closed("this node's own account is offline.") }
    guard let peer = place(of: id) else { throw StreamFailure.closed("its account is offline.") }
    return try await relay.connect(
      to: peer, from: own, over: session.settings.connection, on: session.settings.connection.eventLoop)
  }

  // MARK: What this node has

  /// Friends that have asked learn of it; one without a stream is dialled for that, where it can be.
  nonisolated func devicesChanged() {
    let subscribers = self.subscribers.withLock { $0 }
    guard !subscribers.isEmpty else { return }
    let list = table.list().element
    for id in subscribers {
      if trustService.current.friend(id) == nil {
        self.subscribers.withLock { _ = $0.remove(id) }
      } else if !gatekeeper.tell(list, to: id) {
        gatekeeper.deliver(list, to: id)
      }
    }
  }

  /// What friends' nodes say of devices, theirs and this node's; nil for all else.
  nonisolated func received(_ stanza: Stanza, from identity: PeerIdentity) -> StanzaDisposition? {
    guard stanza.kind == .iq, let payload = stanza.payload, payload.is("devices", Namespace.link) else { return nil }
    guard case .friend = gatekeeper.standing(identity), let id = identity.id else {
      return .taken(stanza.error(StanzaError(.forbidden)))
    }
    if stanza.type == "get" {
      subscribers.withLock { _ = $0.insert(id) }
      return .taken(stanza.result(table.list().element))
    }
    if let list = DeviceList(payload, of: id) { pushes.continuation.yield((id, list)) }
    return .taken(nil)
  }
}

/// What there is to see of the ways over an account.
package struct OfficeReport: Sendable, Hashable {
  package enum State: String, Sendable {
    /// Its account has no resource that leads to it.
    case offline
    /// One has, and it has not told its devices.
    case online
    /// It has, with its key.
    case reached
  }

  package struct Friend: Sendable, Hashable {
    package let petname: Petname
    /// Bare.
    package let account: JID
    package let state: State
    package let problem: String?
  }

  /// Host and port of the server's proxy for bytestreams; nil where it offers none, or was not asked.
  package let proxy: String?
  /// Those whose accounts are known.
  package let friends: [Friend]
}

extension Route {
  /// The way to a friend's node itself, over a server, whatever its devices are.
  fileprivate convenience init(toNodeOf friend: Friend, over server: String, from own: JID) {
    // Any name is answered by the node, and its key says that it is the friend's.
    let jid = friend.devices.first ?? JID(bare: friend.petname.text) ?? own
    self.init(to: jid, over: server, of: friend.id, .friend(friend.petname))
  }

  /// The way to a node at an account on this server.
  fileprivate convenience init(to jid: JID, over server: String, of id: NodeID, _ standing: Standing = .stranger) {
    let device = Device(
      jid: jid, name: jid.localpart ?? jid.text, state: .online, isLocal: false, http: false, status: "", message: nil,
      endpoints: [], server: server, seen: Date(), standing: standing, node: id)
    self.init(to: device, announcing: id.description, expecting: id, shown: nil, lastSign: LastSign(Date()))
  }
}
