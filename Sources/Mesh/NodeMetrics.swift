import Streams
import Trust

/// A node as numbers, as they are at one moment.
///
/// More than eight properties: one for each group of numbers.
package struct NodeMetrics: Sendable {
  package var tallies: RequestTallies
  /// Requests without a whole answer.
  package var requests: Int
  /// Bodies that are passed on in parts.
  package var transfers: Int
  /// Open streams: those that this node has opened, and those that came in.
  package var dialledStreams: Int
  package var incomingStreams: Int
  package var friends: Int
  /// Streams and requests that were refused, by the reason as the log has it.
  package var refusals: [String: Int]
  package var devices: [Device.State: Int]
  /// Bytes that are held for peers, as `MemoryBudget.held` has them: of all, and of strangers.
  package var held: (all: Int, strangers: Int)

  package init(
    tallies: RequestTallies = RequestTallies(), requests: Int = 0, transfers: Int = 0, dialledStreams: Int = 0,
    incomingStreams: Int = 0, friends: Int = 0, refusals: [String: Int] = [:], devices: [Device.State: Int] = [:],
    held: (all: Int, strangers: Int) = (0, 0)
  ) {
    (self.tallies, self.requests, self.transfers) = (tallies, requests, transfers)
    (self.dialledStreams, self.incomingStreams, self.friends) = (dialledStreams, incomingStreams, friends)
    (self.refusals, self.devices, self.held) = (refusals, devices, held)
  }
}

extension Node {
  package func metrics() -> NodeMetrics {
    let load = requestLog.load
    let dialled = dialer.streams
    return NodeMetrics(
      tallies: requestLog.tallies, requests: load.requests, transfers: load.transfers, dialledStreams: dialled,
      incomingStreams: max(0, gatekeeper.streams - dialled), friends: trustService.current.friends.count,
      refusals: trustService.refusals, devices: devices().reduce(into: [:]) { $0[$1.state, default: 0] += 1 },
      held: memory.held)
  }

  package func recentRequests() -> [RequestRecord] { requestLog.recent }
}
