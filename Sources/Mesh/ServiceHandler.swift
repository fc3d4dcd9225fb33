package import HTTPX
package import Trust
package import XMPP

/// Who sends a request, as far as this node knows.
package struct Caller: Sendable {
  /// What it is, or says that it is; nil where a plaintext peer does not even claim a name.
  package let jid: JID?
  /// Proven by TLS; nil without.
  package let id: NodeID?
  package let standing: Standing

  /// For the log.
  var who: String { id?.short ?? jid?.text ?? "unnamed" }

  package init(jid: JID?, id: NodeID?, standing: Standing) {
    self.jid = jid
    self.id = id
    self.standing = standing
  }
}

/// What answers requests for one service of this node: a local app behind a reverse proxy, a folder of files.
package protocol ServiceHandler: Sendable {
  /// Answers one request by calling `send` exactly once.
  ///
  /// `send` returns when the whole response has been taken, so whatever feeds its body may be scoped to this call.
  /// It throws when the caller went away. What goes wrong behind the handler is answered with an HTTP status (502, 404,
  /// …) by the handler itself; an error thrown before `send` was called becomes a 500.
  func respond(
    to request: HTTPXRequest, from caller: Caller, send: (HTTPXResponse) async throws -> Void
  ) async throws
}
