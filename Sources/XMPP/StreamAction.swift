package import NIOCore

/// What headers and handshake have told of a stream (RFC 6120 §4.7).
package struct StreamAttributes: Sendable, Hashable {
  /// Whom we dialled, or who the other side says it is: a claim, and nil where it makes none.
  package let remote: JID?
  /// Which of our addresses it talks to.
  package let local: JID
  /// nil: the other side is from before XMPP 1.0; no features are sent to it, and none will come.
  package let version: StreamHeader.Version?
  /// SHA-256 of the SubjectPublicKeyInfo that the other side has shown to be its own; nil where it showed none, in
  /// plaintext or over TLS.
  package let key: [UInt8]?

  package init(remote: JID?, local: JID, version: StreamHeader.Version?, key: [UInt8]? = nil) {
    self.remote = remote
    self.local = local
    self.version = version
    self.key = key
  }

  /// Whether a stanza with these addresses need not say them; nil: those of the stream.
  package func areUsual(_ local: JID?, _ remote: JID?) -> Bool {
    if let local, local != self.local { return false }
    if let remote, remote != self.remote { return false }
    return true
  }

  var knowsFeatures: Bool { version.map { $0 >= .xmpp1 } ?? false }
}

/// Why a stream is over.
package enum StreamEnd: Error, Sendable, Hashable {
  /// We closed it, with this error where there was one.
  case closed(StreamError?)
  /// The other side closed it, with this error where it gave one.
  case closedByPeer(StreamError?)
  /// The other side broke the rules; it has been told how.
  case violated(StreamError)
  /// The other side hung up without an end tag, as many do.
  case hungUp
  /// The other side did not finish negotiation in time.
  case timedOut
  /// It was to be encrypted, and is not.
  case insecure(Insecurity)
  /// The other side did not accept who we are.
  case unauthorized(SASL.Condition)
  /// The connection broke.
  case lost
}

/// What the machine of a stream asks for, to be done in order.
package enum StreamAction: Sendable, Hashable {
  case write(ByteBuffer)
  /// Put TLS between the connection and the stream, as client where we initiated it, and read on with a fresh reader; then
  /// call `secured` or `tlsFailed`. Nothing is written before. Comes once at most.
  case startTLS
  /// Read on with a fresh reader: a new stream begins on the same connection.
  case restart
  /// Stanzas may be sent from now on. Comes once at most, and before any stanza.
  case opened(StreamAttributes)
  /// What the other side offers. May come late, from either role, again, or never.
  case features(StreamFeatures)
  /// With the stream's peer as `from`, and as `to` the address of ours that is meant.
  case stanza(Stanza)
  /// When to call `timedOut`; replaces the one before, nil ends it.
  case deadline(NIODeadline?)
  /// Flush, then end our side of the connection.
  case disconnect
  /// Nothing follows. Comes exactly once.
  case closed(StreamEnd)
}

/// What became of a stanza that was to be sent.
package enum StreamSendAction: Sendable, Hashable {
  case write(ByteBuffer)
  /// Nothing may be sent yet: the other side's header has not come.
  case tooEarly
  /// Nothing may be sent any more.
  case tooLate
}
