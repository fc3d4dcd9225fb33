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
  private enum Job: Sendable {
    case dial(JID)
    case expire
  }

  private let discovery: any Discovery
  private let eventLoopGroup: any EventLoopGroup
  private let logger: Logger
  private let configuration: NodeConfiguration
  private let wanted: JID
  private let capabilities = Capabilities()
  private let directory: Directory
  private let table: ServiceTable
  private let pool: StreamPool
  private let router: Router
  package let friendships: Friendships
  private let gatekeeper: Gatekeeper
  private let security: StreamSecurity
  /// What `run()` has to do beside its loops.
  private let jobs: AsyncStream<Job>
  private let jobsContinuation: AsyncStream<Job>.Continuation
  private let readiness: EventLoopPromise<Void>

  private struct State {
    var port = 0
    var discoveryProblem: String? = "not started"
  }
  private let state = Mutex(State())

  /// - Throws: `NodeError` where name and machine make no address.
  package init(
    configuration: NodeConfiguration, friendships: Friendships, discovery: any Discovery,
    eventLoopGroup: any EventLoopGroup, logger: Logger
  ) throws {
    guard let wanted = JID(user: configuration.name, machine: configuration.machine) else {
      throw NodeError.badName("\(configuration.name)@\(configuration.machine)")
    }
    self.wanted = wanted
    self.configuration = configuration
    self.discovery = discovery
    self.eventLoopGroup = eventLoopGroup
    self.logger = logger
    self.friendships = friendships
    security = try StreamSecurity(friendships.identity)
    directory = Directory(capabilities: capabilities, friendships: friendships)
    gatekeeper = Gatekeeper(friendships: friendships, directory: directory)
    let table = ServiceTable(
      node: wanted, machine: configuration.machine, id: friendships.id.description)
    self.table = table
    pool = StreamPool(eventLoopGroup: eventLoopGroup)
    router = Router(service: { table.service($0) }, logger: logger)
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
      group.addTask { await self.friendships.run() }
      group.addTask { for await _ in self.friendships.events() { self.directory.refresh() } }
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
    case .announced(let id, let jid):
      table.announced(id, as: jid)
      logger.info("announced", metadata: ["device": "\(jid)"])
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
    do {
      try await router.answer(
        request, for: device, from: Caller(jid: table.node, id: friendships.id, standing: .self), send: receive)
    } catch let error as StanzaError {
      throw MeshError(.stanza(error), device: device, lastSeen: nil)
    }
  }

  /// A stream that reaches the device, as far as can be known before something is sent.
  func stream(to device: JID) async throws -> PeerStream {
    switch try pool.lookup(device) {
    case .open(let stream):
      do {
        try await stream.prove(at: directory.device(device)?.endpoints.compactMap(\.socketAddress) ?? [])
        return stream
      } catch is StreamFailure {
        // It is closed, so this time one is dialled.
        return try await self.stream(to: device)
      }
    case .dialling(let future):
      return try await future.value()
    case .dial(let future):
      jobsContinuation.yield(.dial(device))
      return try await future.value()
    }
  }

  /// Opens a stream and lives with it until it ends.
  private func dial(_ device: JID) async {
    do {
      let stream = try await open(device)
      pool.dialled(device, .success(stream))
      directory.answered(device)
      await live(with: stream)
      pool.ended(stream, to: device)
    } catch {
      pool.dialled(device, .failure(error))
    }
  }

  private func live(with stream: PeerStream) async {
    await stream.run()
    gatekeeper.ended(stream, await stream.identity)
  }

  /// - Throws: `MeshError`; `StreamFailure` where this node stops.
  private func open(_ jid: JID) async throws -> PeerStream {
    guard let device = directory.device(jid) else {
      throw MeshError(
        .notDiscovered, device: jid,
        message: "No device “\(jid)” is announced on this network. The list: hearth devices")
    }
    let addresses = device.endpoints.compactMap(\.socketAddress)
    guard !addresses.isEmpty else {
      let what = device.state == .gone ? "has left the network" : "is listed on the network, and does not answer"
      throw MeshError(.away, device: jid, message: "“\(jid)” \(what). Is it switched on?", lastSeen: device.seen)
    }
    do {
      // Whether there has to be TLS is for us to say: one in the middle could take the offer out.
      let expected = friendships.expectedKey(of: jid, hint: directory.hint(of: jid))
      let stream = try await PeerStream.dial(
        addresses, from: table.node, to: jid, tls: expected == nil ? .preferred : .required, host: streamHost,
        eventLoop: eventLoopGroup.next(), logger: logger)
      try await check(stream, to: jid)
      return stream
    } catch let error as MeshError {
      throw error
    } catch is CancellationError {
      throw StreamPool.shuttingDown
    } catch let error as StreamFailure {
      // Somebody accepts, and never says a word: a program that hangs.
      if case .timedOut = error { directory.dialFailed(jid) }
      throw MeshError(error, device: jid, lastSeen: device.seen)
    } catch {
      directory.dialFailed(jid)
      throw MeshError(unreachable: jid, error, lastSeen: device.seen)
    }
  }

  /// Whom we reached: a device with another key than its name belongs to gets nothing from us.
  private func check(_ stream: PeerStream, to jid: JID) async throws {
    guard let identity = await stream.identity else { return }
    let standing = gatekeeper.standing(identity)
    directory.learned(jid, standing: standing)
    guard let refusal = standing.refusal else { return }
    stream.cut()
    gatekeeper.ended(stream, identity)
    logger.warning(
      "refused", metadata: ["device": "\(jid)", "why": "\(refusal.name)", "detail": "\(refusal.detail)"])
    let code: MeshError.Code = standing == .blocked ? .forbidden : .changed
    throw MeshError(code, device: jid, message: "“\(jid)” is not who it should be: \(refusal.detail).")
  }

  private var streamHost: StreamHost {
    let gatekeeper = self.gatekeeper
    let table = self.table
    let router = self.router
    return StreamHost(
      node: { table.node },
      isLocal: { table.isLocal($0) },
      version: SoftwareVersion(name: "Hearth", version: configuration.version),
      info: { table.service($0) == nil ? Capabilities.ofNode : Capabilities.ofService },
      security: security,
      opened: { gatekeeper.opened($0, $1) },
      received: { stanza, _, identity in gatekeeper.received(stanza, identity) },
      answer: { incoming, send in
        let caller = gatekeeper.caller(incoming.peer)
        try await router.answer(incoming.request, for: incoming.device, from: caller, send: send)
      })
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
    return [.get, .head, .options, .trace, .put, .delete].contains(head.method)
  }
}
