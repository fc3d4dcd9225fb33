package import HTTPX
package import XMPP

/// What the streams of a node need from it: who it is, what it can do, and who answers requests.
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
  /// Answers a request of a peer: calls `send` once, or throws a `StanzaError` where it is refused before HTTP.
  let answer: @Sendable (IncomingRequest, (HTTPXResponse) async throws -> Void) async throws -> Void

  package init(
    node: @escaping @Sendable () -> JID, isLocal: @escaping @Sendable (JID) -> Bool,
    version: SoftwareVersion, info: @escaping @Sendable (JID) -> DiscoInfo,
    answer: @escaping @Sendable (IncomingRequest, (HTTPXResponse) async throws -> Void) async throws -> Void
  ) {
    self.node = node
    self.isLocal = isLocal
    self.version = version
    self.info = info
    self.answer = answer
  }

  var configuration: StreamConfiguration {
    StreamConfiguration(node: node(), isLocal: isLocal, features: features)
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
  /// The stream's peer: without TLS, who it claims to be, if anyone.
  package let peer: JID?
}
