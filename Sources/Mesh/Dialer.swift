import EventLoops
import HTTPX
import LinkLocal
import Logging
import NIOCore
import NIOPosix
import Streams
import Trust
import XMPP

/// Reaches devices of other nodes: finds a stream or opens one, makes sure of who is at its other end, and sends.
///
/// A warm request takes a look into the pool, and then one call of the stream's actor.
final class Dialer: Sendable {
  private let directory: Directory
  private let gatekeeper: Gatekeeper
  let setup: StreamSetup
  private let office: Office
  private let pool: StreamPool
  /// What `run()` has to dial.
  private let dials: AsyncStream<Route>
  private let dialsContinuation: AsyncStream<Route>.Continuation

  init(directory: Directory, gatekeeper: Gatekeeper, office: Office, setup: StreamSetup) {
    self.office = office
    self.directory = directory
    self.gatekeeper = gatekeeper
    self.setup = setup
    pool = StreamPool(eventLoopGroup: setup.eventLoopGroup)
    (dials, dialsContinuation) = AsyncStream.makeStream()
  }

  /// Opens streams and lives with each until it ends; all of them end when this is cancelled.
  func run() async {
    await withDiscardingTaskGroup { group in
      for await route in dials { group.addTask { await self.dial(route) } }
      group.cancelAll()
    }
  }

  /// Whoever waits for a dial learns that nobody dials any more.
  func shutDown() { pool.shutDown() }

  /// How many streams it holds open.
  var streams: Int { pool.count }

  // MARK: Requests

  /// Sends a request, again where `RetryPolicy` says so, and hands the response to `receive`.
  ///
  /// - Throws: `MeshError` where there is no answer; what `receive` throws; `CancellationError`.
  func send(
    _ request: HTTPXRequest, along route: Route, patience: Duration, receive: (HTTPXResponse) async throws -> Void
  ) async throws {
    var route = route
    var retries = RetryPolicy(isRepeatable: request.isRepeatable, deadline: .now + patience)
    while true {
      var isAnswered = false
      do {
        let stream = try await stream(along: route).stream
        // Not by a capture list, with which the closure would be taken for `@concurrent` (Swift 6.3).
        let taken = route
        return try await stream.send(request, to: taken.jid, reachableAt: taken.hosts) { response in
          isAnswered = true
          directory.answered(taken)
          directory.learned(taken, http: true)
          directory.learned(taken, from: response)
          try await receive(response)
        }
      } catch  where !isAnswered {
        if let time = try retry(&retries, error, route) { try await awaitReachable(route.jid, until: time) }
      } catch let failure as StreamFailure {
        // Its body broke off.
        throw route.meshError(failure)
      }
      if !route.isForeign { route = try directory.route(to: route.jid) }
    }
  }

  /// Returns where the request is to be sent again: at once, or once the device is reachable or that time has come.
  ///
  /// - Throws: why there is no answer, where it is not.
  @inline(never) private func retry(
    _ retries: inout RetryPolicy, _ error: any Error, _ route: Route
  ) throws -> ContinuousClock.Instant? {
    let decision: RetryPolicy.Decision
    let failure: any Error
    switch error {
    case let error as StreamFailure:
      switch error {
      case .notHTTP: directory.learned(route, http: false)
      // It came over a stream whose key is the friend's: others are not kept.
      case .stanza(let error) where error.isOfStrangers: if let id = route.friend { gatekeeper.renounced(by: id) }
      default: break
      }
      decision = retries.failed(error)
      failure = route.meshError(error)
    case let error as MeshError:
      decision = retries.failed(error, now: .now)
      failure = error
    default: throw error
    }
    switch decision {
    case .never: throw failure
    case .now: return nil
    case .whenReachable(let time):
      setup.logger.debug("waiting for a device", metadata: ["device": "\(route.jid)", "reason": "\(failure)"])
      return time
    }
  }

  /// Returns when the device is on the network, or at `time`.
  @inline(never) private func awaitReachable(_ device: JID, until time: ContinuousClock.Instant) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { [directory] in
        for await known in directory.changes() where known.jid == device && known.isReachable { return }
      }
      group.addTask { try await Task.sleep(until: time, clock: .continuous) }
      defer { group.cancelAll() }
      try await group.next()
    }
  }

  // MARK: Streams

  /// A stream whose other end is who it has to be, as things are now.
  ///
  /// - Throws: `MeshError`; `CancellationError`.
  func stream(along route: Route) async throws -> OpenStream {
    if let open = try openStream(route) { return open }
    return try await newStream(along: route)
  }

  // Apart, so that the memory of a request that waits has no room for this.
  @inline(never) private func newStream(along route: Route) async throws -> OpenStream {
    // Where it is may have been told long ago.
    let route = await directory.resolved(route)
    switch try lookup(route) {
    case .open(let open): return open
    case .dialling(let future, _): return try await dialled(future, route)
    }
  }

  @inline(never) private func openStream(_ route: Route) throws -> OpenStream? {
    guard let open = pool.find(route) else { return nil }
    do {
      try approve(open, along: route)
      return open
    } catch {
      throw route.meshError(error)
    }
  }

  private func approve(_ open: OpenStream, along route: Route) throws(Imposture) {
    if route.shown == Route.Shown(key: open.nodeID) {
      try approve(open, route.device.standing)
    } else {
      try check(open, route)
    }
  }

  @inline(never) private func lookup(_ route: Route) throws -> StreamPool.Lookup {
    do {
      switch try pool.lookup(route) {
      case .open(let open):
        try approve(open, along: route)
        return .open(open)
      case .dialling(let future, let isNew):
        if isNew { dialsContinuation.yield(route) }
        return .dialling(future, isNew: isNew)
      }
    } catch {
      throw route.meshError(error)
    }
  }

  @inline(never) private func dialled(_ future: EventLoopFuture<OpenStream>, _ route: Route) async throws -> OpenStream
  {
    do {
      let open = try await future.value()
      try check(open, route)
      return open
    } catch {
      throw route.meshError(error)
    }
  }

  /// The same for what is not a request: a stream that was silent for a while is asked first whether its peer is there.
  func liveStream(along route: Route) async throws -> OpenStream {
    let open = try await stream(along: route)
    do {
      try await open.stream.verifyLiveness(at: route.hosts)
      return open
    } catch is StreamFailure {
      // It is closed, so this time one is dialled.
      return try await stream(along: route)
    }
  }

  /// The addresses of a route that can be a neighbour's.
  private func neighbours(_ route: Route) throws -> [SocketAddress] {
    let rule = NeighbourAddresses(try System.enumerateDevices())
    var addresses: [SocketAddress] = []
    var refused: (endpoint: Endpoint, why: String)?
    for endpoint in route.device.endpoints {
      if let why = rule.refusal(of: endpoint, isFriends: route.isTrusted) {
        refused = refused ?? (endpoint, why)
      } else if let address = endpoint.socketAddress {
        addresses.append(address)
      }
    }
    if let (endpoint, why) = refused {
      setup.logger.notice(
        "address not dialled",
        metadata: [
          "device": "\(route.jid)", "address": "\(endpoint.address)", "port": "\(endpoint.port)", "why": "\(why)",
        ])
      guard !addresses.isEmpty else {
        // Until something else is announced. Of a name that has just changed hands Avahi still tells where it was.
        directory.dialFailed(route.announced)
        throw MeshError(
          .away, device: route.jid,
          message:
            "“\(route.jid)” is announced at \(endpoint.address), port \(endpoint.port), which \(why): not dialled.",
          lastSeen: route.lastSign.time)
      }
    }
    if route.announced != route.jid {
      setup.logger.notice(
        "another has its name, reached by its key",
        metadata: ["device": "\(route.jid)", "announced": "\(route.announced)"])
    }
    return addresses
  }

  private func dial(_ route: Route) async {
    do {
      let open = try await self.open(route)
      directory.answered(route)
      pool.dialled(route, .success(open))
      await gatekeeper.run(open.stream)
      pool.ended(open)
      setup.quietTimer.somethingEnded()
    } catch {
      if route.isRelayed, let id = route.expectedKey { await office.failed(id) }
      pool.dialled(route, .failure(error is CancellationError ? StreamPool.shuttingDown : error))
    }
  }

  /// - Throws: `StreamFailure`, `Imposture`, NIO's errors of connecting, `CancellationError`.
  private func open(_ route: Route) async throws -> OpenStream {
    do {
      // Whether there has to be TLS is for us to say: one in the middle could take the offer out.
      // What is announced from now on comes too late to count for this stream.
      let stream = try await dialled(route)
      // It has one since it is open.
      guard let identity = stream.identity else { throw StreamFailure.cancelled }
      let open = OpenStream(stream, identity, along: route)
      do {
        try check(open, route)
      } catch {
        gatekeeper.ended(stream, identity)
        throw error
      }
      return open
    } catch let error as StreamFailure {
      // Somebody accepts, and never says a word: a program that hangs.
      if case .timedOut = error { directory.dialFailed(route.announced) }
      throw error
    } catch let error as Imposture {
      throw error
    } catch is CancellationError {
      throw CancellationError()
    } catch {
      directory.dialFailed(route.announced)
      throw error
    }
  }

  private func dialled(_ route: Route) async throws -> PeerStream {
    guard route.isRelayed else {
      return try await PeerStream.dial(
        try neighbours(route), from: setup.table.node, to: route.jid,
        tls: route.expectedKey == nil ? .preferred : .required,
        host: setup.host, eventLoop: setup.eventLoopGroup.next(), logger: setup.logger)
    }
    guard let id = route.expectedKey else { return try await office.stream(toForeign: route.jid, setup) }
    return try await PeerStream.dial(
      over: try await office.connect(to: id), from: setup.table.node, to: route.jid, host: setup.host,
      logger: setup.logger)
  }

  /// Lives with a stream that a friend's node opens over a server, until it ends.
  func accept(relayed channel: any Channel) async {
    guard let stream = try? await PeerStream.accepted(over: channel, host: setup.host, logger: setup.logger) else {
      return
    }
    await withDiscardingTaskGroup { group in
      group.addTask { [gatekeeper] in
        try? await Task.sleep(for: MeshLimits.introduction)
        guard !Task.isCancelled else { return }
        if let identity = stream.identity, case .friend = gatekeeper.standing(identity) { return }
        stream.terminate()
      }
      await run(stream)
      group.cancelAll()
    }
  }

  /// The same with any that came in.
  func run(_ stream: PeerStream) async {
    await gatekeeper.run(stream)
    setup.quietTimer.somethingEnded()
  }

  /// Whom we reached: a device with another key than its name belongs to gets nothing from us.
  private func check(_ open: OpenStream, _ route: Route) throws(Imposture) {
    let standing = gatekeeper.trustService.verdict(jid: route.jid, id: open.nodeID, hint: route.hint)
    directory.learned(route, key: open.nodeID)
    try approve(open, standing)
    if case .friend = standing, let id = open.nodeID { gatekeeper.met(route.jid, id) }
  }

  private func approve(_ open: OpenStream, _ standing: Standing) throws(Imposture) {
    guard let refusal = standing.refusal else { return }
    open.stream.terminate()
    gatekeeper.tell(refusal, open.identity)
    throw Imposture(refusal: refusal, id: open.nodeID)
  }
}
