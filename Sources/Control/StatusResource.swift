import Front
package import Mesh
package import Trust
import XMPP

/// The answer to `GET /v1/status`; a property for each key.
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
  /// Why the node itself is not announced, where announcing and browsing work; null while it is.
  @Nullable package private(set) var announcementProblem: String?
  /// Open streams to peers.
  package let streams: Int
  /// Bodies of 1 MiB and more since the daemon was started: those that went beside their streams, and those that went in-band since
  /// no connection came about.
  package let bodies: Bodies
  package let services: [Service]
  /// By port.
  package let forwards: [ForwardResource]
  /// On an XMPP server; null where there is none.
  @Nullable package private(set) var account: AccountResource?
  /// Null where this node is none.
  @Nullable package private(set) var component: ComponentResource?

  package struct Bodies: Codable, Sendable, Hashable {
    package let direct: Int
    package let fellBack: Int
  }

  package init(
    _ status: NodeStatus, id: NodeID, version: String, frontPort: Int?, forwards: [ForwardResource] = [],
    account: AccountResource? = nil, component: ComponentResource? = nil
  ) {
    self.version = version
    jid = status.jid.text
    wanted = status.wanted.text
    self.id = id.description
    port = status.port
    streams = status.streams
    bodies = Bodies(direct: status.bodies.direct, fellBack: status.bodies.fellBack)
    self.forwards = forwards
    services = status.services.map {
      Service(
        name: $0.name, wanted: $0.wanted?.text, jid: $0.jid?.text, target: $0.target,
        access: AccessResource($0.policy.access, $0.policy.accounts), plaintext: $0.policy.plaintext,
        problem: $0.problem,
        health: HealthResource($0.health))
    }
    self.component = component
    self.account = account?.state == .off ? nil : account
    front = frontPort.map { FrontAddress(port: $0).dashboard }
    problem = status.discoveryProblem
    announcementProblem = status.announcementProblem
  }
}
