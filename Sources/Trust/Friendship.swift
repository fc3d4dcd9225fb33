import XML
package import XMPP

/// What nodes tell each other about friendship: presence stanzas over an authenticated stream (RFC 6121 §3).
package enum Friendship: Sendable, Hashable {
  case subscribe(FriendRequest)
  case subscribed
  case unsubscribe
  case unsubscribed
  /// Not now: the queue is full, or too many ask. Says no more than that.
  case later

  /// nil where the stanza is presence about something else, or none.
  package init?(_ stanza: Stanza) {
    guard stanza.kind == .presence else { return nil }
    switch stanza.type {
    case "subscribe": self = .subscribe(FriendRequest(stanza))
    case "subscribed": self = .subscribed
    case "unsubscribe": self = .unsubscribe
    case "unsubscribed": self = .unsubscribed
    case "error" where stanza.error?.condition == .resourceConstraint: self = .later
    default: return nil
    }
  }

  package func stanza(from: JID?, to: JID?) -> Stanza {
    switch self {
    case .subscribe(let request): Stanza(.presence, from: from, to: to, type: "subscribe", request.children)
    case .subscribed: Stanza(.presence, from: from, to: to, type: "subscribed")
    case .unsubscribe: Stanza(.presence, from: from, to: to, type: "unsubscribe")
    case .unsubscribed: Stanza(.presence, from: from, to: to, type: "unsubscribed")
    case .later:
      Stanza(
        .presence, from: from, to: to, type: "error",
        [StanzaError(.resourceConstraint, "too many requests wait here: ask again later").element])
    }
  }
}

/// A request of friendship, with what may vouch for it.
package struct FriendRequest: Sendable, Hashable {
  /// One line to the owner.
  package let greeting: String?
  /// The token of an invite.
  package let token: [UInt8]?
  /// Proof that an old friend asks, with another key.
  package let rotations: [KeyRotation]

  package init(greeting: String? = nil, token: [UInt8]? = nil, rotations: [KeyRotation] = []) {
    self.greeting = greeting.flatMap(Self.printable)
    self.token = token
    self.rotations = rotations
  }

  /// What cannot be read is left out. A broken token stays one that opens nothing: no guess becomes an ordinary
  /// request.
  init(_ stanza: Stanza) {
    let invite = stanza.first("invite", Namespace.invite)
    let token = invite.map { Binary.bytes($0.text, TrustLimits.tokenBytes...TrustLimits.tokenBytes) ?? [] }
    self.init(
      greeting: stanza.first("status", Namespace.client)?.text, token: token,
      rotations: stanza.first("rotation", Namespace.rotation).map(KeyRotation.chain) ?? [])
  }

  var children: [Element] {
    var children: [Element] = []
    if let greeting { children.append(Element("status", namespace: Namespace.client, text: greeting)) }
    if let token { children.append(Element("invite", namespace: Namespace.invite, text: Binary.text(token))) }
    if !rotations.isEmpty { children.append(KeyRotation.element(rotations)) }
    return children
  }

  /// One line without control, format and bidirectional characters: it is shown to people, on terminals too.
  private static func printable(_ text: String) -> String? {
    var line = ""
    for scalar in text.unicodeScalars {
      let properties = scalar.properties
      switch properties.generalCategory {
      case .control, .lineSeparator, .paragraphSeparator: line.unicodeScalars.append(" ")
      case .format, .surrogate, .privateUse, .unassigned: continue
      default: line.unicodeScalars.append(scalar)
      }
      guard line.utf8.count <= TrustLimits.greetingBytes else {
        line.unicodeScalars.removeLast()
        break
      }
    }
    let words = line.split(separator: " ")
    return words.isEmpty ? nil : words.joined(separator: " ")
  }
}
