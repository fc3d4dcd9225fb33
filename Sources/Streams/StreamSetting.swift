import Logging
import Trust
import XMPP

/// What a stream is given for its life.
struct StreamSetting: Sendable {
  let host: StreamHost
  let logger: Logger
  /// Where it came in; nil where we opened it.
  var place: Admission.Ticket?
  /// Whom we opened it to; nil where it came in.
  var dialled: JID?

  /// Who is at the other end, as far as it has shown. On the stream's event loop.
  func identity(as jid: JID?, _ handler: StreamHandler) -> PeerIdentity {
    PeerIdentity(
      address: jid, proof: handler.proof, networkAddress: handler.remoteAddress, isDialled: dialled != nil)
  }
}
