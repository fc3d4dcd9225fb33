package import XMPP

/// What a peer is to this node.
package enum Standing: Sendable, Hashable {
  /// The owner at this node, or a stream of the node to itself.
  case `self`
  case friend(Petname)
  /// A key that is proven and not known.
  case stranger
  /// No key, with or without TLS: whatever it says of itself, it may be anyone.
  case plaintext
  /// An account on a server, bare: the server says who it is, and nobody else can. Contacts are those of this node's own account.
  case account(JID, isContact: Bool)
  /// The address is pinned to the first key; another one, or none at all, was shown.
  case changed(expected: NodeID, seen: NodeID?)
  /// What was announced as `id` is not the key that was shown.
  case mismatch(announced: String, seen: NodeID?)
  case blocked

  /// As the owner reads it in lists, and as the log has it.
  package var word: String {
    switch self {
    case .self: "self"
    case .friend: "friend"
    case .stranger: "stranger"
    case .plaintext: "plaintext"
    case .account(_, let isContact): isContact ? "contact" : "account"
    case .changed, .mismatch: "CHANGED"
    case .blocked: "blocked"
    }
  }

  /// Why no stream to or from this peer is kept; nil where it may go on.
  package var refusal: Refusal? {
    switch self {
    case .self, .friend, .stranger, .plaintext, .account: nil
    case .changed(let expected, let seen): .changed(expected: expected, seen: seen)
    case .mismatch(let announced, let seen): .mismatch(announced: announced, seen: seen)
    case .blocked: .blocked
    }
  }
}

extension FriendBook {
  /// Who it is that shows the key `id` (nil for none) and is, or says that it is, `jid`. The key decides.
  ///
  /// `hint` is the `id` of the TXT record by which the peer was found. It proves nothing, yet a key that
  /// contradicts it is not the one that was looked for. A key that is pinned to the address outranks it, as anyone
  /// can announce anything.
  package func verdict(jid: JID?, id: NodeID?, hint: String? = nil) -> Standing {
    if let id, id == own { return .self }
    if let id, friendTable.blocked[id] != nil { return .blocked }
    if let jid, let pinned = friendTable.owner(of: jid) {
      guard pinned.id == id else { return .changed(expected: pinned.id, seen: id) }
      return .friend(pinned.petname)
    }
    if let hint, (try? NodeID(hint)) != id || id == nil { return .mismatch(announced: hint, seen: id) }
    guard let id else { return .plaintext }
    return friendTable.friends[id].map { .friend($0.petname) } ?? .stranger
  }

  /// What to show of a device that was only seen on the link. A claim: `verdict` decides once there is a key.
  package func appearance(jid: JID, hint: String?) -> Standing {
    guard let hint else { return friendTable.owner(of: jid).map { .friend($0.petname) } ?? .plaintext }
    guard let id = try? NodeID(hint) else { return verdict(jid: jid, id: nil, hint: hint) }
    let standing = verdict(jid: jid, id: id)
    return standing == .self ? .stranger : standing
  }

  /// The key to insist on when this device is dialled: the pinned one, else the announced one; nil where there is
  /// neither.
  package func expectedKey(of jid: JID, hint: String?) -> NodeID? {
    friendTable.owner(of: jid)?.id ?? hint.flatMap { try? NodeID($0) }
  }
}
