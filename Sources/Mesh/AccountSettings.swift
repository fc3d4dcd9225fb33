/// An account as the owner wants it to be used.
package struct AccountSettings: Sendable {
  package let connection: any AccountConnection
  /// Whether friends' nodes may reach this one over it.
  package let isRelay: Bool
  /// Whether friends are told its address.
  package let isShared: Bool

  package init(_ connection: any AccountConnection, isRelay: Bool, isShared: Bool) {
    (self.connection, self.isRelay, self.isShared) = (connection, isRelay, isShared)
  }
}
