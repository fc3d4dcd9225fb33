import XMPP

extension Namespace {
  /// An invite's token in a request of friendship.
  package static let invite = "urn:hearth:invite:1"
  /// Commit, reveal and confirmation of six compared digits.
  package static let pairing = "urn:hearth:pairing:1"
  /// A new key, signed by the old one.
  package static let rotation = "urn:hearth:rotation:1"
}
