import Foundation
import Testing

@testable import Trust

@Suite struct RateTableTests {
  private static let start = Date(timeIntervalSinceReferenceDate: 0)

  @Test func eachHasItsOwn() {
    var table = RateTable<String>(burst: 3, interval: 1, capacity: 8)
    let taken = (0..<5).map { _ in table.take("a", now: Self.start) }
    #expect(taken == [true, true, true, false, false])
    let (other, later) = (table.take("b", now: Self.start), table.take("a", now: Self.start + 1))
    #expect(other && later)
  }

  /// Those that have rested are forgotten first.
  @Test func memoryIsBounded() {
    var table = RateTable<Int>(burst: 2, interval: 1, capacity: 4)
    for key in 0..<3 { _ = table.take(key, now: Self.start) }
    for _ in 0..<2 { _ = table.take(9, now: Self.start + 10) }
    _ = table.take(10, now: Self.start + 10)
    let isRemembered = !table.take(9, now: Self.start + 10)
    #expect(isRemembered && table.count == 2)
    for key in 100..<1000 { _ = table.take(key, now: Self.start + 10) }
    #expect(table.count <= 4)
  }
}
