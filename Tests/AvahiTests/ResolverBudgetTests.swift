import LinkLocal
import Testing

@testable import Avahi

@Suite struct ResolverBudgetTests {
  private func key(_ number: Int) -> Sighting.Key {
    Sighting.Key(instance: InstanceName("d\(number)@x")!, interface: Interface(index: 1, name: "eth0"), family: .ipv4)
  }

  @Test func theFirstKeepTheirs() {
    var budget = ResolverBudget(kept: 2, passing: 1)
    for number in 1...2 {
      #expect(budget.appeared(key(number)) == key(number))
      let verdict = budget.settled(key(number))
      #expect(verdict.isKept)
      #expect(verdict.next == nil)
    }
  }

  @Test func theOthersTakeTurns() {
    var budget = ResolverBudget(kept: 1, passing: 1)
    #expect(budget.appeared(key(1)) == key(1))
    #expect(budget.appeared(key(2)) == key(2))
    #expect(budget.appeared(key(3)) == nil)
    #expect(budget.appeared(key(4)) == nil)
    let verdict = budget.settled(key(2))
    #expect(!verdict.isKept)
    #expect(verdict.next == key(3))
    #expect(budget.settled(key(3)).next == key(4))
    #expect(budget.settled(key(4)).next == nil)
  }

  @Test func whatVanishesMakesRoom() {
    var budget = ResolverBudget(kept: 1, passing: 1)
    _ = budget.appeared(key(1))
    _ = budget.appeared(key(2))
    for number in 3...5 { #expect(budget.appeared(key(number)) == nil) }
    // Not waited for any longer.
    #expect(budget.vanished(key(3)) == nil)
    #expect(budget.vanished(key(1)) == key(4))
    #expect(budget.settled(key(4)).isKept)
    #expect(budget.vanished(key(2)) == key(5))
    #expect(!budget.settled(key(5)).isKept)
  }

  @Test func neverMoreThanAvahiAllows() {
    var budget = ResolverBudget()
    var open: Set<Sighting.Key> = []
    for number in 1...5000 { budget.appeared(key(number)).map { _ = open.insert($0) } }
    #expect(open.count == AvahiLimits.keptResolvers + AvahiLimits.passingResolvers)
    var done = 0
    while let next = open.first(where: { budget.settled($0).isKept == false }) {
      open.remove(next)
      done += 1
      if done > 100 { break }
    }
    #expect(open.count <= AvahiLimits.keptResolvers + AvahiLimits.passingResolvers)
  }
}
