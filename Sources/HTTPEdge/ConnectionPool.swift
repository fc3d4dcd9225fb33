import EventLoops
import NIOCore
import NIOPosix
import Synchronization

/// The connections of one client: runs the pool's machine, dials, and wakes those who wait.
final class ConnectionPool: Sendable {
  private typealias Machine = PoolMachine<ClientConnection>
  /// Fulfilled with nil for one that wanted a place only.
  private typealias Continuation = CheckedContinuation<ClientConnection?, any Error>

  private struct State: Sendable {
    var machine: Machine
    /// WebSockets that are open, or being asked for.
    var upgraded: Shares
    var waiting: [Int: Continuation] = [:]
    /// A timer runs, for those who wait for a turn.
    var isTimed = false
  }

  private let upstream: Upstream
  private let group: any EventLoopGroup
  private let state: Mutex<State>
  private let ids = Atomic<Int>(0)

  init(_ upstream: Upstream, group: any EventLoopGroup) {
    self.upstream = upstream
    self.group = group
    let limits = upstream.limits
    state = Mutex(
      State(
        machine: PoolMachine(limit: limits.connections, waitingLimit: limits.waiting, turnTime: limits.turn),
        upgraded: Shares(limit: limits.upgraded)))
  }

  /// Unique among the connections, requests and exchanges of this client.
  func nextID() -> Int { ids.wrappingAdd(1, ordering: .relaxed).newValue }

  // MARK: Requests

  /// Waits for a connection, where no idle one will do. `fresh`: one that carried no request yet.
  ///
  /// On the event loop of the caller where that runs on one, so that an exchange crosses no thread.
  ///
  /// - Parameter isInPlace: `enter` has returned for this request.
  func lease(fresh: Bool, for caller: UpstreamCaller, isInPlace: Bool = false) async throws -> ClientConnection {
    let loop = group.any()
    let own = loop.inEventLoop ? ObjectIdentifier(loop) : nil
    if !fresh, !isInPlace, let idle = state.withLock({ $0.machine.reuse(for: caller, on: own) }) { return idle }
    let id = nextID()
    let connection = try await waiting(id) {
      isInPlace
        ? $0.leaseInPlace(id, fresh: fresh, for: caller, on: own)
        : $0.lease(id, .connection(fresh: fresh), for: caller, on: own, now: .now())
    } onGivingUp: { [self] in
      if isInPlace { leave(caller) }
    }
    guard let connection else { throw CancellationError() }
    return connection
  }

  /// Waits for a place among the requests of this upstream. `lease` or `leave` has to follow.
  func enter(_ caller: UpstreamCaller) async throws {
    let id = nextID()
    _ = try await waiting(id) {
      $0.lease(id, .place, for: caller, on: nil, now: .now())
    } onGivingUp: {
    }
  }

  /// One that has entered wants no connection.
  func leave(_ caller: UpstreamCaller) {
    perform(state.withLock { $0.machine.left(caller) })
  }

  private func waiting(
    _ id: Int, _ lease: @Sendable (inout Machine) -> Machine.Lease, onGivingUp: @Sendable () -> Void
  ) async throws -> ClientConnection? {
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        guard !Task.isCancelled else {
          onGivingUp()
          return continuation.resume(throwing: CancellationError())
        }
        begin(id, lease, continuation)
        // Cancelled between the check above and the entry in the queue: nobody else would say so.
        if Task.isCancelled { cancel(id) }
      }
    } onCancel: {
      cancel(id)
    }
  }

  private func begin(_ id: Int, _ lease: @Sendable (inout Machine) -> Machine.Lease, _ continuation: Continuation) {
    let lease = state.withLock { state in
      let lease = lease(&state.machine)
      switch lease {
      case .dial, .wait, .queue: state.waiting[id] = continuation
      case .use, .enter, .refuse: break
      }
      return lease
    }
    switch lease {
    case .use(let connection): continuation.resume(returning: connection)
    case .enter: continuation.resume(returning: nil)
    case .dial(let unwanted):
      unwanted?.channel.close(promise: nil)
      dial()
    case .wait: break
    case .queue: startTimer()
    case .refuse:
      continuation.resume(throwing: HTTPClientError(.limit, upstream.address, "too many requests wait for it"))
    }
  }

  private func cancel(_ id: Int) {
    let (outcome, continuation) = state.withLock { state in
      (state.machine.cancelled(id), state.waiting.removeValue(forKey: id))
    }
    continuation?.resume(throwing: CancellationError())
    if let outcome { perform(outcome) }
  }

  // MARK: Turns

  /// One timer for all who wait for a turn, from the first of them to the last.
  private func startTimer() {
    let deadline: NIODeadline? = state.withLock { state in
      guard !state.isTimed, let deadline = state.machine.deadline else { return nil }
      state.isTimed = true
      return deadline
    }
    guard let deadline else { return }
    group.any().scheduleTask(deadline: deadline) { [weak self] in self?.timerFired() }
  }

  private func timerFired() {
    let expired = state.withLock { state in
      state.isTimed = false
      return state.machine.expire(now: .now()).compactMap { state.waiting.removeValue(forKey: $0) }
    }
    let error = HTTPClientError(.limit, upstream.address, "its turn did not come in time")
    for continuation in expired { continuation.resume(throwing: error) }
    startTimer()
  }

  // MARK: WebSockets

  /// Counts one; false where this caller has its share.
  func mayUpgrade(_ caller: UpstreamCaller) -> Bool {
    state.withLock { state in
      guard state.upgraded.admits(caller) else { return false }
      state.upgraded.take(caller)
      return true
    }
  }

  func upgradeEnded(_ caller: UpstreamCaller) {
    state.withLock { $0.upgraded.leave(caller) }
  }

  // MARK: Connections

  private func dial() {
    ClientConnection.dial(upstream, id: nextID(), on: group.any()).whenComplete { [self] result in
      switch result {
      case .success(let connection):
        connection.assumeIsolated { $0.opened { [weak connection, self] in connection.map(release) } }
        connection.channel.closeFuture.whenComplete { [self, id = connection.id] _ in closed(id) }
        change { $0.dialled(connection) }
      case .failure(let error):
        dialFailed(HTTPClientError(connecting: error, to: upstream.address))
      }
    }
  }

  /// Opens a connection beside those of the pool, without TLS, and closes it.
  func checkConnection() async throws(HTTPClientError) {
    let connection = ClientBootstrap(group: group.any()).connectTimeout(upstream.limits.connect)
      .connect(to: upstream.address)
    // Also where nobody waits for it any more.
    connection.whenSuccess { $0.close(promise: nil) }
    do {
      _ = try await connection.value()
    } catch {
      throw HTTPClientError(connecting: error, to: upstream.address)
    }
  }

  private func release(_ connection: ClientConnection) {
    change { $0.released(connection) }
  }

  private func closed(_ id: Int) {
    change { $0.closed(id) }
  }

  private func dialFailed(_ error: HTTPClientError) {
    let (continuation, outcome) = state.withLock { state in
      let (failed, outcome) = state.machine.dialFailed()
      return (failed.flatMap { state.waiting.removeValue(forKey: $0) }, outcome)
    }
    continuation?.resume(throwing: error)
    perform(outcome)
  }

  private func change(_ change: @Sendable (inout Machine) -> Machine.Outcome) {
    perform(state.withLock { change(&$0.machine) })
  }

  private func perform(_ outcome: Machine.Outcome) {
    if !outcome.given.isEmpty || !outcome.entered.isEmpty { wake(outcome) }
    for connection in outcome.unwanted { connection.channel.close(promise: nil) }
    for _ in 0..<outcome.dials { dial() }
  }

  private func wake(_ outcome: Machine.Outcome) {
    // Whoever gives up takes its continuation in the step in which the machine learns of it.
    for (connection, id) in outcome.given { take(id)?.resume(returning: connection) }
    for id in outcome.entered { take(id)?.resume(returning: nil) }
  }

  private func take(_ id: Int) -> Continuation? { state.withLock { $0.waiting.removeValue(forKey: id) } }

  /// Closes what is idle; what is in use closes at its end.
  func shutDown() {
    for connection in state.withLock({ $0.machine.drain() }) { connection.channel.close(promise: nil) }
  }
}
