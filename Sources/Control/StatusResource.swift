import HTTPX
package import Mesh
import XMPP

/// The answer to `GET /v1/status`, schema 1.
package struct StatusResource: Codable, Sendable, Hashable {
  package struct Service: Codable, Sendable, Hashable {
    package let name: String
    /// As announced; null until the link has accepted a name.
    package let jid: String?
    package let target: String
    package let plaintext: Bool
    /// Why it is not announced, where that is so.
    package let problem: String?
  }

  package let schema: Int
  package let version: String
  package let jid: String
  /// TCP port of the XMPP listener.
  package let port: Int
  /// Where browsers open the list of devices; null where no front runs.
  package let front: String?
  /// Why announcing and browsing do not work; null while they do.
  package let problem: String?
  /// Open streams to peers.
  package let streams: Int
  package let services: [Service]

  package init(_ status: NodeStatus, version: String, frontPort: Int?) {
    schema = 1
    self.version = version
    jid = status.jid.text
    port = status.port
    front = frontPort.map { FrontAddress(port: $0).dashboard }
    problem = status.discoveryProblem
    streams = status.streams
    services = status.services.map {
      Service(
        name: $0.name, jid: $0.jid?.text, target: $0.target, plaintext: $0.plaintext, problem: $0.problem)
    }
  }
}
