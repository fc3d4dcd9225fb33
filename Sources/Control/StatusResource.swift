import Front
package import Mesh
package import Trust
import XMPP

/// The answer to `GET /v1/status`, schema 1; a property for each key.
package struct StatusResource: Codable, Sendable, Hashable {
  package struct Service: Codable, Sendable, Hashable {
    package let name: String
    /// What it is meant to be announced as; another `jid` is there while somebody else has that name.
    @Nullable package private(set) var wanted: String?
    /// As announced; null until the link has accepted a name.
    @Nullable package private(set) var jid: String?
    package let target: String
    package let access: AccessResource
    package let plaintext: Bool
    /// Why it is not announced, where that is so.
    @Nullable package private(set) var problem: String?
    package let health: HealthResource
  }

  package let schema: Int
  package let version: String
  package let jid: String
  /// What the node is meant to be announced as; another `jid` is there while somebody else has that name.
  package let wanted: String
  /// The node's id.
  package let id: String
  /// TCP port of the XMPP listener.
  package let port: Int
  /// Where browsers open the list of devices; null where no front runs.
  @Nullable package private(set) var front: String?
  /// Why announcing and browsing do not work; null while they do.
  @Nullable package private(set) var problem: String?
  /// Open streams to peers.
  package let streams: Int
  package let services: [Service]
  /// By port.
  package let forwards: [ForwardResource]

  package init(_ status: NodeStatus, id: NodeID, version: String, frontPort: Int?, forwards: [ForwardResource] = []) {
    schema = 1
    self.version = version
    jid = status.jid.text
    wanted = status.wanted.text
    self.id = id.description
    port = status.port
    streams = status.streams
    self.forwards = forwards
    services = status.services.map {
      Service(
        name: $0.name, wanted: $0.wanted?.text, jid: $0.jid?.text, target: $0.target,
        access: AccessResource($0.policy.access), plaintext: $0.policy.plaintext, problem: $0.problem,
        health: HealthResource($0.health))
    }
    front = frontPort.map { FrontAddress(port: $0).dashboard }
    problem = status.discoveryProblem
  }
}
