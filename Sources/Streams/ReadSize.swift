/// How many bytes a stream reads in a turn: about as many stanzas as a node writes at once, of the size that the last ones had.
///
/// A turn that took all that has gathered in the socket would answer none of it before it has looked at the last. A body's blocks
/// need as much as there is room for.
struct ReadSize {
  private(set) var bytes = Limits.receiveBuffer

  /// - Parameters:
  ///   - count: bytes of the turn that has ended.
  ///   - stanzas: those that ended in it.
  /// - Returns: the size from now on, where it changes.
  mutating func turned(_ count: Int, stanzas: Int) -> Int? {
    let wanted = stanzas == 0 ? Limits.receiveBuffer : Self.size(of: count / stanzas)
    // Grows at once, so that a block is never read in many pieces, and shrinks in steps, since small stanzas come between blocks.
    let next = max(wanted, bytes / 2)
    guard next > bytes || next < bytes - bytes / 4 else { return nil }
    bytes = next
    return next
  }

  /// An eighth more, for what encryption adds.
  private static func size(of stanza: Int) -> Int {
    min(max(stanza * Limits.flushStanzas * 9 / 8, Limits.leastReceiveBuffer), Limits.receiveBuffer)
  }
}
