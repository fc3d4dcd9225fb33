import NIOCore
import XML

/// Headers, and the features that follow the responder's. All of it happens anew after TLS, and after SASL.
extension StreamMachine {
  /// Begins a stream; a responder waits for the other side to do so.
  mutating func greet(_ negotiation: Negotiation) -> [StreamAction] {
    state = .greeting(negotiation)
    return switch role {
    case .initiator(let local, let remote):
      [.write(Self.bytes { $0.write(saysNames(negotiation) ? StreamHeader(from: local, to: remote) : StreamHeader()) })]
    case .responder: []
    }
  }

  private func saysNames(_ negotiation: Negotiation) -> Bool {
    !configuration.isReserved || negotiation.level != .plaintext
  }

  mutating func receivedHeader(_ root: Element, now: NIODeadline) -> [StreamAction] {
    guard case .greeting(let negotiation) = state else { return [] }
    do throws(StreamError) {
      let stream = attributes(try StreamHeader(root), negotiation)
      return switch role {
      case .initiator: answered(on: stream, negotiation, now: now)
      case .responder: answer(stream, negotiation)
      }
    } catch {
      return violated(error)
    }
  }

  private func attributes(_ header: StreamHeader, _ negotiation: Negotiation) -> StreamAttributes {
    let (key, version) = (negotiation.key, header.version)
    return switch role {
    // Whom we dialled: some responders leave `from` out, or spell it otherwise.
    case .initiator(let local, let remote): StreamAttributes(remote: remote, local: local, version: version, key: key)
    case .responder:
      StreamAttributes(
        remote: theirs(header.from), local: ours(header.to) ?? configuration.node, version: version, key: key)
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
  mutating func open(_ stream: StreamAttributes, orElse reason: Insecurity) -> [StreamAction] {
    let isEnough = stream.key != nil || !configuration.steps.contains(.startTLS(isRequired: true))
    guard isEnough else { return insecure(reason) }
    return open(stream)
  }

  private mutating func open(_ stream: StreamAttributes) -> [StreamAction] {
    state = .open(stream)
    return [.deadline(nil), .opened(stream)]
  }

  /// The same, for something that belongs to an open stream.
  mutating func open(_ stream: StreamAttributes, for element: Element, orElse reason: Insecurity) -> [StreamAction] {
    let actions = open(stream, orElse: reason)
    return isOpen ? actions + receivedElement(element, on: stream) : actions
  }

  // MARK: As initiator

  private mutating func answered(on stream: StreamAttributes, _ negotiation: Negotiation, now: NIODeadline)
    -> [StreamAction]
  {
    guard !steps(negotiation).isEmpty else { return open(stream, orElse: .noKey) }
    guard stream.knowsFeatures else { return open(stream, orElse: .oldVersion) }
    let until = min(now + StreamTimes.features, negotiation.until)
    state = .awaitingFeatures(negotiation, stream, until: until)
    return [.deadline(until)]
  }

  mutating func receivedInsteadOfFeatures(_ element: Element, on stream: StreamAttributes) -> [StreamAction] {
    Stanza(element) == nil ? receivedStray(element) : open(stream, for: element, orElse: .noFeatures)
  }

  mutating func receivedFirstFeatures(
    _ element: Element, on stream: StreamAttributes, _ negotiation: Negotiation
  ) -> [StreamAction] {
    ask(StreamFeatures(element), as: stream.local, negotiation) ?? open(stream, for: element, orElse: .notOffered)
  }

  // MARK: As responder

  /// Our header, with features for who knows them (RFC 6120 §4.3.2), in one write.
  private mutating func answer(_ stream: StreamAttributes, _ negotiation: Negotiation) -> [StreamAction] {
    hasSentFeatures = true
    var bytes = Self.bytes {
      // The lower of both versions: one that says none would wait for features for ever (§4.7.5).
      let version = stream.version.map { min($0, .xmpp1) }
      let isNamed = saysNames(negotiation)
      $0.write(
        StreamHeader(
          from: isNamed ? stream.local : nil, to: isNamed ? stream.remote : nil, id: configuration.streamID(),
          version: version))
    }
    // Our header has gone out: whatever comes next does not write it again.
    state = .offering(negotiation, stream)
    guard stream.knowsFeatures else { return [.write(bytes)] + open(stream, orElse: .oldVersion) }
    let steps = steps(negotiation)
    var features = saysNames(negotiation) ? configuration.features(stream.local) : StreamFeatures()
    for step in steps { step.offer(in: &features) }
    bytes.write(features.element)
    return [.write(bytes)] + (steps.isEmpty ? open(stream, orElse: .noKey) : [])
  }

  mutating func receivedAfterOffer(
    _ element: Element, on stream: StreamAttributes, _ negotiation: Negotiation, unread: Int
  ) -> [StreamAction] {
    if let step = steps(negotiation).first(where: { $0.concerns(element) }) {
      return receivedRequest(element, for: step, on: stream, negotiation, unread: unread)
    }
    guard Stanza(element) != nil || element.isFeatures else { return receivedStray(element) }
    return open(stream, for: element, orElse: .declined)
  }
}
