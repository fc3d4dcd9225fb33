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
    _ gatekeeper: Gatekeeper, _ router: Router, _ quietTimer: QuietTimer, security: StreamSecurity,
    memory: MemoryBudget,
    version: String
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
      opened: { gatekeeper.opened($0, $1) },
      refused: { gatekeeper.failed($0) },
      received: { stanza, _, identity in
        stanza.kind == .message
          ? .taken(ChatAutoReply.reply(to: stanza, at: table.node, offering: table.all))
          : gatekeeper.received(stanza, identity)
      },
      answer: { incoming, send in
        defer { quietTimer.somethingEnded() }
        let caller = gatekeeper.caller(incoming.peer)
        guard rates.admits(caller) else { return try await send(Router.tooManyRequests(for: incoming.device)) }
        try await router.answer(incoming.request, for: incoming.device, from: caller, send: send)
      })
  }
}
