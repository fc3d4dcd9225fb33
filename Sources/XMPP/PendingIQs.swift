import HeapModule
package import NIOCore

/// The IQs of one stream that wait for their answer, each with whoever waits for it and until when.
///
/// Every waiter comes out exactly once: by `resolve`, `expired` or `failAll`. Ids are unique in the life of the
/// table, so a late answer never finds another's waiter.
package struct PendingIQs<Waiter> {
  private struct Due: Comparable {
    let deadline: NIODeadline
    let id: String
    static func < (a: Due, b: Due) -> Bool { a.deadline < b.deadline }
    static func == (a: Due, b: Due) -> Bool { a.deadline == b.deadline }
  }

  private var waiters: [String: Waiter] = [:]
  /// Those that were resolved are dropped when their time comes, or when they outnumber the others.
  private var due = Heap<Due>()
  private var last: UInt64 = 0

  package init() {}

  package var count: Int { waiters.count }
  /// Deadlines that are kept, for tests: they follow `count`, not the number of IQs that were ever sent.
  package var deadlines: Int { due.count }

  /// The id to send. Without a deadline the waiter stays until the answer or the end of the stream.
  package mutating func register(_ waiter: Waiter, deadline: NIODeadline?) -> String {
    let id = nextID()
    register(id, waiter, deadline: deadline)
    return id
  }

  /// The same under an id that `nextID` gave.
  package mutating func register(_ id: String, _ waiter: Waiter, deadline: NIODeadline?) {
    waiters[id] = waiter
    if let deadline { insert(Due(deadline: deadline, id: id)) }
  }

  /// An id for an IQ whose answer, whatever it is, changes nothing.
  package mutating func nextID() -> String {
    last += 1
    return String(last, radix: 36)
  }

  /// Gives a deadline to one that was registered without.
  package mutating func limit(_ id: String, to deadline: NIODeadline) {
    if waiters[id] != nil { insert(Due(deadline: deadline, id: id)) }
  }

  /// Deadlines are minutes away and answers come within milliseconds: without this, a busy stream would keep those of all
  /// that it asked in between. Half of them are live behind it, so that each is moved twice on average.
  private mutating func insert(_ new: Due) {
    if due.count > 2 * waiters.count + Self.slack {
      due = Heap(due.unordered.filter { waiters[$0.id] != nil })
    }
    due.insert(new)
  }

  /// Deadlines of resolved ones that are not worth a tidying.
  private static var slack: Int { 64 }

  /// Whose answer this id is; nil for an answer that nobody waits for, or no longer.
  package mutating func resolve(_ id: String?) -> Waiter? {
    id.flatMap { waiters.removeValue(forKey: $0) }
  }

  /// Forgets those that `isMeant`: an answer of theirs finds nobody any more. As many steps as there are waiters.
  package mutating func removeAll(where isMeant: (Waiter) -> Bool) {
    waiters = waiters.filter { !isMeant($0.value) }
  }

  /// When `expired` has to be called next; nil where nothing waits.
  package mutating func nextDeadline() -> NIODeadline? {
    while let next = due.min {
      if waiters[next.id] != nil { return next.deadline }
      due.removeMin()
    }
    return nil
  }

  /// Those whose time is over, the longest overdue first.
  package mutating func expired(_ now: NIODeadline) -> [Waiter] {
    var expired: [Waiter] = []
    while let next = due.min, next.deadline <= now {
      due.removeMin()
      if let waiter = waiters.removeValue(forKey: next.id) { expired.append(waiter) }
    }
    return expired
  }

  /// All of them, in no order, when the stream is gone.
  package mutating func failAll() -> [Waiter] {
    defer {
      waiters.removeAll()
      due = Heap()
    }
    return Array(waiters.values)
  }
}
