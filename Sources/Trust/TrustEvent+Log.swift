import XMPP

extension TrustEvent {
  /// What happened, in one word: the message of the log line, and the type of an event to watchers.
  package var name: String {
    switch self {
    case .befriended: "friend-added"
    case .confirmed: "friend-confirmed"
    case .removed: "friend-removed"
    case .renamed: "friend-renamed"
    case .blocked: "node-blocked"
    case .unblocked: "node-unblocked"
    case .pinned: "device-pinned"
    case .unpinned: "device-not-pinned"
    case .requested: "request-waiting"
    case .requestRefused: "request-refused"
    case .requestWithdrawn: "request-withdrawn"
    case .requestRejected: "request-rejected"
    case .asked: "friendship-asked"
    case .declined: "friendship-declined"
    case .renounced: "friendship-renounced"
    case .claimed: "friendship-claimed"
    case .accountTold: "friend-account"
    case .invited: "invite-issued"
    case .inviteRefused: "invite-refused"
    case .permitOpened: "permit-opened"
    case .permitClosed: "permit-closed"
    case .pairingBegun: "pairing-begun"
    case .pairingEnded: "pairing-failed"
    case .pairingRefused: "pairing-refused"
    case .rotated: "key-rotated"
    case .rotationRefused: "key-rotation-refused"
    case .fleetEntryRefused: "fleet-entry-refused"
    case .streamAccepted: "stream-accepted"
    case .streamRefused: "stream-refused"
    case .accessRefused: "access-refused"
    case .notKept: "not-kept"
    case .suppressed: "lines-suppressed"
    }
  }

  /// Whether it tells of somebody under a friend's name, or under an id that is not its own.
  package var isAboutAnImpostor: Bool {
    switch self {
    case .streamRefused(_, let why, _): [Refusal.changedName, Refusal.mismatchName].contains(why)
    case .accessRefused(_, _, .changed), .accessRefused(_, _, .mismatch): true
    default: false
    }
  }

  /// The fields of the log line. Values may hold what peers say of themselves: escape them.
  package var fields: [String: String] {
    switch self {
    case .befriended(let friend):
      Self.fields(friend, ["how": friend.origin.rawValue, "jid": friend.devices.first?.text])
    case .confirmed(let friend), .removed(let friend), .renounced(let friend): Self.fields(friend)
    case .accountTold(let friend): Self.fields(friend, ["account": friend.account?.text])
    case .renamed(let friend, let old): Self.fields(friend, ["was": old.text])
    case .blocked(let node), .unblocked(let node): Self.fields(node.id, ["petname": node.petname?.text])
    case .pinned(let jid, let friend), .unpinned(let jid, let friend): Self.fields(friend, ["jid": jid.text])
    case .requested(let request):
      Self.fields(
        request.id, ["jid": request.jid?.text, "address": request.address, "greeting": request.greeting])
    case .claimed(let claim): Self.fields(claim.id, ["jid": claim.jid?.text, "address": claim.address])
    case .requestRefused(let id, let jid, let reason): Self.fields(id, ["jid": jid?.text, "reason": reason.rawValue])
    case .requestWithdrawn(let id), .requestRejected(let id), .rotationRefused(let id): Self.fields(id)
    case .asked(let node), .declined(let node):
      Self.fields(node.id, ["jid": node.jid?.text, "petname": node.petname?.text])
    case .invited(let petname): petname.map { ["petname": $0.text] } ?? [:]
    case .inviteRefused(let id, let reason): Self.fields(id, ["reason": reason.rawValue])
    case .permitOpened(let seconds): ["seconds": "\(seconds)"]
    case .permitClosed: [:]
    case .pairingBegun(let id, let role): Self.fields(id, ["role": role.rawValue])
    case .pairingEnded(let id, let reason), .pairingRefused(let id, let reason):
      Self.fields(id, ["reason": reason.rawValue])
    case .rotated(let friend, let old): Self.fields(friend, ["was": old.description])
    case .fleetEntryRefused(let id, let reason): Self.fields(id, ["reason": reason])
    case .streamAccepted(let peer, let standing):
      Self.fields(peer, ["trust": standing.word, "encrypted": "\(peer.isEncrypted)"])
    case .streamRefused(let peer, let why, let detail): Self.fields(peer, ["why": why, "detail": detail])
    case .accessRefused(let peer, let service, let refusal):
      Self.fields(peer, ["service": service, "why": refusal.name, "detail": refusal.detail])
    case .notKept(let reason): ["error": reason]
    case .suppressed(let count): ["count": "\(count)"]
    }
  }

  private static func fields(_ peer: PeerIdentity, _ others: [String: String]) -> [String: String] {
    ["node": peer.id?.description, "jid": peer.address?.text, "address": peer.networkAddress].compactMapValues { $0 }
      .merging(others) { $1 }
  }

  private static func fields(_ friend: Friend, _ others: [String: String?] = [:]) -> [String: String] {
    fields(friend.id, others.merging(["petname": friend.petname.text]) { $1 })
  }

  private static func fields(_ id: NodeID, _ others: [String: String?] = [:]) -> [String: String] {
    others.compactMapValues { $0 }.merging(["node": id.description]) { $1 }
  }
}
