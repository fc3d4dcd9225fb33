import FoundationEssentials
import HTTPX
import Logging
import NIOCore
import Streams
import XMPP

/// What every stream of this node is made with.
struct StreamSetup: Sendable {
  let host: StreamHost
  /// Whose own address is the one that streams speak for.
  let table: ServiceTable
  /// Told of each request that ends, here or over a stream, and of each stream.
  let quietTimer: QuietTimer
  let eventLoopGroup: any EventLoopGroup
  let logger: Logger
}

extension StreamHost {
  /// - Parameter version: of this software.
  init(
    _ gatekeeper: Gatekeeper, _ router: Router, _ office: Office, _ quietTimer: QuietTimer, security: StreamSecurity,
    memory: MemoryBudget, preference: [BodyMechanism], tap: StanzaTap, version: String
  ) {
    let table = router.table
    let rates = RequestRates()
    self.init(
      node: { table.node },
      isLocal: { table.isLocal($0) },
      version: SoftwareVersion(name: "Hearth", version: version),
      info: { table.service($0) == nil ? Capabilities.ofNode : Capabilities.ofService },
      security: security,
      memory: memory,
      preference: preference,
      tap: tap,
      opened: { gatekeeper.opened($0, $1) },
      refused: { gatekeeper.failed($0) },
      received: { stanza, _, identity in
        // Who is no node of a friend's speaks of nothing but HTTP, or of the invite that it came with.
        guard gatekeeper.hears(stanza, identity) else { return stanza.kind == .iq ? .unknown : .taken(nil) }
        if stanza.kind == .message {
          return .taken(ChatAutoReply.reply(to: stanza, at: table.node, offering: table.all))
        }
        if let disposition = office.received(stanza, from: identity) { return disposition }
        guard stanza.type == "get", let device = stanza.payload.flatMap(DeviceReport.device) else {
          return gatekeeper.received(stanza, identity)
        }
        let caller = gatekeeper.caller(identity)
        gatekeeper.claimed(caller)
        return .taken(router.answer(stanza, of: device, to: caller, version: version))
      },
      addresses: { gatekeeper.addresses($0) },
      answer: { incoming, send in
        defer { quietTimer.somethingEnded() }
        let caller = gatekeeper.caller(incoming.peer)
        try await router.answer(
          incoming.request, for: incoming.device, from: caller, mayAsk: rates.admits(caller), send: send)
      })
  }
}

extension Router {
  /// The answer to a query for a report.
  fileprivate func answer(_ query: Stanza, of device: JID, to caller: Caller, version: String) -> Stanza {
    do throws(StanzaError) {
      return query.result(try report(of: device, to: caller, version: version, now: Date()).element)
    } catch {
      return query.error(error)
    }
  }
}
