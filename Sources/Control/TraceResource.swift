package import FoundationEssentials
import HTTPTypes
import Mesh
import XMPP

/// One request that has ended.
///
/// More than eight properties: one for each key of the JSON.
package struct RequestResource: Codable, Sendable, Hashable {
  /// What both nodes call it.
  package let id: String
  /// `served`: a device of this node answered; `sent`: somebody at this machine asked.
  package let side: String
  /// A friend's petname, `self`, else the beginning of a key or an address that proves nothing; null where it was sent.
  @Nullable package private(set) var who: String?
  package let device: String
  package let method: String
  /// Without its query.
  package let path: String
  /// Null where it came to no answer of HTTP's.
  @Nullable package private(set) var status: Int?
  /// Why it came to nothing, or its answer broke off; null where it did not.
  @Nullable package private(set) var failure: String?
  /// Of the bodies.
  package let requestBytes: Int
  package let responseBytes: Int
  /// When it ended.
  package let time: Date
  package let seconds: Double

  init(_ record: RequestRecord) {
    id = record.id.text
    side = record.side.rawValue
    device = record.device.text
    method = record.method.rawValue
    path = record.path
    (requestBytes, responseBytes, time) = (record.requestBytes, record.responseBytes, record.time)
    let duration = record.duration.components
    seconds = Double(duration.seconds) + Double(duration.attoseconds) * 1e-18
    who = record.who
    status = record.status
    failure = record.failure
  }
}

/// The answer to `GET /v1/recent`: the newest first.
package struct RequestLogResource: Codable, Sendable, Hashable {
  package let requests: [RequestResource]
}

/// One line of `GET /v1/trace`: a stanza that passed, or a request that has ended.
package struct TraceResource: Codable, Sendable, Hashable {
  package struct Stanza: Codable, Sendable, Hashable {
    /// `sent` or `received`.
    package let direction: String
    /// An address that proves nothing, else the network's.
    package let peer: String
    /// On one line, without bodies and secrets, and cut where it is long.
    package let xml: String
  }

  package let time: Date
  /// Null for a request.
  @Nullable package private(set) var stanza: Stanza?
  /// Null for a stanza.
  @Nullable package private(set) var request: RequestResource?

  init(_ event: TraceEvent, at time: Date) {
    self.time = time
    switch event {
    case .stanza(let isSent, let peer, let text, _):
      stanza = Stanza(direction: isSent ? "sent" : "received", peer: peer, xml: text)
    case .request(let record): request = RequestResource(record)
    }
  }
}
