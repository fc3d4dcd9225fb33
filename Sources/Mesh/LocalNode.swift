package import Trust
package import XMPP

/// This machine's node, as its owner sees it: the devices, the friends, and the ways to become friends.
///
/// Filled by `Node`; made up in tests of what stands above it.
package protocol LocalNode: Sendable {
  var trustService: TrustService { get }

  /// Sorted by address; those that are gone included.
  func devices() -> [Device]
  func device(_ jid: JID) -> Device?
  /// Every device known now, then each one that changes, until the consumer or the node stops.
  func deviceChanges() -> AsyncStream<Device>
  func status() -> NodeStatus

  /// Asks a device's node for friendship, and waits for an answer up to `MeshLimits.friendship`.
  ///
  /// - Parameter expected: the node that the owner has seen; another one gets nothing.
  /// - Throws: `MeshError` where it cannot be reached or has another key, `TrustError` where there is nothing to ask for.
  func ask(
    _ device: JID, expecting expected: NodeID?, petname: String?, greeting: String?
  ) async throws -> AskOutcome
  /// Begins to compare digits with a device's node; they are then in `trustService.current.pairingQuestion`.
  ///
  /// - Throws: as `ask` does.
  func befriend(_ device: JID, expecting expected: NodeID?, petname: String?) async throws
  /// Takes an invite.
  ///
  /// - Throws: `MeshError` where its node cannot be reached or has another key, `TrustError` where it is not good any more.
  func join(_ line: InviteLine, petname: String?) async throws -> Friend
}

extension Node: LocalNode {}
