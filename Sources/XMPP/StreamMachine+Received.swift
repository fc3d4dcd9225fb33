import NIOCore
import XML

/// What the other side says, event by event.
extension StreamMachine {
  mutating func receivedHeader(_ root: Element) -> [StreamAction] {
    guard case .greeting = state else { return [] }
    do throws(StreamError) {
      let header = try StreamHeader(root)
      let peer = peer(header)
      state = .open(peer)
      return answer(peer) + [.deadline(nil), .opened(peer)]
    } catch {
      return violated(error)
    }
  }

  private func peer(_ header: StreamHeader) -> Peer {
    switch role {
    // Whom we dialled: some responders leave `from` out, or spell it otherwise.
    case .initiator(let local, let remote): Peer(remote: remote, local: local, version: header.version)
    case .responder: Peer(remote: header.from, local: ours(header.to) ?? configuration.node, version: header.version)
    }
  }

  private func ours(_ address: JID?) -> JID? {
    address.flatMap { configuration.isLocal($0) ? $0 : nil }
  }

  /// A responder's header, with features for who knows them (RFC 6120 §4.3.2), in one write.
  private mutating func answer(_ peer: Peer) -> [StreamAction] {
    switch role {
    case .initiator: return []
    case .responder:
      hasSentFeatures = true
      var answer = Self.bytes {
        $0.write(StreamHeader(from: peer.local, to: peer.remote, id: configuration.streamID()))
      }
      if let version = peer.version, version >= .xmpp1 { answer.write(configuration.features(peer.local).element) }
      return [.write(answer)]
    }
  }

  mutating func receivedElement(_ element: Element) -> [StreamAction] {
    switch state {
    case .open(let peer): receivedElement(element, from: peer)
    // What was under way when we said goodbye; nothing but stanzas matters any more.
    case .closing(let peer, _, _): Stanza(element).map { [.stanza(attributed($0, to: peer))] } ?? []
    case .idle, .greeting, .closed: []
    }
  }

  private mutating func receivedElement(_ element: Element, from peer: Peer) -> [StreamAction] {
    if let stanza = Stanza(element) { return [.stanza(attributed(stanza, to: peer))] }
    switch (element.name, element.namespace) {
    case ("features", Namespace.streams): return receivedFeatures(StreamFeatures(element), from: peer)
    case ("error", Namespace.streams):
      return end(.closedByPeer(StreamError(element)), saying: Self.farewell())
    case (let name, _) where Stanza.Kind(rawValue: name) != nil:
      return violated(StreamError(.invalidNamespace, "a stanza's namespace is \(Namespace.client)"))
    case (let name, _): return violated(StreamError(.unsupportedStanzaType, "<\(name)> is not understood here"))
    }
  }

  /// The sender is who the stream says, whatever the stanza says.
  private func attributed(_ stanza: Stanza, to peer: Peer) -> Stanza {
    var stanza = stanza
    stanza.from = peer.remote
    stanza.to = ours(stanza.to) ?? peer.local
    return stanza
  }

  /// A Hearth node that we dialled gets our features in turn: so it learns our limits without having to ask.
  private mutating func receivedFeatures(_ features: StreamFeatures, from peer: Peer) -> [StreamAction] {
    guard !hasSentFeatures, features.isHearth else { return [.features(features)] }
    hasSentFeatures = true
    let own = Self.bytes { $0.write(configuration.features(peer.local).element) }
    return [.write(own), .features(features)]
  }

  mutating func receivedEnd() -> [StreamAction] {
    switch state {
    case .open: end(.closedByPeer(nil), saying: Self.farewell())
    case .closing(_, let reason, _): end(reason)
    case .idle, .greeting, .closed: []
    }
  }
}
