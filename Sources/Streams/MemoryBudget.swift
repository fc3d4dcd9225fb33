import Synchronization

/// What all streams of a node may hold in memory for their peers: bodies that wait for their readers, requests that are being
/// answered or wait for that, answers that a peer does not read.
///
/// Streams that hold little never come here: see `MemoryAccount`.
package final class MemoryBudget: Sendable {
  private struct State {
    var ledger: MemoryLedger
    /// Asks a stream to give something back, from whatever thread.
    var relieve: [Int: @Sendable () -> Void] = [:]
  }

  /// Bytes, where the owner says nothing.
  package static let standardLimit = Limits.memory

  private let state: Mutex<State>

  /// - Parameter limit: bytes of all peers together.
  package init(limit: Int) {
    state = Mutex(State(ledger: MemoryLedger(limit: limit)))
  }

  /// Bytes that are held at the moment, of all peers and of strangers alone. Nothing of a stream that holds less than 64 KiB.
  package var held: (all: Int, strangers: Int) { state.withLock { ($0.ledger.all, $0.ledger.strangers) } }

  func open(_ holder: MemoryLedger.Holder, relieve: @escaping @Sendable () -> Void) -> Int {
    state.withLock { state in
      let number = state.ledger.open(holder)
      state.relieve[number] = relieve
      return number
    }
  }

  func close(_ number: Int) {
    state.withLock { state in
      state.ledger.close(number)
      state.relieve[number] = nil
    }
  }

  /// - Returns: whether this account is the one that has to give something back, or may take no more.
  func set(_ bytes: Int, of number: Int, isMore: Bool) -> Bool {
    state.withLock { $0.ledger.set(bytes, of: number) }
    return isMore && isOverdrawn(number)
  }

  /// The same as things are now. Others that have to give back are asked to.
  func isOverdrawn(_ number: Int) -> Bool {
    while true {
      let (debtor, relieve) = state.withLock { state -> (Int?, (@Sendable () -> Void)?) in
        guard let debtor = state.ledger.debtor() else { return (nil, nil) }
        if debtor != number { state.ledger.asked(debtor) }
        return (debtor, state.relieve[debtor])
      }
      guard let debtor else { return state.withLock { $0.ledger.isFull(number) } }
      if debtor == number { return true }
      relieve?()
      // It gives back in a moment; one at a time is enough, unless there is no room for that moment.
      guard state.withLock({ $0.ledger.isFull(number) }) else { return false }
    }
  }

  func isTight(_ number: Int) -> Bool { state.withLock { $0.ledger.isTight(number) } }
}

/// What one stream holds of the budget. Lives on the stream's event loop, and goes to the budget in steps of 64 KiB only: a
/// stream that answers small requests never does.
final class MemoryAccount {
  private let budget: MemoryBudget
  /// nil until it is known whose it is: before that a stream holds nothing.
  private var number: Int?
  private var counted = 0
  private var mayBeOverdrawn = false

  /// Bytes of bodies that wait for their readers.
  var unread = 0 { didSet { settle() } }
  /// Bytes of requests that are answered, or wait for that.
  var requests = 0 { didSet { settle() } }
  /// Bytes that wait for the peer to read them.
  var unsent = 0 { didSet { settle() } }

  init(_ budget: MemoryBudget) {
    self.budget = budget
  }

  deinit {
    if let number { budget.close(number) }
  }

  /// - Parameter relieve: asks the stream to give something back, on its own event loop and not at once.
  func open(_ holder: MemoryLedger.Holder, relieve: @escaping @Sendable () -> Void) {
    number = budget.open(holder, relieve: relieve)
    settle()
  }

  var held: Int { unread + requests + unsent }

  private func settle() {
    let due = held / Limits.memoryStep * Limits.memoryStep
    guard due != counted, let number else { return }
    mayBeOverdrawn = budget.set(due, of: number, isMore: due > counted)
    counted = due
  }

  /// Whether this stream has to give something back before it takes more.
  var isOverdrawn: Bool {
    guard mayBeOverdrawn, counted > 0, let number else { return false }
    mayBeOverdrawn = budget.isOverdrawn(number)
    return mayBeOverdrawn
  }

  /// Whether there is little room left for bodies that nobody reads yet.
  var isTight: Bool { number.map { budget.isTight($0) } ?? false }
}
