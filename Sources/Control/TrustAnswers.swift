package import Mesh
package import Trust
package import XMPP

/// What the control socket tells and does about friends.
package struct TrustAnswers: Sendable {
  package var trustService: TrustService
  /// Uses an invite of another node.
  package var join: @Sendable (InviteLine, _ petname: String?) async throws -> Friend
  /// Asks the owner of a device for friendship.
  package var ask: @Sendable (_ device: JID, _ petname: String?, _ greeting: String?) async throws -> AskOutcome
  /// Begins to compare digits with the owner of a device.
  package var befriend: @Sendable (_ device: JID, _ petname: String?) async throws -> Void
  /// Makes a new key for the next start. Throws `ControlError`.
  package var rotate: @Sendable () async throws -> NodeID

  package init(
    trustService: TrustService, join: @escaping @Sendable (InviteLine, _ petname: String?) async throws -> Friend,
    ask: @escaping @Sendable (_ device: JID, _ petname: String?, _ greeting: String?) async throws -> AskOutcome,
    befriend: @escaping @Sendable (_ device: JID, _ petname: String?) async throws -> Void,
    rotate: @escaping @Sendable () async throws -> NodeID
  ) {
    self.trustService = trustService
    self.join = join
    self.ask = ask
    self.befriend = befriend
    self.rotate = rotate
  }
}
