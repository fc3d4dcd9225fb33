package import NIOCore

/// Keeps what came too early (an `<open/>`, a chunk before the answer that names its transfer), within bounds.
///
/// Values of one transfer stay in order. What nobody claims in time comes back to be refused.
package struct EarlyOpens<Value: Sendable>: Sendable {
  private struct Slot: Sendable {
    let transfer: String
    let value: Value
    let byteCount: Int
    let leaves: NIODeadline
  }

  private let capacity: Int
  private let byteCapacity: Int
  private let lifetime: TimeAmount
  /// In the order of arrival, and so of leaving.
  private var slots: [Slot] = []
  private var byteCount = 0

  /// - Parameters:
  ///   - capacity: values at most, of all transfers together.
  ///   - bytes: their payload at most.
  ///   - lifetime: how long one is kept.
  package init(capacity: Int, bytes: Int, lifetime: TimeAmount) {
    self.capacity = capacity
    self.byteCapacity = bytes
    self.lifetime = lifetime
  }

  /// Values that are kept.
  package var count: Int { slots.count }

  /// When to call `expire`, nil while nothing is kept.
  package var deadline: NIODeadline? { slots.first?.leaves }

  /// False where there is no room: the value is to be refused, and its transfer has lost it.
  package mutating func hold(_ value: Value, of transfer: String, bytes: Int = 0, now: NIODeadline) -> Bool {
    guard slots.count < capacity, byteCount + bytes <= byteCapacity else { return false }
    slots.append(Slot(transfer: transfer, value: value, byteCount: bytes, leaves: now + lifetime))
    byteCount += bytes
    return true
  }

  /// Takes out what was kept for a transfer that is now known, in order.
  package mutating func claim(_ transfer: String) -> [Value] {
    remove { $0.transfer == transfer }.map(\.value)
  }

  /// Takes out what nobody claimed in time, in order.
  package mutating func expire(now: NIODeadline) -> [(transfer: String, value: Value)] {
    remove { $0.leaves <= now }.map { ($0.transfer, $0.value) }
  }

  private mutating func remove(_ isMeant: (Slot) -> Bool) -> [Slot] {
    let removed = slots.filter(isMeant)
    guard !removed.isEmpty else { return [] }
    slots.removeAll(where: isMeant)
    byteCount -= removed.reduce(0) { $0 + $1.byteCount }
    return removed
  }
}
