import EventLoops
import NIOCore
import NIOPosix
import Synchronization

/// The connections of one client: runs the pool's machine, dials, and wakes those who wait.
final class ConnectionPool: Sendable {
  private struct State: Sendable {
    var machine: PoolMachine<ClientConnection>
    var waiting: [Int: CheckedContinuation<ClientConnection, any Error>] = [:]
  }

  private let upstream: Upstream
  private let group: any EventLoopGroup
  private let state: Mutex<State>
  private let ids = Atomic<Int>(0)

  init(_ upstream: Upstream, group: any EventLoopGroup) {
    self.upstream = upstream
    self.group = group
    let limits = upstream.limits
    state = Mutex(State(machine: PoolMachine(limit: limits.connections, waitingLimit: limits.waiting)))
  }

  /// Unique among the connections, requests and exchanges of this client.
  func nextID() -> Int { ids.wrappingAdd(1, ordering: .relaxed).newValue }

  /// Waits for a connection, where no idle one will do. `fresh`: one that carried no request yet.
  ///
  /// On the event loop of the caller where that runs on one, so that an exchange crosses no thread.
  func lease(fresh: Bool) async throws -> ClientConnection {
    let loop = group.any()
    let own = loop.inEventLoop ? ObjectIdentifier(loop) : nil
    if !fresh, let idle = state.withLock({ $0.machine.reuse(on: own) }) { return idle }
    let id = nextID()
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { lease(id, fresh: fresh, on: own, $0) }
    } onCancel: {
      cancel(id)
    }
  }

  private func lease(
    _ id: Int, fresh: Bool, on loop: ObjectIdentifier?, _ continuation: CheckedContinuation<ClientConnection, any Error>
  ) {
    if Task.isCancelled { return continuation.resume(throwing: CancellationError()) }
    let lease = state.withLock { state in
      let lease = state.machine.lease(id, fresh: fresh, on: loop)
      switch lease {
      case .dial, .wait: state.waiting[id] = continuation
      case .use, .refuse: break
      }
      return lease
    }
    switch lease {
    case .use(let connection): continuation.resume(returning: connection)
    case .dial(let oldest):
      oldest?.channel.close(promise: nil)
      dial()
    case .wait: break
    case .refuse:
      continuation.resume(throwing: HTTPClientError(.limit, upstream.address, "too many requests wait for it"))
    }
    // Cancelled between the check above and the entry in the queue: nobody else would say so.
    if Task.isCancelled { cancel(id) }
  }

  private func cancel(_ id: Int) {
    let continuation = state.withLock { state in
      state.machine.cancelled(id) ? state.waiting.removeValue(forKey: id) : nil
    }
    continuation?.resume(throwing: CancellationError())
  }

  private func dial() {
    ClientConnection.dial(upstream, id: nextID(), on: group.any()).whenComplete { [self] result in
      switch result {
      case .success(let connection):
        connection.assumeIsolated { $0.opened { [weak connection, self] in connection.map(release) } }
        connection.channel.closeFuture.whenComplete { [self, id = connection.id] _ in closed(id) }
        settle(connection) { $0.dialled(connection) }
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
    settle(connection) { $0.released(connection) }
  }

  private func settle(
    _ connection: ClientConnection,
    _ decide: @Sendable (inout PoolMachine<ClientConnection>) -> PoolMachine<ClientConnection>.Release
  ) {
    let (release, continuation) = state.withLock { state in
      let release = decide(&state.machine)
      if case .give(_, let id) = release { return (release, state.waiting.removeValue(forKey: id)) }
      return (release, nil)
    }
    switch release {
    case .give: continuation?.resume(returning: connection)
    case .keep: break
    case .close(let thenDial):
      connection.channel.close(promise: nil)
      if thenDial { dial() }
    }
  }

  private func dialFailed(_ error: HTTPClientError) {
    let (continuation, dialNext) = state.withLock { state in
      let (failed, dial) = state.machine.dialFailed()
      return (failed.flatMap { state.waiting.removeValue(forKey: $0) }, dial)
    }
    continuation?.resume(throwing: error)
    if dialNext { dial() }
  }

  private func closed(_ id: Int) {
    if state.withLock({ $0.machine.closed(id) }) { dial() }
  }

  /// Closes what is idle; what is in use closes at its end.
  func shutDown() {
    for connection in state.withLock({ $0.machine.drain() }) { connection.channel.close(promise: nil) }
  }
}
