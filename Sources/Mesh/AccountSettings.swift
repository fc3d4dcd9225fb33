/// An account as the owner wants it to be used.
package struct AccountSettings: Sendable {
  package let connection: any AccountConnection
  /// Whether friends' nodes may reach this one over it.
  package let isRelay: Bool
  /// Whether friends are told its address.
  package let isShared: Bool

  /// The service that answers foreign peers at its address; nil: none.
  package let served: String?

  package init(_ connection: any AccountConnection, isRelay: Bool, isShared: Bool, served: String? = nil) {
    (self.connection, self.isRelay, self.isShared, self.served) = (connection, isRelay, isShared, served)
  }
}
