package import XML
import XMPP

package enum PairingRole: String, Sendable {
  /// Began it.
  case initiator
  case responder
}

/// Why a pairing did not make friends.
package enum PairingFailure: String, Error, Sendable, Hashable, CaseIterable {
  /// Another pairing is under way.
  case busy
  /// One failed a short while ago.
  case paused
  /// The minute is over.
  case expired
  /// The owner here said that the digits differ, or changed their mind.
  case cancelled
  /// The other side did.
  case declined
  /// The nonce that was revealed is not the one that was committed to: an attack, or a broken peer.
  case commitment
  /// A message that does not belong here.
  case unexpected
  /// The stream ended.
  case disconnected

  /// What the owner or the peer's developer reads.
  package var text: String {
    switch self {
    case .busy: "another pairing is under way, here or there: try again in a minute"
    case .paused: "a pairing has just failed there: try again in half a minute"
    case .expired: "the digits were not confirmed on both sides within a minute"
    case .cancelled: "the pairing was cancelled"
    case .declined: "the other side ended it: the digits differ, or somebody changed their mind"
    case .commitment: "the other side changed its secret: somebody may be between the two of you"
    case .unexpected: "the other side does not follow the steps of pairing"
    case .disconnected: "the connection ended before both sides had confirmed"
    }
  }

  package var nextStep: NextStep? {
    switch self {
    case .busy, .paused: .invite
    case .expired, .cancelled, .declined, .commitment, .unexpected, .disconnected: nil
    }
  }
}

/// The steps of pairing, as IQ sets; each is answered by an empty result. Binary values are base64.
package enum PairingMessage: Sendable, Hashable {
  /// Initiator: SHA-256(Na ‖ SPKIa ‖ SPKIb).
  case commit([UInt8])
  /// Responder: Nb.
  case nonce([UInt8])
  /// Initiator: Na.
  case reveal([UInt8])
  /// Either: the owner says that the digits are the same.
  case confirm
  /// Either: it is over.
  case cancel(PairingFailure)

  /// nil where the element is no step of pairing.
  package init?(_ element: Element) {
    guard element.namespace == Namespace.pairing else { return nil }
    func bytes(_ count: Int) -> [UInt8]? { Binary.bytes(element.text, count...count) }
    switch element.name {
    case "commit":
      guard let digest = bytes(TrustLimits.digestBytes) else { return nil }
      self = .commit(digest)
    case "nonce":
      guard let nonce = bytes(TrustLimits.nonceBytes) else { return nil }
      self = .nonce(nonce)
    case "reveal":
      guard let nonce = bytes(TrustLimits.nonceBytes) else { return nil }
      self = .reveal(nonce)
    case "confirm": self = .confirm
    case "cancel": self = .cancel(element["reason"].flatMap(PairingFailure.init(rawValue:)) ?? .cancelled)
    default: return nil
    }
  }

  package var element: Element {
    func element(_ name: String, _ bytes: [UInt8]) -> Element {
      Element(name, namespace: Namespace.pairing, text: Binary.text(bytes))
    }
    return switch self {
    case .commit(let digest): element("commit", digest)
    case .nonce(let nonce): element("nonce", nonce)
    case .reveal(let nonce): element("reveal", nonce)
    case .confirm: Element("confirm", namespace: Namespace.pairing)
    case .cancel(let reason): Element("cancel", namespace: Namespace.pairing, ["reason": reason.rawValue])
    }
  }
}
