import NIOCore
import Testing

@testable import HTTPEdge

private struct Link: PooledConnection {
  let id: Int
  var loop = 1
}

private typealias Machine = PoolMachine<Link>

struct PoolMachineTests {
  private let friend = UpstreamCaller.known([1])
  private let other = UpstreamCaller.known([2])
  private let stranger = UpstreamCaller.stranger([3])

  private func machine(limit: Int = 2, waiting: Int = 3) -> Machine {
    Machine(limit: limit, waitingLimit: waiting, turnTime: .seconds(30))
  }

  // MARK: Connections

  @Test func dialsForTheFirstAndKeepsItForTheNext() {
    var pool = machine()
    #expect(pool.lease(1) == "dial")
    #expect(pool.dialled(Link(id: 7)).name == "give 7 to 1")
    #expect(pool.released(Link(id: 7)).name == "")
    #expect(pool.lease(2) == "use 7")
  }

  @Test func theLastOneOnTheOwnLoopIsTakenFirst() {
    var pool = machine(limit: 3)
    for id in 1...3 { _ = pool.lease(id) }
    let links = [Link(id: 11, loop: 1), Link(id: 12, loop: 1), Link(id: 13, loop: 2)]
    for link in links { _ = pool.dialled(link) }
    for link in links { _ = pool.released(link) }
    #expect(pool.lease(4, on: 1) == "use 12")
    #expect(pool.reuse(for: .own, on: nil)?.id == 13)
    #expect(pool.reuse(for: .own, on: 2)?.id == 11, "another loop's, rather than a new one")
    #expect(pool.reuse(for: .own, on: 2)?.id == nil)
  }

  @Test func aFreshOneIsNeverAnIdleOne() {
    var pool = machine(limit: 1)
    _ = pool.lease(1)
    _ = pool.dialled(Link(id: 7))
    _ = pool.released(Link(id: 7))
    #expect(pool.lease(2, fresh: true) == "dial closing 7")
    #expect(pool.dialled(Link(id: 8)).name == "give 8 to 2")
  }

  @Test func neverMoreThanTheLimitAndInOrder() {
    var pool = machine(limit: 1)
    #expect(pool.lease(1) == "dial")
    for id in 2...4 { #expect(pool.lease(id) == "queue") }
    #expect(pool.lease(5) == "refuse")
    #expect(pool.dialled(Link(id: 7)).name == "give 7 to 1")
    #expect(pool.released(Link(id: 7)).name == "give 7 to 2")
    #expect(pool.closed(7).name == "dial", "room for the third")
    #expect(pool.dialled(Link(id: 8)).name == "give 8 to 3")
    #expect(pool.released(Link(id: 8)).name == "give 8 to 4")
  }

  @Test func aUsedOneIsNoGoodForWhoWantsAFreshOne() {
    var pool = machine(limit: 1)
    _ = pool.lease(1)
    _ = pool.lease(2, fresh: true)
    _ = pool.dialled(Link(id: 7))
    #expect(pool.released(Link(id: 7)).name == "close 7, dial")
    #expect(pool.dialled(Link(id: 8)).name == "give 8 to 2")
    #expect(pool.closed(7).name == "", "counted once")
  }

  @Test func aFailedDialFailsOneAndTriesForTheNext() {
    var pool = machine(limit: 1)
    _ = pool.lease(1)
    _ = pool.lease(2)
    var next = pool.dialFailed()
    #expect(next.failed == 1 && next.1.name == "dial")
    next = pool.dialFailed()
    #expect(next.failed == 2 && next.1.name == "")
    #expect(pool.lease(3) == "dial", "nothing is left over")
  }

  @Test func whoGaveUpGetsNothing() {
    var pool = machine()
    _ = pool.lease(1)
    #expect(pool.cancelled(1)?.name == "")
    #expect(pool.cancelled(1) == nil)
    #expect(pool.dialled(Link(id: 7)).name == "")
    #expect(pool.lease(2) == "use 7")
  }

  @Test func keepsAllThatItOpenedUntilItIsDrained() {
    var pool = machine(limit: 4)
    for id in 1...3 { _ = pool.lease(id) }
    for id in 11...12 { _ = pool.dialled(Link(id: id)) }
    _ = pool.cancelled(3)
    _ = pool.dialled(Link(id: 13))
    #expect(pool.released(Link(id: 11)).name == "")
    #expect(pool.released(Link(id: 12)).name == "")
    #expect(pool.drain().map(\.id) == [11, 12, 13])
    _ = pool.lease(4)
    #expect(pool.dialled(Link(id: 14)).name == "give 14 to 4")
    #expect(pool.released(Link(id: 14)).name == "close 14", "nothing is kept once drained")
    _ = pool.lease(5)
    _ = pool.cancelled(5)
    #expect(pool.dialled(Link(id: 15)).name == "close 15", "nor what nobody has used")
  }

  /// An app that serves one connection at a time waits for a request on the one that came last.
  @Test func oneThatNobodyHasUsedIsUsedFirstOrClosed() {
    var pool = machine(limit: 4)
    _ = pool.lease(1)
    _ = pool.dialled(Link(id: 7))
    _ = pool.lease(2)
    #expect(pool.released(Link(id: 7)).name == "give 7 to 2", "before its own is there")
    #expect(pool.dialled(Link(id: 8)).name == "")
    _ = pool.released(Link(id: 7))
    #expect(pool.lease(3, on: 1) == "use 8")
    _ = pool.lease(4)
    _ = pool.lease(5)
    _ = pool.cancelled(5)
    _ = pool.dialled(Link(id: 9))
    #expect(pool.lease(6, fresh: true) == "dial closing 9")
  }

  @Test func aDialThatNobodyWaitsForServesTheNext() {
    var pool = machine(limit: 2)
    #expect(pool.lease(1) == "dial")
    _ = pool.cancelled(1)
    #expect(pool.lease(2, fresh: true) == "wait")
    #expect(pool.dialled(Link(id: 7)).name == "give 7 to 2")
  }

  // MARK: Shares

  @Test func whoeverComesFindsAsManyAsTheOthersLeave() {
    var shares = Shares(limit: 128)
    #expect(shares.fill(friend) == 64)
    #expect(shares.fill(other) == 32)
    #expect(shares.fill(.known([9])) == 16, "the last 16 are this node's own user's")
    #expect(shares.fill(stranger) == 0)
    #expect(shares.fill(.own) == 16)
    shares.leave(.own)
    #expect(!shares.admits(friend) && shares.admits(.own))
  }

  @Test func strangersTogetherHaveHalf() {
    var shares = Shares(limit: 128)
    #expect(shares.fill(stranger) == 32)
    #expect(shares.fill(.stranger([])) == 16, "all without a key are one")
    let all = 48 + (4...99).reduce(0) { $0 + shares.fill(.stranger([$1])) }
    #expect(all == 64)
    #expect(shares.fill(friend) == 32)
    #expect(shares.fill(other) == 16)
  }

  /// The first of each kind comes in, however few there are.
  @Test(arguments: [1, 2, 3, 7]) func fewPlacesAreForWhoComesFirst(_ limit: Int) {
    for caller in [UpstreamCaller.own, friend, stranger] {
      var shares = Shares(limit: limit)
      #expect(shares.admits(caller))
      #expect(shares.fill(.own) == limit && !shares.admits(caller))
    }
  }

  // MARK: Turns

  @Test func callersTakeTurns() {
    var pool = machine(limit: 1, waiting: 64)
    _ = pool.lease(1, for: friend)
    _ = pool.dialled(Link(id: 7))
    for id in 10...13 { #expect(pool.lease(id, for: friend) == "queue") }
    for id in 20...21 { #expect(pool.lease(id, for: other) == "queue") }
    #expect(pool.lease(30, for: .own) == "queue")
    var order: [String] = []
    for _ in 0..<7 { order.append(pool.released(Link(id: 7)).name) }
    #expect(order == [10, 20, 30, 11, 21, 12, 13].map { "give 7 to \($0)" })
  }

  /// One stranger with 192 requests that hang: all others come in.
  @Test func oneStrangerKeepsNobodyOut() {
    var pool = Machine(limit: 128, waitingLimit: 512, turnTime: .seconds(30))
    let leases = (1...192).map { pool.lease($0, for: stranger) }
    #expect(leases.prefix(32).allSatisfy { $0 == "dial" })
    #expect(leases.dropFirst(32).prefix(128).allSatisfy { $0 == "queue" })
    #expect(leases.dropFirst(160).allSatisfy { $0 == "refuse" }, "a quarter of those who may wait")
    #expect(pool.lease(200, for: friend) == "dial")
    #expect(pool.lease(201, for: .own) == "dial")
    #expect(pool.lease(202, for: .stranger([4])) == "dial")
  }

  @Test func aPlaceThatIsGivenBackIsForWhoMayHaveIt() {
    var pool = machine(limit: 2, waiting: 64)
    for id in 1...2 { _ = pool.lease(id, for: .own) }
    for id in 7...8 { _ = pool.dialled(Link(id: id)) }
    for id in 10...11 { _ = pool.lease(id, for: stranger) }
    #expect(pool.released(Link(id: 7)).name == "give 7 to 10")
    #expect(pool.released(Link(id: 8)).name == "", "strangers have their half")
    #expect(pool.lease(20, for: friend) == "use 8")
    #expect(pool.closed(7).name == "dial", "for the second of the stranger")
  }

  @Test func oneThatWantsAPlaceGetsAConnectionLater() {
    var pool = machine(limit: 1)
    #expect(pool.lease(1, .place) == "enter")
    #expect(pool.lease(2, .place) == "queue")
    #expect(pool.lease(3) == "queue")
    #expect(pool.leaseInPlace(1, fresh: true, for: .own, on: nil).name == "dial")
    #expect(pool.dialled(Link(id: 7)).name == "give 7 to 1")
    #expect(pool.released(Link(id: 7)).name == "enter 2")
    #expect(pool.left(.own).name == "give 7 to 3", "the second wanted no connection after all")
  }

  @Test func turnsThatDoNotComeEnd() {
    var pool = machine(limit: 1)
    _ = pool.lease(1)
    #expect(pool.deadline == nil)
    _ = pool.lease(2, now: .uptimeNanoseconds(5))
    _ = pool.lease(3, now: .uptimeNanoseconds(6))
    #expect(pool.deadline == .uptimeNanoseconds(5) + .seconds(30))
    #expect(pool.expire(now: .uptimeNanoseconds(5) + .seconds(30)) == [2])
    #expect(pool.deadline == .uptimeNanoseconds(6) + .seconds(30))
    #expect(pool.cancelled(3)?.name == "")
    #expect(pool.deadline == nil)
    for id in 4...6 { #expect(pool.lease(id) == "queue", "their seats are free") }
    #expect(pool.lease(7) == "refuse")
  }

  /// Whatever happens in whatever order: places come back, and never too many connections are open.
  @Test func nothingIsLostInAnyOrder() {
    var random = Seeded(state: 7)
    for limit in [1, 2, 3, 8] {
      var pool = Machine(limit: limit, waitingLimit: 8, turnTime: .seconds(30))
      var world = World(limit: limit)
      for step in 1...4000 { world.step(step, &pool, &random) }
      world.end(&pool)
      let callers = [UpstreamCaller.own, friend, stranger]
      for caller in callers {
        let lease = pool.lease(9999, for: caller)
        #expect(lease.hasPrefix("use") || lease == "dial" || lease == "wait", "\(lease)")
        #expect(pool.cancelled(9999) != nil || lease.hasPrefix("use"))
        if let id = Int(lease.dropFirst(4)) { _ = pool.released(Link(id: id)) }
      }
    }
  }
}

/// What a pool's surroundings may do.
private struct World {
  let limit: Int
  var dialling = 0
  var waiting: Set<Int> = []
  var used: [Int: Link] = [:]
  var open: Set<Int> = []
  var lastLink = 0

  mutating func step(_ step: Int, _ pool: inout Machine, _ random: inout Seeded) {
    let callers: [UpstreamCaller] = [.own, .known([1]), .known([2]), .stranger([3]), .stranger([4]), .stranger([])]
    switch random.next() % 6 {
    case 0, 1:
      let lease = pool.lease(
        step, .connection(fresh: random.next() % 2 == 0), for: callers[Int(random.next() % 6)], on: 1,
        now: .uptimeNanoseconds(UInt64(step)))
      took(lease, step)
    case 2 where dialling > 0:
      dialling -= 1
      lastLink += 1
      open.insert(lastLink)
      follow(pool.dialled(Link(id: lastLink)))
    case 3 where dialling > 0 && random.next() % 4 == 0:
      dialling -= 1
      let (failed, outcome) = pool.dialFailed()
      if let failed { #expect(waiting.remove(failed) != nil) }
      follow(outcome)
    case 3:
      if let id = waiting.min(), let outcome = pool.cancelled(id) {
        waiting.remove(id)
        follow(outcome)
      }
    case 4:
      if let (id, link) = used.min(by: { $0.key < $1.key }) {
        used[id] = nil
        follow(pool.released(link))
      }
    default:
      if random.next() % 2 == 0, let (id, link) = used.max(by: { $0.key < $1.key }) {
        used[id] = nil
        open.remove(link.id)
        follow(pool.closed(link.id))
      } else {
        for id in pool.expire(now: .uptimeNanoseconds(UInt64(max(0, step - 100))) + .seconds(30)) {
          #expect(waiting.remove(id) != nil)
        }
      }
    }
    #expect(open.count + dialling <= limit)
  }

  mutating func took(_ lease: Machine.Lease, _ id: Int) {
    switch lease {
    case .use(let link): used[id] = link
    case .dial(let spare):
      if let spare { open.remove(spare.id) }
      dialling += 1
      waiting.insert(id)
    case .wait, .queue: waiting.insert(id)
    case .refuse: break
    case .enter: Issue.record("nobody asked for a place alone")
    }
  }

  mutating func follow(_ outcome: Machine.Outcome) {
    for (link, id) in outcome.given {
      #expect(waiting.remove(id) != nil && used[id] == nil)
      used[id] = link
    }
    for link in outcome.unwanted { open.remove(link.id) }
    dialling += outcome.dials
  }

  /// All that is under way ends.
  mutating func end(_ pool: inout Machine) {
    while !used.isEmpty || dialling > 0 {
      if let (id, link) = used.first {
        used[id] = nil
        follow(pool.released(link))
      } else {
        dialling -= 1
        lastLink += 1
        open.insert(lastLink)
        follow(pool.dialled(Link(id: lastLink)))
      }
    }
    #expect(waiting.isEmpty, "nobody waits where nobody has anything")
  }
}

/// xorshift64: the same numbers each time.
private struct Seeded {
  var state: UInt64

  mutating func next() -> UInt64 {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return state
  }
}

extension Shares {
  /// How many this caller gets.
  fileprivate mutating func fill(_ caller: UpstreamCaller) -> Int {
    var count = 0
    while admits(caller) {
      take(caller)
      count += 1
    }
    return count
  }
}

extension PoolMachine where Connection == Link {
  fileprivate mutating func lease(
    _ id: Int, _ want: Want? = nil, fresh: Bool = false, for caller: UpstreamCaller = .own, on loop: Int? = nil,
    now: NIODeadline = .uptimeNanoseconds(0)
  ) -> String {
    lease(id, want ?? .connection(fresh: fresh), for: caller, on: loop, now: now).name
  }
}

extension PoolMachine.Lease where Connection == Link {
  fileprivate var name: String {
    switch self {
    case .use(let link): "use \(link.id)"
    case .enter: "enter"
    case .dial(nil): "dial"
    case .dial(let link?): "dial closing \(link.id)"
    case .wait: "wait"
    case .queue: "queue"
    case .refuse: "refuse"
    }
  }
}

extension PoolMachine.Outcome where Connection == Link {
  fileprivate var name: String {
    var names = given.map { "give \($0.connection.id) to \($0.id)" }
    names += entered.map { "enter \($0)" }
    names += unwanted.map { "close \($0.id)" }
    if dials > 0 { names.append(dials == 1 ? "dial" : "dial \(dials)") }
    return names.joined(separator: ", ")
  }
}
