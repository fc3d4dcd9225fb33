import Streams
import Trust
package import XMPP

extension Node {
  /// Asks the node of a friend's device what it sees of the way. Others are not asked: whoever is takes it that this node counts
  /// it among its friends.
  ///
  /// - Throws: `MeshError` where it cannot be reached, or does not answer; `CancellationError`.
  package func report(of device: JID) async throws -> ReportOutcome {
    let route = try route(to: device)
    guard route.isTrusted else { return .notFriends }
    do {
      return try await report(of: device, over: dialer.liveStream(along: route))
    } catch {
      throw route.meshError(error)
    }
  }

  /// - Throws: `StreamFailure`; `CancellationError`.
  func report(of device: JID, over open: OpenStream) async throws -> ReportOutcome {
    let wasRenounced = open.nodeID.map(trustService.isRenounced) ?? false
    do {
      let answer = try await open.stream.ask(DeviceReport.query(device))
      guard let report = answer.flatMap(DeviceReport.init) else { return .notTold }
      if let id = open.nodeID { gatekeeper.confirmed(by: id) }
      return .told(report)
    } catch StreamFailure.stanza(let error) {
      guard error.isOfStrangers else { return .notTold }
      // Where the two have agreed meanwhile, it was asked before that.
      if let id = open.nodeID, trustService.isRenounced(id) || !wasRenounced {
        gatekeeper.renounced(by: id)
        // Who is blocked is not heard: it asks once more when it can.
        if error.condition == .notAuthorized { gatekeeper.undelivered(id) }
      }
      return .notFriends
    }
  }
}

extension StanzaError {
  /// Whether a node says by it that whoever asked is no friend of its own. The second is how it ends a stream on which both were
  /// friends, or whose peer it has blocked.
  var isOfStrangers: Bool { [.forbidden, .notAuthorized].contains(condition) }
}
