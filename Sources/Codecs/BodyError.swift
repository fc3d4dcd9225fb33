/// A body that ended before the length it was announced with, or went on behind it.
package struct BodyError: Error, Hashable, Sendable, CustomStringConvertible {
  /// In bytes, as announced.
  package let length: Int
  /// In bytes, as read before the reader gave up.
  package let received: Int

  package init(length: Int, received: Int) {
    self.length = length
    self.received = received
  }

  package var description: String { "the body has \(received) bytes instead of \(length)" }
}
