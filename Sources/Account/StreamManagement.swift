import DequeModule
package import NIOCore

/// XEP-0198, one side's books: what the server has not acknowledged, and how much of its own has been dealt with. A value;
/// lives as long as the session, over several connections.
package struct StreamManagement: Sendable {
  /// How to go on after a broken connection.
  package struct Resumption: Hashable, Sendable {
    package let id: String
    /// Stanzas of the server's that were dealt with.
    package let handled: UInt32
  }

  package enum Violation: Error, Hashable, Sendable {
    /// It acknowledges what was never sent (XEP-0198 §4, `handled-count-too-high`).
    case acknowledgedTooMuch
  }

  /// nil where the session cannot be resumed.
  private let id: String?
  private var unacknowledged: Deque<ByteBuffer> = []
  /// Of those.
  package private(set) var bytes = 0
  /// Stanzas, modulo 2^32.
  private var acknowledged: UInt32
  private var received: UInt32
  /// An answer to `<r/>` is due.
  package private(set) var isAsked = false

  /// - Parameter id: the server's, where it allows resumption.
  package init(id: String?) {
    self.init(id: id, acknowledged: 0, received: 0)
  }

  /// As it is after so many stanzas of either side.
  init(id: String?, acknowledged: UInt32, received: UInt32) {
    (self.id, self.acknowledged, self.received) = (id, acknowledged, received)
  }

  package var resumption: Resumption? { id.map { Resumption(id: $0, handled: received) } }
  package var handled: UInt32 { received }
  package var count: Int { unacknowledged.count }

  /// A stanza goes out. True where the server has to be asked how far it is: one question is under way as long as
  /// anything is not acknowledged.
  package mutating func sent(_ stanza: ByteBuffer) -> Bool {
    unacknowledged.append(stanza)
    bytes += stanza.readableBytes
    defer { isAsked = true }
    return !isAsked
  }

  /// The server's stanza is in good hands.
  package mutating func handledOne() { received &+= 1 }

  /// The server says how many it has. True where it has to be asked again.
  package mutating func acknowledge(_ count: UInt32) throws(Violation) -> Bool {
    try drop(count)
    isAsked = !unacknowledged.isEmpty
    return isAsked
  }

  /// The session goes on over another connection: what to send again, in its order. Then the server is to be asked.
  package mutating func resumed(_ count: UInt32) throws(Violation) -> [ByteBuffer] {
    try drop(count)
    isAsked = !unacknowledged.isEmpty
    return Array(unacknowledged)
  }

  private mutating func drop(_ count: UInt32) throws(Violation) {
    let new = count &- acknowledged
    guard new <= unacknowledged.count else { throw .acknowledgedTooMuch }
    for _ in 0..<new { bytes -= unacknowledged.removeFirst().readableBytes }
    acknowledged = count
  }
}
