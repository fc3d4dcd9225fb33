package import FoundationEssentials
package import XMPP

/// A node that the owner trusts.
package struct Friend: Sendable, Hashable, Codable {
  /// How it became one.
  package enum Origin: String, Sendable, Codable, CaseIterable {
    /// A one-time token, ours or theirs.
    case invite
    /// Six digits, compared by people.
    case digits
    /// A request that the owner accepted, or one of ours that was.
    case request
    /// A request while the owner had opened a window.
    case permit
    /// A request where the configuration accepts all.
    case open
    /// A file of `trusted.d`; it stays a friend as long as the file says so.
    case fleet
  }

  package var id: NodeID
  package var petname: Petname
  /// Pinned to it: another key under one of these addresses is refused.
  package var devices: [JID]
  package let since: Date
  package let origin: Origin
  /// Since when its node treats this one as none of its friends, as far as that came out; nil where it did not, or is over.
  package internal(set) var renounced: Date?
  /// Its account on an XMPP server, bare, by which it can be reached from elsewhere: its own word, told to this node alone. nil where
  /// it has none, or keeps it to itself.
  package internal(set) var account: JID?

  package init(
    id: NodeID, petname: Petname, devices: [JID] = [], since: Date, origin: Origin, renounced: Date? = nil,
    account: JID? = nil
  ) {
    self.account = account
    self.id = id
    self.petname = petname
    self.devices = devices
    self.since = since
    self.origin = origin
    self.renounced = renounced
  }
}

/// A node that counts this one among its friends, and is none here: it was removed, or this node lost what it knew.
package struct ClaimedFriendship: Sendable, Hashable {
  package let id: NodeID
  /// The device that it is, where the link lists that with its key.
  package let jid: JID?
  /// Where it came from.
  package let address: String?
  package let since: Date
}

/// A node that the owner does not want to hear of.
package struct BlockedNode: Sendable, Hashable, Codable {
  package let id: NodeID
  /// What it was called when it was a friend.
  package let petname: Petname?
  package let since: Date
}

/// A node that wants to become a friend, and waits for the owner.
package struct PendingRequest: Sendable, Hashable, Codable {
  package let id: NodeID
  /// What it says it is. Proves nothing.
  package let jid: JID?
  /// Where it came from.
  package let address: String?
  /// What it says to the owner, one printable line.
  package let greeting: String?
  package let since: Date
}

/// A node that the owner asked for friendship, and that has not answered.
package struct AskedNode: Sendable, Hashable, Codable {
  package let id: NodeID
  package let jid: JID?
  /// What it will be called.
  package let petname: Petname?
  package let since: Date
  package let origin: Friend.Origin
}
