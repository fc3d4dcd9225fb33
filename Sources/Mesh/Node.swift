import FoundationEssentials
import HTTPTypes
package import HTTPX
package import LinkLocal
package import Logging
package import NIOCore
import NIOPosix
import ServiceLifecycle
import Streams
import Synchronization
import TLS
import Trust
package import XMPP

/// This machine's part of the mesh: who is here, how to reach them, who answers.
///
/// More than eight properties: one for each of its parts.
package final class Node: Service {
  package let configuration: NodeConfiguration
  let discovery: any Discovery
  let directory: Directory
  let gatekeeper: Gatekeeper
  let router: Router
  let dialer: Dialer
  let office: Office
  let memory: MemoryBudget
  private let trace: Trace
  private let setup: StreamSetup
  private let readiness: EventLoopPromise<Void>
  // The eleventh: what there is to tell of its own state. The others are its parts.
  private let state = Mutex(State())

  private struct State {
    var port = 0
    var discoveryProblem: String? = "not started"
    var announcementProblem: String?
    /// Why something was not announced that was said last.
    var lastRefusal: String?
  }

  package var trustService: TrustService { gatekeeper.trustService }
  private var table: ServiceTable { router.table }
  private var logger: Logger { setup.logger }

  /// `whenQuiet` is called on an event loop when requests and streams have come to rest, each time that some have ended.
  ///
  /// - Throws: `NodeError` where name and machine make no address.
  package init(
    configuration: NodeConfiguration, trustService: TrustService, discovery: any Discovery,
    eventLoopGroup: any EventLoopGroup, logger: Logger, whenQuiet: @escaping @Sendable () -> Void = {}
  ) throws {
    guard let wanted = InstanceName(user: configuration.name, machine: configuration.machine) else {
      throw NodeError.badName("\(configuration.name)@\(configuration.machine)")
    }
    self.configuration = configuration
    self.discovery = discovery
    directory = Directory(trustService: trustService) { discovery.resolve($0) }
    gatekeeper = Gatekeeper(trustService: trustService, directory: directory)
    let table = ServiceTable(wanted: wanted, machine: configuration.machine, id: trustService.id.description)
    trace = Trace(logger: logger)
    router = Router(
      table: table, trustService: trustService,
      requestLog: RequestLog(accessLogger: configuration.accessLog ? logger : nil, trace: trace), logger: logger)
    office = Office(
      trustService: trustService, gatekeeper: gatekeeper, directory: directory, table: table,
      logger: logger)
    let quietTimer = QuietTimer(eventLoop: eventLoopGroup.next(), action: whenQuiet)
    memory = MemoryBudget(limit: configuration.memory)
    let host = StreamHost(
      gatekeeper, router, office, quietTimer, security: try StreamSecurity(trustService.identity),
      memory: memory, preference: configuration.preference, tap: trace.tap, version: configuration.version)
    setup = StreamSetup(
      host: host, table: table, quietTimer: quietTimer, eventLoopGroup: eventLoopGroup, logger: logger)
    dialer = Dialer(directory: directory, gatekeeper: gatekeeper, office: office, setup: setup)
    readiness = eventLoopGroup.next().makePromise()
  }

  deinit {
    // Where it never ran.
    readiness.fail(CancellationError())
  }

  // MARK: Life

  /// Listens, announces, answers, until the graceful shutdown: then goodbye, and the streams are closed.
  ///
  /// - Throws: where the port cannot be had.
  package func run() async throws {
    defer { stopped() }
    await gatekeeper.connect()
    let listener: StreamListener
    do {
      listener = try await StreamListener(
        port: configuration.port, host: setup.host, eventLoopGroup: setup.eventLoopGroup, logger: logger)
    } catch let error as IOError {
      throw NodeError.cannotListen(port: configuration.port, code: error.errnoCode)
    }
    state.withLock { $0.port = listener.port }
    discovery.announce(table.nodeAnnouncement(port: listener.port))
    for service in table.all { announce(service) }
    await withDiscardingTaskGroup { group in
      group.addTask { await self.discovery.run() }
      group.addTask { for await event in self.discovery.events { self.received(event) } }
      group.addTask {
        await withDiscardingTaskGroup { group in
          for await stream in listener.streams { group.addTask { await self.dialer.run(stream) } }
        }
      }
      group.addTask { await self.dialer.run() }
      group.addTask { await self.directory.run() }
      group.addTask { await self.gatekeeper.run() }
      group.addTask { await self.office.run() }
      group.addTask { await self.trustService.run() }
      group.addTask { await HealthChecks(table: self.table, logger: self.logger).run() }
      group.addTask { await self.tellHealth() }
      group.addTask { await self.deliverOutbox() }
      group.addTask { await self.remind() }
      group.addTask { for await event in self.trustService.events() { self.heard(event) } }
      try? await gracefulShutdown()
      listener.close()
      // Goodbye first: while streams end, nobody shall open new ones.
      discovery.withdraw(id: ServiceTable.nodeID)
      for service in table.all { discovery.withdraw(id: service.name) }
      group.cancelAll()
    }
  }

  /// Who watches devices learns that the app of one does not answer, or does again.
  private func tellHealth() async {
    for await name in table.healthChanges {
      if let jid = table.served.first(where: { $0.name == name })?.jid { directory.tellAgain(jid) }
    }
  }

  private func stopped() {
    dialer.shutDown()
    directory.shutDown()
    readiness.fail(CancellationError())
  }

  /// Reaches friends over an account, and is reached, until it ends or another one is used.
  package func use(_ account: AccountSettings) async { await office.serve(account, over: dialer) }

  /// Answers at the addresses of a component, until it ends.
  package func use(component: any AccountConnection) async {
    await ComponentServices(table: table, gatekeeper: gatekeeper).serve(component, over: dialer)
  }

  /// Whether there is an account by which devices may be reached.
  package var usesAccount: Bool { office.isUsed }

  package var relayAddress: JID? { office.relayAddress }

  /// How far that goes; nil without an account.
  package func officeReport() async -> OfficeReport? { await office.report() }

  /// Friends are told that there is no account any more. One that merely ends is there again.
  package func forgetAccount() { gatekeeper.share(nil) }

  /// Waits until the node listens, and its own announcement stands, or cannot be made for now: `status` says why. It is made
  /// once that can be done.
  package func waitUntilReady() async throws {
    try await readiness.futureResult.get()
  }

  private func received(_ event: DiscoveryEvent) {
    // The directory first: what the table says to be announced can be asked at once.
    directory.received(event, from: discovery.source)
    note(event)
    logger.trace("discovery", metadata: ["event": "\(event)"])
    switch event {
    // Both the table and the directory know it now: who waits for it may go on.
    case .announced(ServiceTable.nodeID, _), .refused(ServiceTable.nodeID, _), .unavailable: readiness.succeed()
    case .announced(let id, _), .refused(let id, _): table.release(id)
    case .available, .found, .lost, .listed, .unanswered, .resolved: break
    }
  }

  private func note(_ event: DiscoveryEvent) {
    switch event {
    case .announced(let id, let name):
      table.announced(id, as: name.jid)
      office.devicesChanged()
      if id == ServiceTable.nodeID { state.withLock { $0.announcementProblem = nil } }
      logger.info("announced", metadata: ["device": "\(name)"])
    case .refused(let id, let reason):
      table.refused(id, reason: reason)
      refused(id, reason)
    case .available:
      // What avahi-daemon takes, it says again.
      state.withLock {
        ($0.discoveryProblem, $0.announcementProblem, $0.lastRefusal) = (nil, nil, nil)
      }
    case .unavailable(let reason):
      state.withLock { $0.discoveryProblem = reason }
      logger.warning("discovery is not available", metadata: ["reason": "\(reason)"])
    case .found, .lost, .listed, .unanswered, .resolved: break
    }
  }

  /// Said once, where everything is refused for the same reason.
  private func refused(_ id: String, _ reason: String) {
    let isSaid = state.withLock { state in
      defer { state.lastRefusal = reason }
      if id == ServiceTable.nodeID { state.announcementProblem = reason }
      return state.lastRefusal == reason
    }
    guard !isSaid else { return }
    let name = id == ServiceTable.nodeID ? configuration.name : id
    logger.error("cannot be announced", metadata: ["name": "\(name)", "reason": "\(reason)"])
  }

  /// How it calls itself in `Proxy-Status` (RFC 9209 §2): by its own address.
  package var proxyName: String { HTTPXURI(jid: table.node).authority }

  /// What it has served and sent.
  package var requestLog: RequestLog { router.requestLog }

  /// Stanzas and requests from now on, until the consumer stops. What is not read in time is lost, the oldest first.
  package func traceEvents() -> AsyncStream<TraceEvent> { trace.events() }

  // MARK: Devices

  /// Sorted by address; those that are gone included.
  package func devices() -> [Device] { directory.devices() }

  package func device(_ jid: JID) -> Device? { directory.device(jid) }

  /// Every device known now, then each one that changes, until the consumer or the node stops.
  package func watchDevices() -> (known: [Device], changes: AsyncStream<Device>) { directory.watch() }
  package func deviceChanges() -> AsyncStream<Device> { directory.changes() }

  package func status() -> NodeStatus {
    let (port, problem, refusal) = state.withLock { ($0.port, $0.discoveryProblem, $0.announcementProblem) }
    let carried = setup.host.dataConnections.carried
    return NodeStatus(
      jid: table.node, wanted: table.wanted.jid, port: port, discoveryProblem: problem,
      announcementProblem: problem == nil ? refusal : nil, services: table.served, streams: dialer.streams,
      bodies: NodeStatus.Bodies(direct: carried.direct, fellBack: carried.fellBack))
  }

  // MARK: Services

  /// Announces and serves; replaces the service of the same name, and updates its announcement in place.
  package func serve(_ service: HostedService) {
    table.insert(service)
    announce(service)
    office.devicesChanged()
  }

  /// False where no such service is.
  package func unserve(_ name: String) -> Bool {
    guard table.remove(name) else { return false }
    discovery.withdraw(id: name)
    directory.withdrew(id: name)
    office.devicesChanged()
    return true
  }

  /// How a service stands once it is announced, or cannot be, or `limit` is over; nil where it is not served.
  package func standing(of name: String, within limit: Duration) async -> NodeStatus.Served? {
    await withTaskGroup { group in
      group.addTask { await self.table.settled(name) }
      group.addTask { try? await Task.sleep(for: limit) }
      await group.next()
      table.release(name)
      group.cancelAll()
    }
    return table.served.first { $0.name == name }
  }

  private func announce(_ service: HostedService) {
    let port = state.withLock { $0.port }
    // Before the node listens there is nothing to announce; `run()` makes up for it.
    guard port != 0 else { return }
    guard let announcement = table.announcement(of: service, port: port) else {
      table.refused(service.name, reason: "name and machine are longer than a DNS label, 63 bytes")
      return table.release(service.name)
    }
    discovery.announce(announcement)
  }

  // MARK: Requests

  /// The way to a device, in whatever case its address is written: one look, for all that a request needs to know of it.
  ///
  /// - Throws: `MeshError.notDiscovered`.
  package func route(to device: JID) throws(MeshError) -> Route {
    do {
      return try directory.route(to: device)
    } catch {
      guard error.code == .notDiscovered else { throw error }
      if let route = office.route(toForeign: device) { return route }
      throw notDiscovered(device)
    }
  }

  /// Asks a device, and hands its answer to `receive`, which has to take the body before it returns.
  ///
  /// - Parameter patience: for how long a device that was here lately and cannot be reached is tried.
  /// - Throws: `MeshError` where there is no answer; what `receive` throws; `CancellationError`.
  package func send(
    _ request: HTTPXRequest, along route: Route, patience: Duration = .zero,
    receive: (HTTPXResponse) async throws -> Void
  ) async throws {
    defer { setup.quietTimer.somethingEnded() }
    if route.device.isLocal { return try await sendLocally(request, to: route.jid, receive: receive) }
    requestLog.began()
    var progress = RequestProgress()
    do {
      try await dialer.send(progress.began(request, requestLog), along: route, patience: patience) { response in
        try await receive(progress.answered(response, requestLog))
      }
    } catch {
      ended(request.head, along: route, progress, error)
      throw error
    }
    ended(request.head, along: route, progress, nil)
  }

  @inline(never) private func ended(
    _ head: HTTPRequest, along route: Route, _ progress: RequestProgress, _ error: (any Error)?
  ) {
    requestLog.ended(
      RequestRecord(.sent, head, to: route.jid, by: nil, progress, failure: error, at: Date()), of: nil)
  }

  /// The same for a caller that knows no more than the address.
  package func send(
    _ request: HTTPXRequest, to device: JID, receive: (HTTPXResponse) async throws -> Void
  ) async throws {
    try await send(request, along: route(to: device), receive: receive)
  }

  /// A device of this node needs no stream. Apart, so that the memory of a request that waits has no room for this.
  @inline(never) private func sendLocally(
    _ request: HTTPXRequest, to device: JID, receive: (HTTPXResponse) async throws -> Void
  ) async throws {
    let own = PeerIdentity(address: table.node, proof: .tls(trustService.id, spki: trustService.identity.spki))
    do {
      try await router.answer(request, for: device, from: Caller(identity: own, standing: .self), send: receive)
    } catch let error as StanzaError {
      throw MeshError(.stanza(error), device: device, lastSeen: nil)
    }
  }
}

/// Why a node cannot be made.
package enum NodeError: Error, Equatable, CustomStringConvertible {
  case badName(String)
  /// The system's number for why the port for peers cannot be had; nil for any port.
  case cannotListen(port: Int?, code: Int32)

  package var description: String {
    switch self {
    case .badName(let name):
      "“\(name)” is no address of a device: name and machine together may have at most 63 bytes, no control characters."
    case .cannotListen(let port, let code):
      "TCP port \(port.map(String.init) ?? "of any number") for peers: \(String(cString: strerror(code)))"
    }
  }
}
