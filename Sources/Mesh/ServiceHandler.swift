package import HTTPX
package import Trust
import XMPP

/// Who sends a request, and what it is to this node at that moment.
package struct Caller: Sendable, Hashable {
  package let identity: PeerIdentity
  package let standing: Standing

  /// For the log.
  var who: String { identity.id?.short ?? identity.address?.text ?? "unnamed" }

  /// It came over a server by its key, and is no friend yet: nothing is open to it, whatever is public on the link.
  var isGuest: Bool {
    guard identity.isRelayed, identity.account == nil else { return false }
    if case .friend = standing { return false }
    return true
  }

  package init(identity: PeerIdentity, standing: Standing) {
    self.identity = identity
    self.standing = standing
  }
}

/// What answers requests for one service of this node: a local app behind a reverse proxy, a folder of files.
package protocol ServiceHandler: Sendable {
  /// Answers one request by calling `send` exactly once.
  ///
  /// `send` returns when the whole response has been taken, so whatever feeds its body may be scoped to this call.
  /// It throws when the caller went away. What goes wrong behind the handler is answered with an HTTP status (502, 404,
  /// …) by the handler itself, with its `failure` where no app has answered; an error thrown before `send` was called becomes a 500.
  func respond(
    to request: HTTPXRequest, from caller: Caller, send: (HTTPXResponse) async throws -> Void
  ) async throws

  /// A cheap look at what is behind the handler: whether it can be connected to, or read.
  func check() async throws(OriginFailure)
}
