import DequeModule

/// A connection of a pool, bound to an event loop.
protocol PooledConnection: Identifiable, Sendable where ID: Sendable {
  associatedtype Loop: Equatable & Sendable
  var loop: Loop { get }
}

/// Which of the connections to one upstream a request gets.
///
/// A connection is being dialled, used or idle; their sum never exceeds the limit, and idle ones stay until they close.
/// The last one that became idle is used first, on the request's own event loop where there is one. A request that cannot
/// be repeated asks for a fresh one, because an idle connection may just be closing. Requests that find none wait in
/// order. Whoever dials does so for the queue: the connection goes to whom waits longest.
struct PoolMachine<Connection: PooledConnection>: Sendable {
  enum Lease: Sendable {
    case use(Connection)
    /// Wait, and dial; close the unused connection, where one is given, to make room.
    case dial(closing: Connection?)
    case wait
    case refuse
  }

  enum Release: Sendable {
    case give(Connection, to: Int)
    case keep
    /// Close it; dial where it made room for somebody who waits.
    case close(thenDial: Bool)
  }

  private struct Waiter: Sendable {
    let id: Int
    let fresh: Bool
  }

  private let limit: Int
  private let waitingLimit: Int
  private var idle: Deque<Connection> = []
  private var waiting: Deque<Waiter> = []
  private var dialling = 0
  private var used: Set<Connection.ID> = []
  private var isDrained = false

  init(limit: Int, waitingLimit: Int) {
    self.limit = limit
    self.waitingLimit = waitingLimit
  }

  private var open: Int { dialling + used.count + idle.count }

  /// An idle connection, on this loop where there is one. nil: `lease` one.
  mutating func reuse(on loop: Connection.Loop?) -> Connection? {
    guard !idle.isEmpty else { return nil }
    let index = idle.lastIndex { $0.loop == loop } ?? idle.endIndex - 1
    let connection = idle.remove(at: index)
    used.insert(connection.id)
    return connection
  }

  /// A request wants a connection. `id` names it until it got one.
  mutating func lease(_ id: Int, fresh: Bool, on loop: Connection.Loop?) -> Lease {
    if !fresh, let connection = reuse(on: loop) { return .use(connection) }
    guard waiting.count < waitingLimit else { return .refuse }
    waiting.append(Waiter(id: id, fresh: fresh))
    if open < limit {
      dialling += 1
      return .dial(closing: nil)
    }
    guard fresh, let oldest = idle.popFirst() else { return .wait }
    dialling += 1
    return .dial(closing: oldest)
  }

  /// The request gave up; false where it had a connection already.
  mutating func cancelled(_ id: Int) -> Bool {
    guard let index = waiting.firstIndex(where: { $0.id == id }) else { return false }
    waiting.remove(at: index)
    return true
  }

  mutating func dialled(_ connection: Connection) -> Release {
    dialling -= 1
    guard let waiter = waiting.popFirst() else { return park(connection) }
    used.insert(connection.id)
    return .give(connection, to: waiter.id)
  }

  /// Who has to be told, and whether to dial again for those behind.
  mutating func dialFailed() -> (failed: Int?, dial: Bool) {
    dialling -= 1
    let failed = waiting.popFirst()?.id
    return (failed, dialForWaiting())
  }

  /// A response is over and its connection can carry another request.
  mutating func released(_ connection: Connection) -> Release {
    guard used.remove(connection.id) != nil else { return .close(thenDial: false) }
    guard let index = waiting.firstIndex(where: { !$0.fresh }) else {
      return waiting.isEmpty ? park(connection) : .close(thenDial: dialForWaiting())
    }
    used.insert(connection.id)
    return .give(connection, to: waiting.remove(at: index).id)
  }

  /// A connection is closed; true: dial, as there is room for somebody who waits.
  mutating func closed(_ id: Connection.ID) -> Bool {
    if used.remove(id) == nil { idle.removeAll { $0.id == id } }
    return dialForWaiting()
  }

  /// The client is gone: what is idle is to be closed, and nothing is kept from now on.
  mutating func drain() -> [Connection] {
    isDrained = true
    defer { idle.removeAll() }
    return Array(idle)
  }

  private mutating func park(_ connection: Connection) -> Release {
    guard !isDrained else { return .close(thenDial: false) }
    idle.append(connection)
    return .keep
  }

  private mutating func dialForWaiting() -> Bool {
    guard waiting.count > dialling, open < limit else { return false }
    dialling += 1
    return true
  }
}
