import NIOCore
import XML

/// Headers, and the features that follow the responder's. All of it happens anew after TLS, and after SASL.
extension StreamMachine {
  /// Begins a stream; a responder waits for the other side to do so.
  mutating func greet(_ negotiation: Negotiation) -> [StreamAction] {
    state = .greeting(negotiation)
    return switch role {
    case .initiator(let local, let remote): [.write(Self.bytes { $0.write(StreamHeader(from: local, to: remote)) })]
    case .responder: []
    }
  }

  mutating func receivedHeader(_ root: Element, now: NIODeadline) -> [StreamAction] {
    guard case .greeting(let negotiation) = state else { return [] }
    do throws(StreamError) {
      let peer = peer(try StreamHeader(root), negotiation)
      return switch role {
      case .initiator: answered(by: peer, negotiation, now: now)
      case .responder: answer(peer, negotiation)
      }
    } catch {
      return violated(error)
    }
  }

  private func peer(_ header: StreamHeader, _ negotiation: Negotiation) -> Peer {
    let (key, version) = (negotiation.key, header.version)
    return switch role {
    // Whom we dialled: some responders leave `from` out, or spell it otherwise.
    case .initiator(let local, let remote): Peer(remote: remote, local: local, version: version, key: key)
    case .responder:
      Peer(remote: theirs(header.from), local: ours(header.to) ?? configuration.node, version: version, key: key)
    }
  }

  /// What a peer on the link may call itself, which is a DNS label. It has no resource: one that is there all the same
  /// changes nothing.
  private func theirs(_ address: JID?) -> JID? {
    (address?.bare).flatMap { $0.text.utf8.count <= DNSLabel.maximumLength ? $0 : nil }
  }

  func ours(_ address: JID?) -> JID? {
    (address?.bare).flatMap { configuration.isLocal($0) ? $0 : nil }
  }

  /// Opens the stream as it is, if that is secure enough.
  mutating func open(_ peer: Peer, orElse reason: Insecurity) -> [StreamAction] {
    let isEnough = peer.key != nil || !configuration.steps.contains(.startTLS(isRequired: true))
    guard isEnough else { return insecure(reason) }
    return open(peer)
  }

  private mutating func open(_ peer: Peer) -> [StreamAction] {
    state = .open(peer)
    return [.deadline(nil), .opened(peer)]
  }

  /// The same, for something that belongs to an open stream.
  mutating func open(_ peer: Peer, for element: Element, orElse reason: Insecurity) -> [StreamAction] {
    let actions = open(peer, orElse: reason)
    return isOpen ? actions + receivedElement(element, from: peer) : actions
  }

  // MARK: As initiator

  private mutating func answered(by peer: Peer, _ negotiation: Negotiation, now: NIODeadline) -> [StreamAction] {
    guard !steps(negotiation).isEmpty else { return open(peer) }
    guard peer.knowsFeatures else { return open(peer, orElse: .oldVersion) }
    let until = min(now + StreamTimes.features, negotiation.until)
    state = .awaitingFeatures(negotiation, peer, until: until)
    return [.deadline(until)]
  }

  mutating func receivedInsteadOfFeatures(_ element: Element, from peer: Peer) -> [StreamAction] {
    Stanza(element) == nil ? receivedStray(element) : open(peer, for: element, orElse: .noFeatures)
  }

  mutating func receivedFirstFeatures(
    _ element: Element, from peer: Peer, _ negotiation: Negotiation
  ) -> [StreamAction] {
    ask(StreamFeatures(element), as: peer.local, negotiation) ?? open(peer, for: element, orElse: .notOffered)
  }

  // MARK: As responder

  /// Our header, with features for who knows them (RFC 6120 §4.3.2), in one write.
  private mutating func answer(_ peer: Peer, _ negotiation: Negotiation) -> [StreamAction] {
    hasSentFeatures = true
    var bytes = Self.bytes {
      $0.write(StreamHeader(from: peer.local, to: peer.remote, id: configuration.streamID()))
    }
    guard peer.knowsFeatures else { return [.write(bytes)] + open(peer, orElse: .oldVersion) }
    let steps = steps(negotiation)
    var features = configuration.features(peer.local)
    for step in steps { step.offer(in: &features) }
    bytes.write(features.element)
    guard !steps.isEmpty else { return [.write(bytes)] + open(peer) }
    state = .offering(negotiation, peer)
    return [.write(bytes)]
  }

  mutating func receivedAfterOffer(
    _ element: Element, from peer: Peer, _ negotiation: Negotiation, unread: Int
  ) -> [StreamAction] {
    if let step = steps(negotiation).first(where: { $0.concerns(element) }) {
      return receivedRequest(element, for: step, from: peer, negotiation, unread: unread)
    }
    guard Stanza(element) != nil || element.isFeatures else { return receivedStray(element) }
    return open(peer, for: element, orElse: .declined)
  }
}
