import Codecs
import DequeModule
import NIOCore

/// A connection of a pool, bound to an event loop.
protocol PooledConnection: Identifiable, Sendable where ID: Sendable {
  associatedtype Loop: Equatable & Sendable
  var loop: Loop { get }
}

/// Which of the connections to one upstream a request gets, and when.
///
/// A request first needs a place, of which there are as many as connections may be open, shared out by `Shares`; who finds
/// none waits for its turn, caller after caller. With a place it gets a connection that is idle, or waits for one that is
/// dialled: never for another request.
///
/// A connection is being dialled, used or idle; their sum never exceeds the limit, and idle ones stay until they close.
/// The last one that became idle is used first, on the request's own event loop where there is one; but before any of them
/// one that was dialled for somebody who has got another, since an app that serves one connection at a time waits for
/// a request on it. A request that cannot be repeated asks for a fresh one, because an idle connection may just be closing.
struct PoolMachine<Connection: PooledConnection>: Sendable {
  enum Want: Equatable, Sendable {
    case connection(fresh: Bool)
    /// No more than the place, for now.
    case place
  }

  enum Lease: Sendable {
    case use(Connection)
    /// It has its place, and wanted no more.
    case enter
    /// Wait, and dial; close the unused connection, where one is given, to make room.
    case dial(closing: Connection?)
    /// Wait for one that is being dialled.
    case wait
    /// Wait for a turn: until `deadline`.
    case queue
    case refuse
  }

  /// What follows from a change.
  struct Outcome: Sendable {
    var given: [(connection: Connection, id: Int)] = []
    /// These have a place.
    var entered: [Int] = []
    /// Close them.
    var unwanted: [Connection] = []
    /// Dial so many.
    var dials = 0
  }

  private struct Waiter: Sendable {
    let id: Int
    let want: Want
    let caller: UpstreamCaller
    var deadline = NIODeadline.distantFuture
  }

  private let limit: Int
  private let turnTime: TimeAmount
  private var places: Shares
  /// Places in the queue.
  private var seats: Shares
  private var queue = TurnQueue<UpstreamCaller, Waiter>()
  /// They have a place, and wait for connections that are being dialled, of which there are at least as many.
  private var awaiting: Deque<Waiter> = []
  private var dialling = 0
  private var used: [Connection.ID: UpstreamCaller] = [:]
  private var idle: Deque<Connection> = []
  /// Those among the idle that have carried no request.
  private var unused: Deque<Connection> = []
  private var isDrained = false

  init(limit: Int, waitingLimit: Int, turnTime: TimeAmount) {
    self.limit = limit
    self.turnTime = turnTime
    places = Shares(limit: limit)
    seats = Shares(limit: waitingLimit)
  }

  private var open: Int { dialling + used.count + idle.count + unused.count }

  // MARK: Requests

  /// An idle connection, on this loop where there is one. nil: `lease` one.
  mutating func reuse(for caller: UpstreamCaller, on loop: Connection.Loop?) -> Connection? {
    guard !idle.isEmpty || !unused.isEmpty, places.admits(caller), let connection = takeIdle(on: loop) else {
      return nil
    }
    places.take(caller)
    used[connection.id] = caller
    return connection
  }

  /// A request wants a connection, or a place. `id` names it until it got that.
  mutating func lease(
    _ id: Int, _ want: Want, for caller: UpstreamCaller, on loop: Connection.Loop?, now: NIODeadline
  ) -> Lease {
    var waiter = Waiter(id: id, want: want, caller: caller)
    if places.admits(caller) {
      places.take(caller)
      return begin(waiter, on: loop)
    }
    guard seats.admits(caller) else { return .refuse }
    seats.take(caller)
    waiter.deadline = now + turnTime
    queue.append(waiter, for: caller)
    return .queue
  }

  /// One that has a place wants its connection.
  mutating func leaseInPlace(_ id: Int, fresh: Bool, for caller: UpstreamCaller, on loop: Connection.Loop?) -> Lease {
    begin(Waiter(id: id, want: .connection(fresh: fresh), caller: caller), on: loop)
  }

  private mutating func begin(_ waiter: Waiter, on loop: Connection.Loop?) -> Lease {
    guard case .connection(let fresh) = waiter.want else { return .enter }
    if !fresh, let connection = takeIdle(on: loop) {
      used[connection.id] = waiter.caller
      return .use(connection)
    }
    awaiting.append(waiter)
    // One may be on its way for somebody who has left, or has got another.
    guard awaiting.count > dialling else { return .wait }
    dialling += 1
    let spare = unused.popFirst()
    return .dial(closing: spare ?? (open > limit ? idle.popFirst() : nil))
  }

  private mutating func takeIdle(on loop: Connection.Loop?) -> Connection? {
    if let connection = unused.popLast() { return connection }
    guard let last = idle.last else { return nil }
    // Mostly it is, where the streams and the apps share one loop.
    if last.loop == loop { return idle.removeLast() }
    return idle.remove(at: idle.lastIndex { $0.loop == loop } ?? idle.endIndex - 1)
  }

  /// The place of one that will not want a connection.
  mutating func left(_ caller: UpstreamCaller) -> Outcome {
    places.leave(caller)
    return admitted()
  }

  /// The request gave up; nil where it had already what it wanted.
  mutating func cancelled(_ id: Int) -> Outcome? {
    if let index = awaiting.firstIndex(where: { $0.id == id }) {
      return left(awaiting.remove(at: index).caller)
    }
    guard let waiter = queue.removeAll(where: { $0.id == id }).first else { return nil }
    seats.leave(waiter.caller)
    return Outcome()
  }

  /// When `expire` is to be told; nil: nobody waits for a turn.
  var deadline: NIODeadline? { queue.firsts.map(\.deadline).min() }

  /// Those who have waited for their turn for too long, and do so no more.
  mutating func expire(now: NIODeadline) -> [Int] {
    let expired = queue.removeAll { $0.deadline <= now }
    for waiter in expired { seats.leave(waiter.caller) }
    return expired.map(\.id)
  }

  /// Those whose turn it is, now that a place is free.
  private mutating func admitted() -> Outcome {
    var outcome = Outcome()
    while !queue.isEmpty, let waiter = queue.popFirst(where: { places.admits($0) }) {
      seats.leave(waiter.caller)
      places.take(waiter.caller)
      switch begin(waiter, on: nil) {
      case .use(let connection): outcome.given.append((connection, waiter.id))
      case .enter: outcome.entered.append(waiter.id)
      case .dial(let spare):
        outcome.dials += 1
        if let spare { outcome.unwanted.append(spare) }
      case .wait, .queue, .refuse: break
      }
    }
    return outcome
  }

  // MARK: Connections

  mutating func dialled(_ connection: Connection) -> Outcome {
    dialling -= 1
    if let waiter = awaiting.popFirst() { return give(connection, to: waiter) }
    guard !isDrained else { return Outcome(unwanted: [connection]) }
    unused.append(connection)
    return Outcome()
  }

  /// Who has to be told, if anybody still waits.
  mutating func dialFailed() -> (failed: Int?, Outcome) {
    dialling -= 1
    guard let waiter = awaiting.popFirst() else { return (nil, Outcome()) }
    return (waiter.id, left(waiter.caller))
  }

  /// A response is over and its connection can carry another request.
  mutating func released(_ connection: Connection) -> Outcome {
    guard let caller = used.removeValue(forKey: connection.id), !isDrained else {
      return Outcome(unwanted: [connection])
    }
    places.leave(caller)
    if let index = awaiting.firstIndex(where: { $0.want == .connection(fresh: false) }) {
      return merging(give(connection, to: awaiting.remove(at: index)), admitted())
    }
    idle.append(connection)
    return admitted()
  }

  private mutating func give(_ connection: Connection, to waiter: Waiter) -> Outcome {
    used[connection.id] = waiter.caller
    return Outcome(given: [(connection, waiter.id)])
  }

  private func merging(_ one: Outcome, _ other: Outcome) -> Outcome {
    Outcome(
      given: one.given + other.given, entered: one.entered + other.entered, unwanted: one.unwanted + other.unwanted,
      dials: one.dials + other.dials)
  }

  mutating func closed(_ id: Connection.ID) -> Outcome {
    if let caller = used.removeValue(forKey: id) { return left(caller) }
    idle.removeAll { $0.id == id }
    unused.removeAll { $0.id == id }
    return Outcome()
  }

  /// The client is gone: what is idle is to be closed, and nothing is kept from now on.
  mutating func drain() -> [Connection] {
    isDrained = true
    defer {
      idle.removeAll()
      unused.removeAll()
    }
    return Array(idle + unused)
  }
}
