import NIOCore
import XML

/// What the other side says behind its header, event by event.
extension StreamMachine {
  mutating func receivedElement(_ element: Element, unread: Int) -> [StreamAction] {
    switch state {
    case .awaitingFeatures(let negotiation, let stream, _):
      element.isFeatures
        ? receivedFirstFeatures(element, on: stream, negotiation) : receivedInsteadOfFeatures(element, on: stream)
    case .asking(let negotiation, let step): receivedAnswer(element, to: step, negotiation, unread: unread)
    case .securing: receivedStray(element)
    case .offering(let negotiation, let stream): receivedAfterOffer(element, on: stream, negotiation, unread: unread)
    case .open(let stream): receivedElement(element, on: stream)
    // What was under way when we said goodbye; nothing but stanzas matters any more.
    case .closing(let stream, _, _): stanza(element, on: stream).map { [.stanza($0)] } ?? []
    case .idle, .greeting, .closed: []
    }
  }

  mutating func receivedElement(_ element: Element, on stream: StreamAttributes) -> [StreamAction] {
    if let stanza = stanza(element, on: stream) { return [.stanza(stanza)] }
    return element.isFeatures ? receivedFeatures(StreamFeatures(element), on: stream) : receivedStray(element)
  }

  /// The sender is who the stream says, whatever the stanza says.
  func stanza(_ element: Element, on stream: StreamAttributes) -> Stanza? {
    let named = element["to"]
    // Most are for whom the stream speaks anyway, whose address need not be read again.
    guard let named, named != stream.local.text else { return Stanza(element, from: stream.remote, to: stream.local) }
    guard var stanza = Stanza(element, from: stream.remote, to: JID(named)) else { return nil }
    stanza.to = ours(stanza.to) ?? nobody(stanza) ?? stream.local
    return stanza
  }

  /// The address of an IQ that is one of this machine's, and that nobody has, or has any more: what it asks for is not for
  /// another device to do. Any other strange address means the node.
  private func nobody(_ stanza: Stanza) -> JID? {
    guard stanza.kind == .iq, let to = stanza.to?.bare, to.localpart != nil else { return nil }
    return to.domainpart.lowercased() == configuration.node.domainpart.lowercased() ? to : nil
  }

  /// A Hearth node that we dialled gets our features in turn: so it learns our limits without having to ask.
  private mutating func receivedFeatures(_ features: StreamFeatures, on stream: StreamAttributes) -> [StreamAction] {
    guard !hasSentFeatures, features.isHearth else { return [.features(features)] }
    hasSentFeatures = true
    let own = Self.bytes { $0.write(configuration.features(stream.local).element) }
    return [.write(own), .features(features)]
  }

  /// What has no place where the stream is now; or an error, which has one everywhere.
  mutating func receivedStray(_ element: Element) -> [StreamAction] {
    if element.is("error", Namespace.streams) { return end(.closedByPeer(StreamError(element)), saying: farewell()) }
    if Stanza(element) != nil {
      return violated(StreamError(.notAuthorized, "<\(element.name)> comes before the end of negotiation"))
    }
    if Stanza.Kind(rawValue: element.name) != nil {
      return violated(StreamError(.invalidNamespace, "a stanza's namespace is \(Namespace.client)"))
    }
    return violated(StreamError(.unsupportedStanzaType, "<\(element.name)> is not understood here"))
  }

  mutating func receivedEnd() -> [StreamAction] {
    switch state {
    case .awaitingFeatures, .asking, .securing, .offering, .open:
      end(.closedByPeer(nil), saying: farewell())
    case .closing(_, let reason, _): end(reason)
    case .idle, .greeting, .closed: []
    }
  }
}

extension Element {
  var isFeatures: Bool { self.is("features", Namespace.streams) }
}
