package import HTTPX
package import NIOCore
package import TLS
package import Trust
package import XMPP

/// What the streams of a node need from it: who it is, what it can do, and who answers requests. One property for each
/// question that a stream has, which are thirteen.
package struct StreamHost: Sendable {
  /// XEP-0174's customary port; a peer finds the real one in the SRV record.
  package static let standardPort = 5298

  /// The node's own address: what a stream speaks for when the other side names none of our devices.
  let node: @Sendable () -> JID
  /// Whether this node announces the device.
  let isLocal: @Sendable (JID) -> Bool
  /// What software this is (XEP-0092).
  let version: SoftwareVersion
  /// What disco#info answers for a device of ours (XEP-0030).
  let info: @Sendable (JID) -> DiscoInfo
  /// The key of this node, in both roles; nil for one without, whose streams are never encrypted.
  let security: StreamSecurity?
  /// Called on the stream's event loop when it is open.
  let opened: @Sendable (PeerStream, PeerIdentity) -> StreamAdmission
  /// Called on the stream's event loop when it ended for what its peer did or did not do.
  let refused: @Sendable (StreamRefusal) -> Void
  /// Takes presence, words for people, and IQs about what streams know nothing of.
  let received: @Sendable (Stanza, PeerStream, PeerIdentity) -> StanzaDisposition
  /// Answers a request of a peer: calls `send` once, or throws a `StanzaError` where it is refused before HTTP.
  let answer: @Sendable (IncomingRequest, (HTTPXResponse) async throws -> Void) async throws -> Void

  /// Where the link has a friend's node besides, whose stream came in.
  let addresses: @Sendable (PeerIdentity) -> [SocketAddress]

  /// What streams may hold for their peers, all together.
  let memory: MemoryBudget
  /// How bodies go beside their stanzas: the first that a peer allows.
  let preference: [BodyMechanism]
  /// Shows what passes to whoever looks.
  let tap: StanzaTap
  /// Those beside the streams.
  package let dataConnections: DataConnections

  package init(
    node: @escaping @Sendable () -> JID, isLocal: @escaping @Sendable (JID) -> Bool,
    version: SoftwareVersion, info: @escaping @Sendable (JID) -> DiscoInfo, security: StreamSecurity? = nil,
    memory: MemoryBudget = MemoryBudget(limit: MemoryBudget.standardLimit),
    preference: [BodyMechanism] = BodyMechanism.standard, tap: StanzaTap = StanzaTap(),
    dataConnections: DataConnections = DataConnections(),
    opened: @escaping @Sendable (PeerStream, PeerIdentity) -> StreamAdmission = { _, _ in .stranger },
    refused: @escaping @Sendable (StreamRefusal) -> Void = { _ in },
    received: @escaping @Sendable (Stanza, PeerStream, PeerIdentity) -> StanzaDisposition = { _, _, _ in .unknown },
    addresses: @escaping @Sendable (PeerIdentity) -> [SocketAddress] = { _ in [] },
    answer: @escaping @Sendable (IncomingRequest, (HTTPXResponse) async throws -> Void) async throws -> Void
  ) {
    self.node = node
    self.isLocal = isLocal
    self.version = version
    self.info = info
    self.security = security
    self.memory = memory
    self.preference = preference
    self.tap = tap
    self.dataConnections = dataConnections
    self.opened = opened
    self.refused = refused
    self.received = received
    self.addresses = addresses
    self.answer = answer
  }

  /// - Parameter isReserved: whether nothing is said of either side before TLS.
  func configuration(tls: TLSPolicy, isReserved: Bool) -> StreamConfiguration {
    StreamConfiguration(
      node: node(), isLocal: isLocal, features: features,
      steps: NegotiationStep.link(tls: security == nil ? .none : tls), isReserved: isReserved)
  }

  /// XEP-0174 §10 tells disco#info unasked; XEP-0478 the limits.
  private func features(_ device: JID) -> StreamFeatures {
    StreamFeatures(info: announced(device), limits: Limits.advertised)
  }

  /// With `node#ver` (XEP-0115 §4), as the TXT record has them.
  func announced(_ device: JID) -> DiscoInfo {
    var info = info(device)
    info.node = info.node.map { "\($0)#\(info.verification())" }
    return info
  }
}

/// A request of a peer, and between whom it passes.
package struct IncomingRequest: Sendable {
  package let request: HTTPXRequest
  /// The device of ours that it is for.
  package let device: JID
  package let peer: PeerIdentity
}

/// This node's key in both roles of TLS.
package struct StreamSecurity: Sendable {
  package let client: TLSConfiguration
  package let server: TLSConfiguration

  package init(_ identity: Identity) throws(TLSError) {
    client = try .node(identity, role: .client)
    server = try .node(identity, role: .server)
  }
}

/// What becomes of a stream whose peer is known as far as it will be.
package enum StreamAdmission: Sendable {
  /// It has a place, whoever else comes.
  case known
  /// It has one of the places that are for anyone.
  case stranger
  case refused(StreamError)
}

/// Why a stream ended that was not let be.
package struct StreamRefusal: Sendable {
  /// As far as it had shown.
  package let identity: PeerIdentity
  /// In one word, for the log.
  package let name: String
  package let detail: String
}

/// What became of a stanza that streams themselves do not understand.
package enum StanzaDisposition: Sendable {
  case unknown
  /// Taken; an IQ is answered with this, or with an empty result, and a message with this, or not at all.
  case taken(Stanza?)
}
