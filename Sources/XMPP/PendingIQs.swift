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
  /// Those that were resolved are dropped when their time comes.
  private var due = Heap<Due>()
  private var last: UInt64 = 0

  package init() {}

  package var count: Int { waiters.count }

  /// The id to send. Without a deadline the waiter stays until the answer or the end of the stream.
  package mutating func register(_ waiter: Waiter, deadline: NIODeadline?) -> String {
    last += 1
    let id = String(last, radix: 36)
    waiters[id] = waiter
    if let deadline { due.insert(Due(deadline: deadline, id: id)) }
    return id
  }

  /// Gives a deadline to one that was registered without.
  package mutating func limit(_ id: String, to deadline: NIODeadline) {
    if waiters[id] != nil { due.insert(Due(deadline: deadline, id: id)) }
  }

  /// Whose answer this id is; nil for an answer that nobody waits for, or no longer.
  package mutating func resolve(_ id: String?) -> Waiter? {
    id.flatMap { waiters.removeValue(forKey: $0) }
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
