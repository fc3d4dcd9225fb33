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
  /// Every device known now, sorted by address, and each one that changes from now on, until the consumer or the node stops.
  func watchDevices() -> (known: [Device], changes: AsyncStream<Device>)
  func status() -> NodeStatus
  /// The full address on a server by which friends' nodes reach this one; nil where they do not at the moment.
  var relayAddress: JID? { get }
  /// Asks the node of a device what it sees of the way.
  ///
  /// - Throws: `MeshError` where it cannot be reached, or does not answer; `CancellationError`.
  func report(of device: JID) async throws -> ReportOutcome
  func metrics() -> NodeMetrics
  /// The last ones, the newest first.
  func recentRequests() -> [RequestRecord]
  /// Stanzas and requests from now on, until the consumer stops. What is not read in time is lost, the oldest first.
  func traceEvents() -> AsyncStream<TraceEvent>

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

extension LocalNode {
  package var relayAddress: JID? { nil }

  /// What to say of a device that nothing is known of.
  package func notDiscovered(_ device: JID) -> MeshError {
    guard let problem = status().discoveryProblem else { return .notDiscovered(device) }
    return MeshError(
      .notDiscovered, device: device,
      message: "No device “\(device)” is known, and at the moment none is heard of: \(problem).")
  }
}
