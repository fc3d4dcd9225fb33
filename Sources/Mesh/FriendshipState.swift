package import FoundationEssentials
package import Trust
import XMPP

/// What there is between this node and the node of a device, as far as friendship goes.
package enum FriendshipState: Sendable, Hashable {
  /// It is one of this node's own.
  case own
  case friend(Petname)
  /// The owner asked for friendship, and waits.
  case asked(AskedNode)
  /// Digits are being compared.
  case comparing
  /// Its node asked for friendship, and the owner has not answered.
  case asks(PendingRequest)
  /// nil where the device does not announce who it is.
  case stranger(NodeID?)
  /// It shows no key, or is known by its account alone.
  case plaintext
  case changed(expected: NodeID, seen: NodeID?)
  case mismatch(announced: String, seen: NodeID?)
  case blocked(NodeID?)

  package init(_ device: Device, _ book: FriendBook) {
    switch device.standing {
    case .self: self = .own
    case .friend(let petname): self = .friend(petname)
    case .plaintext, .account: self = .plaintext
    case .changed(let expected, let seen): self = .changed(expected: expected, seen: seen)
    case .mismatch(let announced, let seen): self = .mismatch(announced: announced, seen: seen)
    case .blocked: self = .blocked(device.node)
    case .stranger: self.init(stranger: device, book)
    }
  }

  private init(stranger device: Device, _ book: FriendBook) {
    /// By its key where that is known, else by what it calls itself.
    func isMeant(_ id: NodeID, _ jid: JID?) -> Bool { device.node.map { $0 == id } ?? (jid == device.jid) }
    if let peer = book.pairingPeer, isMeant(peer.id, peer.address) {
      self = .comparing
    } else if let asked = book.asked.first(where: { isMeant($0.id, $0.jid) }) {
      self = .asked(asked)
    } else if let request = book.requests.first(where: { isMeant($0.id, $0.jid) }) {
      self = .asks(request)
    } else {
      self = .stranger(device.node)
    }
  }

  /// Since when the node of a friend's device does not count this one among its own; nil where it does, as far as is known.
  package static func renounced(_ device: Device, _ book: FriendBook) -> Date? {
    device.petname.flatMap { book.friend(named: $0)?.renounced }
  }

  /// For programs.
  package var word: String {
    switch self {
    case .own: "self"
    case .friend: "friend"
    case .asked: "asked"
    case .comparing: "comparing"
    case .asks: "asks"
    case .stranger: "stranger"
    case .plaintext: "plaintext"
    case .changed, .mismatch: "CHANGED"
    case .blocked: "blocked"
    }
  }
}
