import Testing

@testable import HTTPEdge

private struct Link: PooledConnection {
  let id: Int
  var loop = 1
}

private typealias Machine = PoolMachine<Link>

struct PoolMachineTests {
  private func machine(limit: Int = 2, waiting: Int = 3) -> Machine {
    Machine(limit: limit, waitingLimit: waiting)
  }

  @Test func dialsForTheFirstAndKeepsItForTheNext() {
    var pool = machine()
    #expect(pool.lease(1, fresh: false, on: nil).name == "dial")
    #expect(pool.dialled(Link(id: 7)).name == "give 7 to 1")
    #expect(pool.released(Link(id: 7)).name == "keep")
    #expect(pool.lease(2, fresh: false, on: nil).name == "use 7")
  }

  @Test func theLastOneOnTheOwnLoopIsTakenFirst() {
    var pool = machine(limit: 3)
    for id in 1...3 { _ = pool.lease(id, fresh: false, on: nil) }
    let links = [Link(id: 11, loop: 1), Link(id: 12, loop: 1), Link(id: 13, loop: 2)]
    for link in links { _ = pool.dialled(link) }
    for link in links { _ = pool.released(link) }
    #expect(pool.lease(4, fresh: false, on: 1).name == "use 12")
    #expect(pool.reuse(on: nil)?.id == 13)
    #expect(pool.reuse(on: 2)?.id == 11, "another loop's, rather than a new one")
    #expect(pool.reuse(on: 2)?.id == nil)
  }

  @Test func aFreshOneIsNeverAnIdleOne() {
    var pool = machine(limit: 1)
    _ = pool.lease(1, fresh: false, on: nil)
    _ = pool.dialled(Link(id: 7))
    _ = pool.released(Link(id: 7))
    #expect(pool.lease(2, fresh: true, on: nil).name == "dial closing 7")
    #expect(pool.dialled(Link(id: 8)).name == "give 8 to 2")
  }

  @Test func neverMoreThanTheLimitAndInOrder() {
    var pool = machine(limit: 1)
    #expect(pool.lease(1, fresh: false, on: nil).name == "dial")
    #expect(pool.lease(2, fresh: false, on: nil).name == "wait")
    #expect(pool.lease(3, fresh: false, on: nil).name == "wait")
    #expect(pool.lease(4, fresh: false, on: nil).name == "refuse")
    #expect(pool.dialled(Link(id: 7)).name == "give 7 to 1")
    #expect(pool.released(Link(id: 7)).name == "give 7 to 2")
    #expect(pool.closed(7) == true, "room for the third")
    #expect(pool.dialled(Link(id: 8)).name == "give 8 to 3")
  }

  @Test func aUsedOneIsNoGoodForWhoWantsAFreshOne() {
    var pool = machine(limit: 1)
    _ = pool.lease(1, fresh: false, on: nil)
    _ = pool.lease(2, fresh: true, on: nil)
    _ = pool.dialled(Link(id: 7))
    #expect(pool.released(Link(id: 7)).name == "close, dial true")
    #expect(pool.dialled(Link(id: 8)).name == "give 8 to 2")
    #expect(pool.closed(7) == false, "counted once")
  }

  @Test func aFailedDialFailsOneAndTriesForTheNext() {
    var pool = machine(limit: 1)
    _ = pool.lease(1, fresh: false, on: nil)
    _ = pool.lease(2, fresh: false, on: nil)
    var next = pool.dialFailed()
    #expect(next.failed == 1 && next.dial)
    next = pool.dialFailed()
    #expect(next.failed == 2 && !next.dial)
  }

  @Test func whoGaveUpGetsNothing() {
    var pool = machine()
    _ = pool.lease(1, fresh: false, on: nil)
    #expect(pool.cancelled(1) == true)
    #expect(pool.cancelled(1) == false)
    #expect(pool.dialled(Link(id: 7)).name == "keep")
  }

  @Test func keepsAllThatItOpenedUntilItIsDrained() {
    var pool = machine(limit: 3)
    for id in 1...2 { _ = pool.lease(id, fresh: false, on: nil) }
    for id in 11...12 { _ = pool.dialled(Link(id: id)) }
    #expect(pool.released(Link(id: 11)).name == "keep")
    #expect(pool.released(Link(id: 12)).name == "keep")
    #expect(pool.drain().map(\.id) == [11, 12])
    _ = pool.lease(3, fresh: false, on: nil)
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
