import Streams
import Logging
import Synchronization
import Trust
package import XMPP

/// What passes through a node while somebody looks.
package enum TraceEvent: Sendable {
  /// On one line of XML, without bodies and secrets; `peer` is an address that proves nothing, else the network's.
  case stanza(isSent: Bool, peer: String, text: String, addresses: [JID])
  case request(RequestRecord)

  /// Whether it is a request to this device, or a stanza that names it or is a node's that calls itself so.
  package func concerns(_ device: JID) -> Bool {
    switch self {
    case .stanza(_, _, _, let addresses): addresses.contains(device)
    case .request(let request): request.device == device
    }
  }
}

/// Shows stanzas and requests to whoever watches. While nobody does, each costs one look.
final class Trace: Sendable {
  let tap: StanzaTap
  private let watchers: Watchers<TraceEvent>

  /// - Parameter logger: gets every stanza, where its level is `trace`.
  init(logger: Logger) {
    let isLogged = logger.logLevel <= .trace
    let tap = StanzaTap()
    let watchers = Watchers<TraceEvent>(capacity: MeshLimits.tracedEvents) { tap.isOpen = isLogged || $0 }
    self.tap = tap
    self.watchers = watchers
    tap.isOpen = isLogged
    tap.receive { stanza in
      if isLogged {
        logger.trace(
          "\(stanza.isSent ? "sent" : "received")", metadata: ["peer": "\(stanza.peer)", "stanza": "\(stanza.text)"])
      }
      watchers.tell(
        .stanza(isSent: stanza.isSent, peer: stanza.peer, text: stanza.text, addresses: stanza.addresses))
    }
  }

  var isWatched: Bool { watchers.isWatched }

  func tell(_ event: TraceEvent) { watchers.tell(event) }

  /// Everything from now on, of which the oldest is lost where it is not read in time.
  func events() -> AsyncStream<TraceEvent> { watchers.add() }
}
