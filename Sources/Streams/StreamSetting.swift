import Logging
package import NIOCore
import Trust
package import XMPP

/// This side of a stream whose stanzas a server routes.
package struct RoutedEnd: Sendable {
  /// As the peer knows it: full, where it is an account's.
  package let jid: JID
  /// Of the connection to the server.
  package let address: SocketAddress

  package init(jid: JID, address: SocketAddress) { (self.jid, self.address) = (jid, address) }
}

/// What a stream is given for its life.
struct StreamSetting: Sendable {
  let host: StreamHost
  let logger: Logger
  /// Where it came in; nil where we opened it.
  var place: Admission.Ticket?
  /// Whom we opened it to, and where that is as far as was known; nil where it came in.
  var dialled: JID?
  var addresses: [SocketAddress]?
  /// Whether its bytes go over a server.
  var isRelayed = false
  /// Who is there by the word of a server that routes the stanzas; nil where the other end shows it by itself.
  var routed: JID?
  /// What that peer may be told of this side, for bodies that go beside the server; nil: nothing.
  var direct: RoutedEnd?

  /// Who is at the other end, as far as it has shown. On the stream's event loop.
  ///
  /// An address that no device of the link can have is none, so that nobody fills lists and logs with it.
  func identity(as jid: JID?, _ handler: StreamHandler) -> PeerIdentity {
    if let routed {
      return PeerIdentity(address: routed.bare, proof: .server(domain: routed.domainpart), isRelayed: true)
    }
    let address = jid.flatMap { $0.bare.text.utf8.count <= DNSLabel.maximumLength ? $0.bare : nil }
    return PeerIdentity(
      address: address, proof: handler.proof, networkAddress: isRelayed ? nil : handler.remoteAddress,
      isDialled: dialled != nil, isRelayed: isRelayed)
  }
}
