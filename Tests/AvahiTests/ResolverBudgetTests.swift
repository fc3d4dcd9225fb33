import LinkLocal
import Testing

@testable import Avahi

@Suite struct ResolverBudgetTests {
  private let start = ContinuousClock.now

  private func key(_ number: Int) -> Sighting.Key {
    Sighting.Key(instance: InstanceName("d\(number)@x")!, interface: Interface(index: 1, name: "eth0"), family: .ipv4)
  }

  @Test func theFirstKeepTheirs() {
    var budget = ResolverBudget(kept: 2, passing: 1)
    #expect(budget.appeared(key(1)) == [.resolve(key(1))])
    // One at a time.
    #expect(budget.appeared(key(1)).isEmpty)
    #expect(budget.appeared(key(2)).isEmpty)
    #expect(budget.settled(key(1), now: start) == [.resolve(key(2))])
    #expect(budget.settled(key(2), now: start).isEmpty)
    // Told of a change.
    #expect(budget.settled(key(1), now: start).isEmpty)
    #expect(!budget.needsTurns)
  }

  @Test func theOthersTakeTurns() {
    var budget = ResolverBudget(kept: 1, passing: 1)
    #expect(budget.appeared(key(1)) == [.resolve(key(1))])
    for number in 2...4 { #expect(budget.appeared(key(number)).isEmpty) }
    #expect(budget.settled(key(1), now: start) == [.resolve(key(2))])
    #expect(budget.settled(key(2), now: start) == [.free(key(2)), .resolve(key(3))])
    #expect(budget.settled(key(3), now: start + .seconds(1)) == [.free(key(3)), .resolve(key(4))])
    #expect(budget.settled(key(4), now: start + .seconds(2)) == [.free(key(4))])
    // And again, in the same order, when each has been told long ago.
    #expect(budget.needsTurns)
    #expect(budget.turn(now: start + AvahiLimits.refresh - .seconds(1)).isEmpty)
    #expect(budget.turn(now: start + AvahiLimits.refresh) == [.resolve(key(2))])
    #expect(budget.turn(now: start + AvahiLimits.refresh + .seconds(2)).isEmpty)
    #expect(
      budget.settled(key(2), now: start + AvahiLimits.refresh + .seconds(2)) == [.free(key(2)), .resolve(key(3))])
  }

  @Test func aTurnIsNoStorm() {
    var budget = ResolverBudget(kept: 0, passing: 100)
    for number in 1...50 { #expect(budget.appeared(key(number)) == [.resolve(key(number))]) }
    for number in 1...50 { #expect(budget.settled(key(number), now: start) == [.free(key(number))]) }
    #expect(budget.turn(now: start + AvahiLimits.refresh).count == AvahiLimits.refreshesAtOnce)
  }

  @Test func whatIsWantedKeepsItsFromThenOn() {
    var budget = ResolverBudget(kept: 2, passing: 1)
    for number in 1...5 { _ = budget.appeared(key(number)) }
    #expect(budget.settled(key(1), now: start) == [.resolve(key(2))])
    #expect(budget.settled(key(2), now: start) == [.resolve(key(3))])
    // 1 and 2 are kept, 3 is passing, 4 and 5 wait. What is kept is only noted.
    #expect(budget.wanted(key(1), now: start).isEmpty)
    // Who is wanted does not wait for those that have not answered.
    #expect(budget.wanted(key(5), now: start) == [.free(key(2)), .resolve(key(5))])
    // What is being resolved stays so.
    #expect(budget.wanted(key(3), now: start) == [.free(key(1))])
    #expect(budget.settled(key(3), now: start).isEmpty)
    #expect(budget.settled(key(5), now: start) == [.resolve(key(4))])
    #expect(budget.settled(key(4), now: start) == [.free(key(4))])
    // Who was asked for last stays longest.
    #expect(budget.wanted(key(2), now: start) == [.free(key(5)), .resolve(key(2))])
    #expect(budget.wanted(key(6), now: start).isEmpty)
  }

  @Test func whatVanishesMakesRoom() {
    var budget = ResolverBudget(kept: 1, passing: 1)
    for number in 1...5 { _ = budget.appeared(key(number)) }
    #expect(budget.settled(key(1), now: start) == [.resolve(key(2))])
    // Not waited for any longer.
    #expect(budget.vanished(key(3)).isEmpty)
    #expect(budget.vanished(key(1)).isEmpty)
    #expect(budget.vanished(key(2)) == [.resolve(key(4))])
    #expect(budget.settled(key(4), now: start) == [.resolve(key(5))])
    #expect(budget.settled(key(5), now: start) == [.free(key(5))])
    #expect(budget.vanished(key(5)).isEmpty)
    #expect(!budget.needsTurns)
  }

  @Test func whatComesAndGoesWaitsOnce() {
    var budget = ResolverBudget(kept: 0, passing: 1)
    _ = budget.appeared(key(1))
    for _ in 1...100 {
      #expect(budget.appeared(key(2)).isEmpty)
      #expect(budget.vanished(key(2)).isEmpty)
    }
    _ = budget.appeared(key(2))
    #expect(budget.settled(key(1), now: start) == [.free(key(1)), .resolve(key(2))])
    #expect(budget.settled(key(2), now: start) == [.free(key(2))])
  }

  @Test func neverMoreThanAvahiAllows() {
    var budget = ResolverBudget()
    var open: Set<Sighting.Key> = []
    func carryOut(_ steps: [ResolverBudget.Step]) {
      for step in steps {
        switch step {
        case .resolve(let key): open.insert(key)
        case .free(let key): open.remove(key)
        }
      }
      #expect(open.count <= AvahiLimits.keptResolvers + AvahiLimits.passingResolvers)
    }
    for number in 1...5000 { carryOut(budget.appeared(key(number))) }
    #expect(open.count == AvahiLimits.passingResolvers)
    for number in 1...5000 { carryOut(budget.settled(key(number), now: start)) }
    for number in 1000...2000 { carryOut(budget.wanted(key(number), now: start)) }
    for second in 1...100 { carryOut(budget.turn(now: start + AvahiLimits.refresh + .seconds(second))) }
    for number in 1...5000 {
      open.remove(key(number))
      carryOut(budget.vanished(key(number)))
    }
    #expect(open.isEmpty)
  }
}
