import Codecs
import Testing

struct TurnQueueTests {
  private func queue(_ entries: [(String, Int)]) -> TurnQueue<String, Int> {
    var queue = TurnQueue<String, Int>()
    for (key, element) in entries { queue.append(element, for: key) }
    return queue
  }

  @Test func keysTakeTurns() {
    var queue = queue([("a", 1), ("a", 2), ("a", 3), ("b", 4), ("c", 5), ("b", 6)])
    #expect(queue.keyCount == 3)
    #expect(Array(queue.firsts) == [1, 4, 5])
    var order: [Int] = []
    while let next = queue.popFirst(where: { _ in true }) { order.append(next) }
    #expect(order == [1, 4, 5, 2, 6, 3])
    #expect(queue.isEmpty)
  }

  @Test func aKeyThatMayNotKeepsItsTurn() {
    var queue = queue([("a", 1), ("b", 2), ("b", 3)])
    #expect(queue.popFirst { $0 != "a" } == 2)
    #expect(queue.popFirst { $0 == "c" } == nil)
    #expect(queue.popFirst { _ in true } == 1)
    #expect(queue.popFirst { _ in true } == 3)
  }

  @Test func whatLeavesTheQueueLeavesNoTurn() {
    var queue = queue([("a", 1), ("b", 2), ("a", 3), ("b", 4)])
    #expect(queue.removeAll { $0 == 1 } == [1])
    #expect(queue.removeAll { $0 % 2 == 0 } == [2, 4])
    #expect(queue.keyCount == 1)
    #expect(queue.popFirst { _ in true } == 3)
    #expect(queue.popFirst { _ in true } == nil)
  }
}
