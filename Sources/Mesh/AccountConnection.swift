package import NIOCore
package import XMPP

/// The owner's account on an XMPP server (RFC 6120, 6121), over which nodes are reached that are not on the link, and foreign peers. Filled by
/// `Account`, in tests by memory.
package protocol AccountConnection: AnyObject, Sendable {
  /// Bare, as it is configured.
  var address: JID { get }

  /// Where all that passes over it is dealt with, bytestreams and streams to foreign peers included: what floods it keeps that loop busy, and
  /// not those of the link.
  var eventLoop: any EventLoop { get }

  /// What happens to it, in order. For one consumer, who keeps up: what is not taken is bounded, and the connection ends
  /// rather than lose one.
  var events: AsyncStream<AccountEvent> { get }

  /// Sends an IQ without `id` and `from`, and waits for the answer of the one that it is for.
  ///
  /// - Throws: `StanzaError`, what the answer says; `AccountFailure` where there is none; `CancellationError`.
  func request(_ iq: Stanza, within patience: Duration) async throws -> Stanza

  /// The same, in the order of the calls, without waiting for room: whoever calls it bounds what is under way.
  func request(
    _ iq: Stanza, within patience: Duration, answered: @escaping @Sendable (Result<Stanza, any Error>) -> Void)

  /// Sends a stanza in the order of the calls, where it can: the answer to an IQ that a peer bounds by waiting for it.
  func tell(_ stanza: Stanza)

  /// Sends a stanza for which nobody waits: the answer to an IQ, a message, presence to somebody.
  ///
  /// - Throws: `AccountFailure.offline`; `CancellationError`.
  func send(_ stanza: Stanza) async throws

  /// Whose presence it asks for, and who may see its own (RFC 6121 §3): friends' accounts, bare. Replaces what was asked for.
  func follow(_ contacts: Set<JID>)

  /// Whose stanzas are passed on besides those of contacts: asked for each that comes. Whom nobody hears is answered as if nobody were there.
  func admit(_ isAdmitted: @escaping @Sendable (Stanza) -> Bool)

  /// Whether it is this account itself, or has a subscription with it both ways (RFC 6121 §2.1.2.5), as far as is known.
  func isContact(_ jid: JID) -> Bool

  /// Where that peer may be told this machine is, for bodies that go beside the server: to contacts, and only where the owner wants that.
  func directAddress(for jid: JID) -> SocketAddress?

  /// Is connected, again and again, until it is cancelled.
  func run() async
}

package enum AccountEvent: Sendable {
  /// The stream is open and bound to this full address: new, or resumed under it (XEP-0198), in which case nothing was lost.
  case online(JID, isResumed: Bool)
  /// Nothing can be sent; what waits for an answer has failed.
  case offline(reason: String)
  /// Of a contact's resource, or of another one of this very account: available or unavailable.
  case presence(Stanza)
  /// An IQ that wants an answer, and gets it by `send`; an answer to an IQ that was sent by `send`; a message that carries part of a body.
  case stanza(Stanza)
}

package enum AccountFailure: Error, Hashable, Sendable {
  case offline
  case timedOut
}
