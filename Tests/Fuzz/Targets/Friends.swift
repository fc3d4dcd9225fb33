import Trust

extension FuzzTarget {
  /// `friends.json`: what was read is written so that it is read as the same.
  static let friends = FuzzTarget("friends", longest: 4096) { bytes in
    guard let book = decoded(bytes) else { return }
    guard let written = try? book.encoded() else { fatalError("What was read cannot be written") }
    guard let again = decoded(written) else {
      fatalError("What was written cannot be read: \(String(decoding: written, as: UTF8.self))")
    }
    requireEqual(again.friends, book.friends, "Other friends")
    requireEqual(again.blocked, book.blocked, "Other blocked nodes")
    requireEqual(again.requests, book.requests, "Other requests")
    require((try? again.encoded()) == written, "What was written once changes when it is written again")
  }

  private static func decoded(_ bytes: [UInt8]) -> FriendBook? {
    try? FriendBook(decoding: bytes, own: own, ownKey: [], cryptography: cryptography)
  }

  private static let own = NodeID(digest: [UInt8](repeating: 1, count: 32))!
  /// Nothing is verified in a store.
  private static let cryptography = Cryptography(
    sha256: { _ in [UInt8](repeating: 0, count: 32) }, verify: { _, _, _ in false })
}
