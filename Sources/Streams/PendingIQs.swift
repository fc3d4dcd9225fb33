import HeapModule
package import NIOCore
package import XMPP

/// The IQs of one stream that wait for their answer, each with whoever waits for it, whom was asked, and until when.
///
/// Every waiter comes out exactly once: by `resolve`, `remove`, `expired` or `failAll`. Ids are unique in the life of the
/// table, so a late answer never finds another's waiter. They can be guessed: where a stream carries the stanzas of many, an
/// answer is known by its sender as well (RFC 6120 §§8.1.2.1, 10.5).
package struct PendingIQs<Waiter> {
  private struct Due: Comparable {
    let deadline: NIODeadline
    let id: String
    static func < (a: Due, b: Due) -> Bool { a.deadline < b.deadline }
    static func == (a: Due, b: Due) -> Bool { a.deadline == b.deadline }
  }

  private struct Pending {
    let waiter: Waiter
    /// nil on a direct stream.
    let address: JID?
  }

  private var pending: [String: Pending] = [:]
  /// Those that were resolved are dropped when their time comes, or when they outnumber the others.
  private var due = Heap<Due>()
  private var last: UInt64 = 0

  package init() {}

  package var count: Int { pending.count }
  /// Deadlines that are kept, for tests: they follow `count`, not the number of IQs that were ever sent.
  var deadlines: Int { due.count }

  /// The id to send. Without a deadline the waiter stays until the answer or the end of the stream.
  ///
  /// - Parameter address: whom the IQ goes to; nil on a direct stream, where all that comes is its peer's.
  mutating func register(_ waiter: Waiter, to address: JID? = nil, deadline: NIODeadline?) -> String {
    let id = nextID()
    register(id, waiter, to: address, deadline: deadline)
    return id
  }

  /// The same under an id that `nextID` gave.
  package mutating func register(_ id: String, _ waiter: Waiter, to address: JID? = nil, deadline: NIODeadline?) {
    pending[id] = Pending(waiter: waiter, address: address)
    if let deadline { insert(Due(deadline: deadline, id: id)) }
  }

  /// An id for an IQ whose answer, whatever it is, changes nothing.
  package mutating func nextID() -> String {
    last += 1
    return String(last, radix: 36)
  }

  /// Gives a deadline to one that was registered without.
  mutating func limit(_ id: String, to deadline: NIODeadline) {
    if pending[id] != nil { insert(Due(deadline: deadline, id: id)) }
  }

  /// Deadlines are minutes away and answers come within milliseconds: without this, a busy stream would keep those of all
  /// that it asked in between. Half of them are live behind it, so that each is moved twice on average.
  private mutating func insert(_ new: Due) {
    if due.count > 2 * pending.count + Self.slack {
      due = Heap(due.unordered.filter { pending[$0.id] != nil })
    }
    due.insert(new)
  }

  /// Deadlines of resolved ones that are not worth a tidying.
  private static var slack: Int { 64 }

  /// Who waits for the answer with this id and sender; nil for one that nobody waits for, or no longer, or that comes from
  /// somebody else than was asked.
  package mutating func resolve(_ id: String?, from sender: JID?) -> Waiter? {
    guard let id, let asked = pending[id], asked.address == nil || asked.address == sender else { return nil }
    return remove(id)
  }

  /// Whoever waits for this answer is to wait no longer.
  package mutating func remove(_ id: String) -> Waiter? {
    pending.removeValue(forKey: id)?.waiter
  }

  /// What `body` makes of the first one of which it makes anything. As many steps as there are waiters.
  func first<Value>(_ body: (Waiter) -> Value?) -> Value? {
    for one in pending.values {
      if let value = body(one.waiter) { return value }
    }
    return nil
  }

  /// Forgets those that `isMeant`: an answer of theirs finds nobody any more. As many steps as there are waiters.
  mutating func removeAll(where isMeant: (Waiter) -> Bool) {
    pending = pending.filter { !isMeant($0.value.waiter) }
  }

  /// When `expired` has to be called next; nil where nothing waits.
  mutating func nextDeadline() -> NIODeadline? {
    while let next = due.min {
      if pending[next.id] != nil { return next.deadline }
      due.removeMin()
    }
    return nil
  }

  /// Those whose time is over, the longest overdue first.
  package mutating func expired(_ now: NIODeadline) -> [Waiter] {
    var expired: [Waiter] = []
    while let next = due.min, next.deadline <= now {
      due.removeMin()
      if let waiter = remove(next.id) { expired.append(waiter) }
    }
    return expired
  }

  /// All of them, in no order, when the stream is gone.
  package mutating func failAll() -> [Waiter] {
    defer {
      pending.removeAll()
      due = Heap()
    }
    return pending.values.map(\.waiter)
  }
}
