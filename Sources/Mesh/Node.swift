import Codecs
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
package final class Node: Service {
  enum Job: Sendable {
    case dial(JID)
    case expire
  }

  let discovery: any Discovery
  let eventLoopGroup: any EventLoopGroup
  let logger: Logger
  package let configuration: NodeConfiguration
  private let wanted: InstanceName
  private let capabilities = Capabilities()
  let directory: Directory
  let table: ServiceTable
  let pool: StreamPool
  let router: Router
  let quietTimer: QuietTimer
  package let trustService: TrustService
  let gatekeeper: Gatekeeper
  let security: StreamSecurity
  /// What `run()` has to do beside its loops.
  let jobs: AsyncStream<Job>
  let jobsContinuation: AsyncStream<Job>.Continuation
  private let readiness: EventLoopPromise<Void>

  private struct State {
    var port = 0
    var discoveryProblem: String? = "not started"
  }
  private let state = Mutex(State())

  /// `whenQuiet` is called on an event loop when requests have come to rest, each time that there were some.
  ///
  /// - Throws: `NodeError` where name and machine make no address.
  package init(
    configuration: NodeConfiguration, trustService: TrustService, discovery: any Discovery,
    eventLoopGroup: any EventLoopGroup, logger: Logger, whenQuiet: @escaping @Sendable () -> Void = {}
  ) throws {
    guard let wanted = InstanceName(user: configuration.name, machine: configuration.machine) else {
      throw NodeError.badName("\(configuration.name)@\(configuration.machine)")
    }
    self.wanted = wanted
    self.configuration = configuration
    self.discovery = discovery
    self.eventLoopGroup = eventLoopGroup
    self.logger = logger
    self.trustService = trustService
    security = try StreamSecurity(trustService.identity)
    directory = Directory(capabilities: capabilities, trustService: trustService)
    gatekeeper = Gatekeeper(trustService: trustService, directory: directory)
    let table = ServiceTable(
      node: wanted.jid, machine: configuration.machine, id: trustService.id.description)
    self.table = table
    pool = StreamPool(eventLoopGroup: eventLoopGroup)
    router = Router(service: { table.service($0) }, refused: { trustService.decided($0) }, logger: logger)
    quietTimer = QuietTimer(eventLoop: eventLoopGroup.next(), action: whenQuiet)
    (jobs, jobsContinuation) = AsyncStream.makeStream()
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
    let listener = try await StreamListener(
      port: configuration.port, host: streamHost, eventLoopGroup: eventLoopGroup, logger: logger)
    state.withLock { $0.port = listener.port }
    discovery.announce(table.nodeAnnouncement(wanted: wanted, port: listener.port))
    for service in table.all { announce(service) }
    await withDiscardingTaskGroup { group in
      group.addTask { await self.discovery.run() }
      group.addTask { for await event in self.discovery.events { self.received(event) } }
      group.addTask {
        await withDiscardingTaskGroup { group in
          for await stream in listener.streams { group.addTask { await self.live(with: stream) } }
        }
      }
      group.addTask { await self.work() }
      group.addTask { await self.gatekeeper.run() }
      group.addTask { await self.trustService.run() }
      group.addTask { await self.deliverOutbox() }
      group.addTask { await self.remind() }
      group.addTask { for await event in self.trustService.events() { await self.heard(event) } }
      try? await gracefulShutdown()
      listener.close()
      // Goodbye first: while streams end, nobody shall open new ones.
      discovery.withdraw(id: ServiceTable.nodeID)
      for service in table.all { discovery.withdraw(id: service.name) }
      group.cancelAll()
    }
  }

  private func work() async {
    await withDiscardingTaskGroup { group in
      for await job in jobs {
        switch job {
        case .dial(let device): group.addTask { await self.dial(device) }
        case .expire:
          group.addTask {
            try? await Task.sleep(for: .seconds(LinkLocalLimits.grace))
            self.directory.expire()
          }
        }
      }
      group.cancelAll()
    }
  }

  private func stopped() {
    pool.shutDown()
    directory.shutDown()
    readiness.fail(CancellationError())
  }

  /// Waits until the node listens and its own announcement stands.
  package func waitUntilReady() async throws {
    try await readiness.futureResult.get()
  }

  private func received(_ event: DiscoveryEvent) {
    switch event {
    case .announced(let id, let name):
      table.announced(id, as: name.jid)
      logger.info("announced", metadata: ["device": "\(name)"])
      if id == ServiceTable.nodeID { readiness.succeed() }
    case .refused(let id, let reason):
      table.refused(id, reason: reason)
      logger.error("cannot be announced", metadata: ["name": "\(id)", "reason": "\(reason)"])
    case .available:
      state.withLock { $0.discoveryProblem = nil }
      jobsContinuation.yield(.expire)
    case .unavailable(let reason):
      state.withLock { $0.discoveryProblem = reason }
      logger.warning("discovery is not available", metadata: ["reason": "\(reason)"])
    case .found, .lost, .unanswered: break
    }
    directory.received(event)
  }

  // MARK: Devices

  /// Sorted by address; those that are gone included.
  package func devices() -> [Device] { directory.devices() }

  package func device(_ jid: JID) -> Device? { directory.device(jid) }

  /// Every device known now, then each one that changes, until the consumer or the node stops.
  package func deviceChanges() -> AsyncStream<Device> { directory.changes() }

  package func status() -> NodeStatus {
    let (port, problem) = state.withLock { ($0.port, $0.discoveryProblem) }
    return NodeStatus(
      jid: table.node, port: port, discoveryProblem: problem, services: table.served, streams: pool.count)
  }

  // MARK: Services

  /// Announces and serves; replaces the service of the same name, and updates its announcement in place.
  package func serve(_ service: HostedService) {
    table.insert(service)
    announce(service)
  }

  /// False where no such service is.
  package func unserve(_ name: String) -> Bool {
    guard table.remove(name) else { return false }
    discovery.withdraw(id: name)
    directory.withdrew(id: name)
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
      return table.refused(service.name, reason: "name and machine are longer than a DNS label, 63 bytes")
    }
    discovery.announce(announcement)
  }

  // MARK: Requests

  /// Asks a device, and hands its answer to `receive`, which has to take the body before it returns.
  ///
  /// - Throws: `MeshError` where there is no answer; what `receive` throws; `CancellationError`.
  package func send(
    _ request: HTTPXRequest, to device: JID, receive: (HTTPXResponse) async throws -> Void
  ) async throws {
    defer { quietTimer.requestEnded() }
    if table.isLocal(device) { return try await sendLocally(request, to: device, receive: receive) }
    var isAnswered = false
    for attempt in 1...2 {
      do {
        return try await stream(to: device).send(request) { response in
          isAnswered = true
          directory.answered(device)
          directory.learned(device, http: true)
          try await receive(response)
        }
      } catch StreamFailure.closed where attempt == 1 && !isAnswered && request.isRepeatable {
        // The stream broke before anything of the answer came, as one does that the other side has just found idle.
        continue
      } catch let error as StreamFailure where !isAnswered {
        if case .notHTTP = error { directory.learned(device, http: false) }
        throw MeshError(error, device: device, lastSeen: directory.device(device)?.seen)
      }
    }
  }

  /// A device of this node needs no stream.
  private func sendLocally(
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
package enum NodeError: Error, CustomStringConvertible {
  case badName(String)

  package var description: String {
    switch self {
    case .badName(let name):
      "“\(name)” is no address of a device: name and machine together may have at most 63 bytes, no control characters."
    }
  }
}

extension HTTPXRequest {
  /// Whether sending it twice is as good as once (RFC 9110 §9.2.2), and possible.
  fileprivate var isRepeatable: Bool {
    guard case .bytes = body.content else { return false }
    return head.method.isIdempotent
  }
}
