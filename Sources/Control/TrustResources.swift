package import FoundationEssentials
import Mesh
import Trust
import XMPP

/// The answer to `GET /v1/identity`.
package struct IdentityResource: Codable, Sendable, Hashable {
  package let jid: String
  package let id: String
  /// The first group of the id.
  package let short: String
}

/// The answer to `GET /v1/friends`; the lists are sorted.
package struct FriendList: Codable, Sendable, Hashable {
  package let friends: [FriendResource]
  /// Nodes that count this one among their friends, and are none here.
  package let claimed: [ClaimedResource]
  package let blocked: [BlockedResource]
}

package struct FriendResource: Codable, Sendable, Hashable {
  package let petname: String
  package let id: String
  package let short: String
  /// The addresses that belong to it.
  package let devices: [String]
  package let since: Date
  /// `invite`, `digits`, `request`, `permit`, `open` or `fleet`.
  package let origin: String
  /// Whether any of its devices is.
  package let online: Bool
  /// Since when its node does not count this one among its friends any more, as far as that is known; null where it does.
  @Nullable package private(set) var renounced: Date?
}

package struct ClaimedResource: Codable, Sendable, Hashable {
  package let id: String
  package let short: String
  @Nullable package private(set) var jid: String?
  @Nullable package private(set) var address: String?
  package let since: Date
}

package struct BlockedResource: Codable, Sendable, Hashable {
  package let id: String
  package let short: String
  /// What it was called when it was a friend.
  @Nullable package private(set) var petname: String?
  package let since: Date
}

/// The answer to `GET /v1/requests`: all that waits for somebody's word. Oldest first.
package struct RequestList: Codable, Sendable, Hashable {
  /// Of others, for the owner.
  package let requests: [PendingResource]
  /// Of the owner, for others.
  package let asked: [AskedResource]
  /// Accounts on servers that want to be contacts of this node's own, for the owner.
  package let contacts: [String]
  package let pairing: PairingResource
  package let permit: PermitResource
}

/// What a stranger says of itself proves nothing; the id is its key's.
package struct PendingResource: Codable, Sendable, Hashable {
  package let id: String
  package let short: String
  @Nullable package private(set) var jid: String?
  @Nullable package private(set) var address: String?
  @Nullable package private(set) var greeting: String?
  package let since: Date
}

package struct AskedResource: Codable, Sendable, Hashable {
  package let id: String
  package let short: String
  @Nullable package private(set) var jid: String?
  /// What it will be called.
  @Nullable package private(set) var petname: String?
  package let since: Date
}

/// The answer to `POST /v1/requests`.
package struct AskResource: Codable, Sendable, Hashable {
  package enum Outcome: String, Codable, Sendable {
    case friends, waiting, declined
  }

  package let outcome: Outcome
  /// Where both are friends now.
  @Nullable package private(set) var friend: FriendResource?
}

/// The answer to `POST /v1/invites`.
package struct InviteResource: Codable, Sendable, Hashable {
  /// A secret until it is used: whoever reads it can become a friend.
  package let line: String
  package let expires: Date
}

/// The comparison of digits under way.
package struct PairingResource: Codable, Sendable, Hashable {
  /// Null where none is under way.
  @Nullable package private(set) var id: String?
  @Nullable package private(set) var short: String?
  /// What the other side says it is.
  @Nullable package private(set) var jid: String?
  /// What the owner has to compare; null before they are known, and once the owner has confirmed.
  @Nullable package private(set) var digits: String?
}

/// Whether requests are accepted for a while.
package struct PermitResource: Codable, Sendable, Hashable {
  package let open: Bool
  /// Left, rounded up; 0 when closed.
  package let seconds: Int
}

/// The answer to `POST /v1/rotation`.
package struct RotationResource: Codable, Sendable, Hashable {
  /// Of the new key.
  package let id: String
  package let short: String
  /// Whether the node uses it only after its next start.
  package let restart: Bool
}

/// One line of `GET /v1/events`.
package struct EventResource: Codable, Sendable, Hashable {
  /// `friend-added`, `pairing-failed`, …, as in the log; and `pairing-digits`, which is not logged.
  package let event: String
  package let time: Date
  /// As in the log; values may hold what peers say of themselves.
  package let fields: [String: String]

  package static let digits = "pairing-digits"
}

/// What requests about trust may carry; each takes some of these.
struct TrustRequest: Codable {
  var petname: String?
  var device: String?
  var greeting: String?
  var line: String?
  var seconds: Double?
  var digits: String?
}
