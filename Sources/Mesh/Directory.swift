import Codecs
import FoundationEssentials
import HTTPTypes
import HTTPX
import LinkLocal
import Synchronization
import Trust
import XMPP

/// Who is here, and the way to each: what discovery tells, what devices showed when they were dialled, and whose they are.
///
/// A request takes one lock for one look into a table. Whatever changes a device makes its route anew, outside of that
/// lock, and no other device's.
///
/// More than eight properties: the table, who watches it, and what is being resolved.
final class Directory: Sendable {
  private struct Entry {
    var facts: DeviceFacts
    var route: Route
  }

  private struct State {
    var discovered: DiscoveredDevices
    var entries: [JID: Entry] = [:]
  }

  /// Held while something changes and is told, so that changes come in order.
  private let state: Mutex<State>
  /// What is handed out. Held for a look, or to put one route in.
  private let routes = Mutex<[JID: Route]>([:])
  private let watchers = Watchers<Device>(capacity: 2 * (LinkLocalLimits.devices + LinkLocalLimits.gone))
  /// Told of each device that was resolved since somebody asked for it.
  private let resolutions = Watchers<InstanceName>(capacity: MeshLimits.resolutions)
  /// Asks discovery; what it finds is `received`.
  private let resolve: @Sendable (InstanceName) -> Void
  private let capabilities = Capabilities()
  private let trustService: TrustService
  /// Discovery works again; what is not found again in time is gone.
  private let restarts: AsyncStream<Void>
  private let restartsContinuation: AsyncStream<Void>.Continuation
  #if DEBUG
    /// How often a lock was taken, for the test of what a request costs.
    let locks = Atomic(0)
  #endif

  init(trustService: TrustService, resolve: @escaping @Sendable (InstanceName) -> Void) {
    (self.trustService, self.resolve) = (trustService, resolve)
    let discovered = DiscoveredDevices(own: trustService.id.description) { trustService.isPinned($0.jid) }
    state = Mutex(State(discovered: discovered))
    (restarts, restartsContinuation) = AsyncStream.makeStream()
  }

  /// Drops in time what was not found again after discovery was restarted, until cancelled.
  func run() async {
    await withDiscardingTaskGroup { group in
      for await _ in restarts {
        group.addTask {
          try? await Task.sleep(for: .seconds(LinkLocalLimits.grace))
          self.expire()
        }
      }
      group.cancelAll()
    }
  }

  /// Ends every watch.
  func shutDown() {
    watchers.finish()
    resolutions.finish()
  }

  // MARK: To be looked at

  /// The way to a device, in whatever case its address is written.
  ///
  /// - Throws: `MeshError.notDiscovered`.
  func route(to jid: JID) throws(MeshError) -> Route {
    let route = withRoutes { $0[jid.bare] }
    if let route, !route.isDisplaced { return route }
    if let detour = detour(to: jid.bare, insteadOf: route) { return detour }
    guard let route else { throw .notDiscovered(jid) }
    return route
  }

  /// The way to a friend's device whose name somebody else has on the link: by the key that it is pinned to, to its node, which
  /// serves it under its own name as well.
  ///
  /// Where nobody has the name, only to a node that announces the device by another one (XEP-0174 §3), or did so for a while:
  /// else it was taken off the link.
  @inline(never) private func detour(to jid: JID, insteadOf route: Route?) -> Route? {
    guard let id = trustService.expectedKey(of: jid, hint: nil), let name = InstanceName(jid) else { return nil }
    let isTaken = route.map { $0.device.state != .gone } ?? false
    let all = withRoutes { Array($0.values) }
    let ways = all.filter { way in
      way.device.node == id && !way.device.isLocal && way.device.isReachable
        && (isTaken || InstanceName(way.jid).map { $0.isAlternative(of: name) || name.isAlternative(of: $0) } ?? false)
    }
    // Anyone can announce a key: first the one that has shown it.
    let way = ways.min { ($0.shown?.key == id ? 0 : 1, $0.jid) < ($1.shown?.key == id ? 0 : 1, $1.jid) }
    return way.map { $0.detour(to: route?.jid ?? jid, of: id) }
  }

  /// The way to a device that is about to be dialled, by what the link says of it now; within `MeshLimits.resolving`.
  func resolved(_ route: Route) async -> Route {
    guard !route.device.isLocal, !route.isRelayed, let name = InstanceName(route.announced) else { return route }
    let told = resolutions.add()
    resolve(name)
    await withTaskGroup(of: Void.self) { group in
      group.addTask { for await other in told where other == name { return } }
      group.addTask { try? await Task.sleep(for: MeshLimits.resolving) }
      await group.next()
      group.cancelAll()
    }
    return (try? self.route(to: route.jid)) ?? route
  }

  func device(_ jid: JID) -> Device? { withRoutes { $0[jid.bare] }?.current }

  /// Sorted by address; those that are gone included.
  func devices() -> [Device] {
    let routes = withRoutes { Array($0.values) }
    return routes.map(\.current).sorted { $0.jid < $1.jid }
  }

  /// Devices that showed this key when they were dialled.
  func devices(showing id: NodeID) -> [JID] {
    withRoutes { $0.values.compactMap { $0.shown?.key == id ? $0.jid : nil } }
  }

  /// The node id that the device announces, which proves nothing.
  func hint(of jid: JID) -> NodeID? { withRoutes { $0[jid.bare] }?.device.node }

  /// Where it is announced.
  func endpoints(of jid: JID) -> [Endpoint] { withRoutes { $0[jid.bare] }?.device.endpoints ?? [] }

  /// Every device known now, then each one that changes. A watcher that does not keep up loses the oldest changes.
  func changes() -> AsyncStream<Device> {
    withState { watchers.add(first: Self.known($0)) }
  }

  /// The same with the two apart.
  func watch() -> (known: [Device], changes: AsyncStream<Device>) {
    withState { (Self.known($0), watchers.add()) }
  }

  private static func known(_ state: borrowing State) -> [Device] {
    state.entries.values.map(\.route.current).sorted { $0.jid < $1.jid }
  }

  // MARK: What happens

  func received(_ event: DiscoveryEvent, from source: DiscoverySource) {
    change { state in
      let changed = state.discovered.received(event, from: source, now: .now)
      // That it was seen once more shows in its entry alone.
      if let name = event.instance, let time = state.discovered.lastSeen(name) {
        state.entries[name.jid]?.facts.lastSign.note(time)
      }
      return changed
    }
    if event == .available { restartsContinuation.yield() }
    if case .resolved(let name) = event { resolutions.tell(name) }
  }

  func withdrew(id: String) { change { $0.discovered.withdrew(id: id, now: .now) } }

  /// Nobody accepted a connection where the device is, or answered on it, and so nobody does for the others that are there.
  func dialFailed(_ jid: JID) {
    change { state in companions(of: jid, state).flatMap { state.discovered.dialFailed($0, now: .now) } }
  }

  /// The device and those that the same node announces at the same addresses.
  private func companions(of jid: JID, _ state: State) -> [JID] {
    guard let device = state.entries[jid]?.route.device, let node = device.node,
      !device.endpoints.isEmpty || device.server != nil
    else {
      return [jid]
    }
    let others = state.entries.values.lazy.map(\.route.device).filter {
      $0.node == node && $0.endpoints == device.endpoints && $0.server == device.server && $0.jid != jid
    }
    return [jid] + others.map(\.jid)
  }

  func expire() { change { $0.discovered.expire(now: .now) } }

  /// A stream to the device works, or it answered. What is known already costs no lock.
  func answered(_ route: Route) {
    route.lastSign.note(.now)
    guard route.device.state != .online else { return }
    change { state in companions(of: route.announced, state).flatMap { state.discovered.answered($0, now: .now) } }
  }

  func learned(_ route: Route, http: Bool) {
    guard route.device.http != http else { return }
    amend(route.jid) { $0.http = http }
  }

  /// A response came by way of the device's node, which says in `Proxy-Status` (RFC 9209) where it is not the app's.
  func learned(_ route: Route, from response: HTTPXResponse) {
    let fields = response.head.headerFields
    let known = route.device.appFailure
    guard known != nil || fields.has(.proxyStatus) else { return }
    let reason = OriginFailure.reason(in: fields, of: route.authority)
    let now = Date()
    let isSame = reason != nil && known?.reason == reason
    if isSame, let known, now.timeIntervalSince(known.noted) < MeshLimits.appFailureAgain { return }
    let since = isSame ? known?.since ?? now : now
    amend(route.jid) { $0.appFailure = reason.map { Device.AppFailure(reason: $0, since: since, noted: now) } }
  }

  /// What came out when the device was dialled, as what it announced then. Where there is TLS it has shown its key.
  func learned(_ route: Route, key: NodeID?) {
    let isEncrypted = key != nil
    guard route.shown != Route.Shown(key: key) || route.device.isEncrypted != isEncrypted else { return }
    amend(route.announced) {
      $0.shown = (key, route.hint)
      $0.isEncrypted = isEncrypted
    }
  }

  /// A stream came in from a peer without a key, who may be anyone: for the owner to see, and only where the link lists the
  /// device that it says it is at the address that it came from.
  func came(_ identity: PeerIdentity) {
    guard let jid = identity.address, let host = identity.networkAddress, let route = withRoutes({ $0[jid.bare] }),
      !route.device.isLocal, route.hosts.contains(host)
    else { return }
    amend(route.jid) { $0.isEncrypted = identity.isEncrypted }
  }

  /// Something about a device has changed of which its route knows nothing.
  func tellAgain(_ jid: JID) {
    withState { state in
      if let route = state.entries[jid]?.route { watchers.tell(route.current) }
    }
  }

  /// What these nodes are to this one has changed, or whose these devices are.
  func refresh(_ nodes: Set<NodeID>, _ devices: Set<JID>) {
    withState { state in
      for (jid, entry) in state.entries where entry.route.concerns(nodes, devices) {
        put(entry.facts, jid, &state)
        if let route = state.entries[jid]?.route { watchers.tell(route.current) }
        if devices.contains(jid) { keepFresh(entry.facts.discovered) }
      }
    }
  }

  // MARK: Entry by entry

  @inline(never) private func change(_ body: (inout State) -> [DiscoveredDevice]) {
    withState { state in
      for discovered in body(&state) { update(discovered, &state) }
      for name in state.discovered.takeForgotten() { remove(name.jid, &state) }
    }
  }

  private func update(_ discovered: DiscoveredDevice, _ state: inout State) {
    let jid = discovered.jid
    var facts = state.entries[jid]?.facts ?? DeviceFacts(discovered)
    // What it said over a stream is over where it announces something else (XEP-0115 §5).
    if facts.discovered.record.verification != discovered.record.verification { facts.http = nil }
    facts.lastSign.note(discovered.seen)
    if facts.discovered.state == .gone || state.entries[jid] == nil { keepFresh(discovered) }
    facts.discovered = discovered
    let isListed = state.discovered.lastSeen(discovered.name) != nil
    let route = isListed ? put(facts, jid, &state) : facts.route(capabilities, trustService)
    watchers.tell(route.current)
    guard isListed else { return remove(jid, &state) }
    guard discovered.state == .gone else { return }
    (facts.http, facts.shown, facts.isEncrypted) = (nil, nil, nil)
    put(facts, jid, &state)
  }

  /// What belongs to friends is kept fresh from when it comes.
  private func keepFresh(_ discovered: DiscoveredDevice) {
    guard !discovered.isLocal, discovered.state != .gone, trustService.isPinned(discovered.jid) else { return }
    resolve(discovered.name)
  }

  @inline(never) private func amend(_ jid: JID, _ body: (inout DeviceFacts) -> Void) {
    withState { state in
      guard let entry = state.entries[jid] else { return }
      var facts = entry.facts
      body(&facts)
      let route = put(facts, jid, &state)
      if route !== entry.route { watchers.tell(route.current) }
    }
  }

  /// Makes the route anew; where it would lead to the same, the one that is there stays.
  @discardableResult
  private func put(_ facts: DeviceFacts, _ jid: JID, _ state: inout State) -> Route {
    let route = facts.route(capabilities, trustService)
    if let known = state.entries[jid]?.route, known.leads(sameAs: route) {
      state.entries[jid]?.facts = facts
      return known
    }
    state.entries[jid] = Entry(facts: facts, route: route)
    withRoutes { $0[jid] = route }
    return route
  }

  private func remove(_ jid: JID, _ state: inout State) {
    state.entries[jid] = nil
    withRoutes { $0[jid] = nil }
  }

  private func withState<Value>(_ body: (inout sending State) -> sending Value) -> Value {
    countLock()
    return state.withLock(body)
  }

  private func withRoutes<Value>(_ body: (inout sending [JID: Route]) -> sending Value) -> Value {
    countLock()
    return routes.withLock(body)
  }

  private func countLock() {
    #if DEBUG
      locks.add(1, ordering: .relaxed)
    #endif
  }
}

extension DiscoveryEvent {
  /// The device that it is about, where it is about one.
  fileprivate var instance: InstanceName? {
    switch self {
    case .found(let sighting): sighting.key.instance
    case .lost(let key), .listed(let key), .unanswered(let key): key.instance
    case .announced, .refused, .resolved, .available, .unavailable: nil
    }
  }
}
