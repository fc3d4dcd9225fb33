import LinkLocal
import Synchronization
import Trust
import XMPP

/// The devices that this node announces: its services, each under its own name, and the node itself.
final class ServiceTable: Sendable {
  private struct Entry {
    var service: HostedService
    /// What it is to be announced as; nil where name and machine make no address.
    var wanted: JID?
    /// As the link has accepted it.
    var jid: JID?
    var problem: String?
  }

  private struct State {
    private(set) var services: [String: Entry] = [:]
    var node: JID
    /// The names of the services by the addresses that they have on the link, since every request asks.
    private var names: [JID: String] = [:]
    /// The same by the addresses that they are meant to have, or had before. Whoever has reached this node by its key may go on
    /// to use them, whatever mDNS calls the services meanwhile: anyone on the link can take a name.
    private var otherNames: [JID: String] = [:]
    /// Who waits for a service to be announced, by its name.
    var waiters: [String: [CheckedContinuation<Void, Never>]] = [:]

    init(node: JID) { self.node = node }

    func name(_ jid: JID) -> String? { names[jid] ?? otherNames[jid] }

    mutating func insert(_ service: HostedService, wanted: JID?) {
      set(service.name, Entry(service: service, wanted: wanted, jid: services[service.name]?.jid))
      if let wanted { otherNames[wanted] = service.name }
    }

    mutating func set(_ name: String, _ entry: Entry) {
      if let old = services[name]?.jid, names[old] == name {
        names[old] = nil
        // Of two services, the one that is meant to have this address keeps it.
        if otherNames[old] == nil { otherNames[old] = name }
      }
      services[name] = entry
      if let new = entry.jid { names[new] = name }
    }

    mutating func remove(_ name: String) -> Bool {
      names = names.filter { $0.value != name }
      otherNames = otherNames.filter { $0.value != name }
      return services.removeValue(forKey: name) != nil
    }
  }

  /// The announcement of the node itself; no service can have this id, since a name is not empty.
  static let nodeID = ""

  /// What the node wants to be called itself.
  let wanted: InstanceName
  private let machine: String
  /// Announced with each device, as a hint whose key to expect.
  private let id: String
  private let state: Mutex<State>
  private let insertions = AsyncStream.makeStream(
    of: HostedService.self, bufferingPolicy: .bufferingNewest(MeshLimits.healthChecks))
  private let healthReports = AsyncStream.makeStream(
    of: String.self, bufferingPolicy: .bufferingNewest(MeshLimits.healthChecks))

  /// - Parameter wanted: what the node wants to be called itself.
  init(wanted: InstanceName, machine: String, id: String) {
    self.wanted = wanted
    self.id = id
    self.machine = machine
    self.state = Mutex(State(node: wanted.jid))
  }

  /// The node's own address, as announced, or as wanted until it is.
  var node: JID { state.withLock { $0.node } }

  func service(_ jid: JID) -> HostedService? {
    state.withLock { state in state.name(jid).flatMap { state.services[$0]?.service } }
  }

  /// The service of this name: its address, and who may use it.
  func device(named name: String) -> (jid: JID, policy: AccessPolicy)? {
    state.withLock { state in
      state.services[name].flatMap { entry in (entry.jid ?? entry.wanted).map { ($0, entry.service.policy) } }
    }
  }

  /// Whether this is an address of this node or of one of its services: one that it has, is meant to have, or had before.
  func isLocal(_ jid: JID) -> Bool {
    state.withLock { state in state.node == jid || jid == wanted.jid || state.name(jid) != nil }
  }

  var all: [HostedService] {
    state.withLock { $0.services.values.map(\.service).sorted { $0.name < $1.name } }
  }

  var served: [NodeStatus.Served] {
    state.withLock { state in
      state.services.values.sorted { $0.service.name < $1.service.name }.map { entry in
        NodeStatus.Served(
          name: entry.service.name, wanted: entry.wanted, jid: entry.jid, target: entry.service.target,
          policy: entry.service.policy, problem: entry.problem, health: entry.service.health.report)
      }
    }
  }

  func insert(_ service: HostedService) {
    let wanted = InstanceName(user: service.name, machine: machine)?.jid
    state.withLock { $0.insert(service, wanted: wanted) }
    insertions.continuation.yield(service)
  }

  /// Each service that is served from now on, and those that nobody has taken yet; for one reader.
  var inserted: AsyncStream<HostedService> { insertions.stream }

  /// The health of a service is another than before.
  func healthChanged(_ name: String) { healthReports.continuation.yield(name) }

  /// Of services, each time that it is; for one reader.
  var healthChanges: AsyncStream<String> { healthReports.stream }

  func remove(_ name: String) -> Bool {
    let isRemoved = state.withLock { $0.remove(name) }
    release(name)
    return isRemoved
  }

  func announced(_ id: String, as jid: JID) {
    state.withLock { state in
      if id == Self.nodeID { return state.node = jid }
      guard var entry = state.services[id] else { return }
      (entry.jid, entry.problem) = (jid, nil)
      state.set(id, entry)
    }
  }

  func refused(_ id: String, reason: String) {
    state.withLock { state in
      guard var entry = state.services[id] else { return }
      (entry.jid, entry.problem) = (nil, reason)
      state.set(id, entry)
    }
  }

  /// Returns when it is known whether the service can be announced, or when nobody should wait for that any more.
  func settled(_ name: String) async {
    await withCheckedContinuation { continuation in
      let waits = state.withLock { state in
        guard let entry = state.services[name], entry.jid == nil, entry.problem == nil else { return false }
        state.waiters[name, default: []].append(continuation)
        return true
      }
      if !waits { continuation.resume() }
    }
  }

  /// Lets go of whoever waits for this service.
  func release(_ name: String) {
    let waiters = state.withLock { $0.waiters.removeValue(forKey: name) ?? [] }
    for waiter in waiters { waiter.resume() }
  }

  /// What to announce for a service: `name@machine`, and what it says of itself.
  ///
  /// - Returns: nil where name and machine make no address.
  func announcement(of service: HostedService, port: Int) -> Announcement? {
    InstanceName(user: service.name, machine: machine).map { name in
      announcement(
        service.name, name, port: port, info: Capabilities.ofService, nick: service.title ?? service.name,
        message: service.description)
    }
  }

  func nodeAnnouncement(port: Int) -> Announcement {
    announcement(Self.nodeID, wanted, port: port, info: Capabilities.ofNode, nick: wanted.user, message: nil)
  }

  private func announcement(
    _ id: String, _ name: InstanceName, port: Int, info: DiscoInfo, nick: String, message: String?
  ) -> Announcement {
    let record = TXTRecord(
      port: port, nick: nick, node: Capabilities.node, ver: info.verification(), message: message, id: self.id)
    return Announcement(id: id, name: name, port: port, record: record)
  }
}
