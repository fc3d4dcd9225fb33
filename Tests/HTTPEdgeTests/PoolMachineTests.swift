import Testing

@testable import HTTPEdge

private struct Link: Identifiable, Sendable {
  let id: Int
}

private typealias Machine = PoolMachine<Link>

struct PoolMachineTests {
  private func machine(limit: Int = 2, idle: Int = 1, waiting: Int = 3) -> Machine {
    Machine(limit: limit, idleLimit: idle, waitingLimit: waiting)
  }

  @Test func dialsForTheFirstAndKeepsItForTheNext() {
    var pool = machine()
    #expect(pool.lease(1, fresh: false).name == "dial")
    #expect(pool.dialled(Link(id: 7)).name == "give 7 to 1")
    #expect(pool.released(Link(id: 7)).name == "keep")
    #expect(pool.lease(2, fresh: false).name == "use 7")
  }

  @Test func aFreshOneIsNeverAnIdleOne() {
    var pool = machine(limit: 1)
    _ = pool.lease(1, fresh: false)
    _ = pool.dialled(Link(id: 7))
    _ = pool.released(Link(id: 7))
    #expect(pool.lease(2, fresh: true).name == "dial closing 7")
    #expect(pool.dialled(Link(id: 8)).name == "give 8 to 2")
  }

  @Test func neverMoreThanTheLimitAndInOrder() {
    var pool = machine(limit: 1)
    #expect(pool.lease(1, fresh: false).name == "dial")
    #expect(pool.lease(2, fresh: false).name == "wait")
    #expect(pool.lease(3, fresh: false).name == "wait")
    #expect(pool.lease(4, fresh: false).name == "refuse")
    #expect(pool.dialled(Link(id: 7)).name == "give 7 to 1")
    #expect(pool.released(Link(id: 7)).name == "give 7 to 2")
    #expect(pool.closed(7) == true, "room for the third")
    #expect(pool.dialled(Link(id: 8)).name == "give 8 to 3")
  }

  @Test func aUsedOneIsNoGoodForWhoWantsAFreshOne() {
    var pool = machine(limit: 1)
    _ = pool.lease(1, fresh: false)
    _ = pool.lease(2, fresh: true)
    _ = pool.dialled(Link(id: 7))
    #expect(pool.released(Link(id: 7)).name == "close, dial true")
    #expect(pool.dialled(Link(id: 8)).name == "give 8 to 2")
    #expect(pool.closed(7) == false, "counted once")
  }

  @Test func aFailedDialFailsOneAndTriesForTheNext() {
    var pool = machine(limit: 1)
    _ = pool.lease(1, fresh: false)
    _ = pool.lease(2, fresh: false)
    var next = pool.dialFailed()
    #expect(next.failed == 1 && next.dial)
    next = pool.dialFailed()
    #expect(next.failed == 2 && !next.dial)
  }

  @Test func whoGaveUpGetsNothing() {
    var pool = machine()
    _ = pool.lease(1, fresh: false)
    #expect(pool.cancelled(1) == true)
    #expect(pool.cancelled(1) == false)
    #expect(pool.dialled(Link(id: 7)).name == "keep")
  }

  @Test func keepsNoMoreThanItMay() {
    var pool = machine(limit: 3, idle: 1)
    for id in 1...2 { _ = pool.lease(id, fresh: false) }
    for id in 11...12 { _ = pool.dialled(Link(id: id)) }
    #expect(pool.released(Link(id: 11)).name == "keep")
    #expect(pool.released(Link(id: 12)).name == "close, dial false")
    #expect(pool.drain().map(\.id) == [11])
    _ = pool.lease(3, fresh: false)
    _ = pool.dialled(Link(id: 13))
    #expect(pool.released(Link(id: 13)).name == "close, dial false", "nothing is kept once drained")
  }
}

extension PoolMachine.Lease where Connection == Link {
  fileprivate var name: String {
    switch self {
    case .use(let link): "use \(link.id)"
    case .dial(nil): "dial"
    case .dial(let link?): "dial closing \(link.id)"
    case .wait: "wait"
    case .refuse: "refuse"
    }
  }
}

extension PoolMachine.Release where Connection == Link {
  fileprivate var name: String {
    switch self {
    case .give(let link, let id): "give \(link.id) to \(id)"
    case .keep: "keep"
    case .close(let dial): "close, dial \(dial)"
    }
  }
}
