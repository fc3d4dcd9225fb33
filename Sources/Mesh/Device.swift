package import FoundationEssentials
package import LinkLocal
package import Trust
package import XMPP

/// A device on the link, of a friend's node elsewhere, or of this node, as the list of devices shows it: one property a column, and so more than eight.
package struct Device: Sendable, Hashable {
  package enum State: String, Sendable, CaseIterable {
    /// Announced, and nothing speaks against it.
    case online
    /// Listed by mDNS, yet it does not answer.
    case away
    /// Said goodbye, or expired.
    case gone
  }

  package let jid: JID
  /// What it calls itself: the nick, else the user part of its address.
  package let name: String
  package let state: State
  /// Announced by this node itself.
  package let isLocal: Bool
  /// Whether it answers HTTP; nil while nobody has asked it.
  package let http: Bool?
  /// `avail`, `away`, `dnd`, or what a foreign client says; empty where it says nothing.
  package let status: String
  /// One line about the device, its own words.
  package let message: String?
  /// Every address and interface that it was seen on, sorted.
  package let endpoints: [Endpoint]
  /// The server over which it is reached, where it is not on the link; nil: by the link.
  package let server: String?
  /// When the link last told of it, or it last answered.
  package private(set) var seen: Date

  /// What it is to this node: a claim of the link until it is dialled, and then what its key says.
  package let standing: Standing
  /// As it announces.
  package let node: NodeID?
  /// Whether the last connection with this node was encrypted that was opened to it, or came from it by its own account; nil
  /// while there was none.
  package let isEncrypted: Bool?
  /// What its node said last of the app behind it, where that gave no answer and none has come since.
  package let appFailure: AppFailure?

  /// An app of another node's that gave no answer.
  package struct AppFailure: Sendable, Hashable {
    let reason: String
    let since: Date
    let noted: Date
  }

  /// Of the app behind a device of another node's, as far as requests of the last minutes have shown; nil where they have not.
  package func health(now: Date) -> HealthReport? {
    guard let failure = appFailure, now.timeIntervalSince(failure.noted) < MeshLimits.appFailure else { return nil }
    return HealthReport(.down(failure.reason), since: failure.since)
  }

  /// Announced, and at addresses that are known.
  var isReachable: Bool { state == .online && (!endpoints.isEmpty || server != nil) }

  /// What the owner calls it, where it belongs to a friend.
  package var petname: Petname? {
    if case .friend(let petname) = standing { petname } else { nil }
  }

  package init(
    jid: JID, name: String, state: State, isLocal: Bool, http: Bool?, status: String, message: String?,
    endpoints: [Endpoint], server: String? = nil, seen: Date, standing: Standing, node: NodeID?,
    isEncrypted: Bool? = nil, appFailure: AppFailure? = nil
  ) {
    self.server = server
    self.appFailure = appFailure
    self.standing = standing
    self.node = node
    self.isEncrypted = isEncrypted
    self.jid = jid
    self.name = name
    self.state = state
    self.isLocal = isLocal
    self.http = http
    self.status = status
    self.message = message
    self.endpoints = endpoints
    self.seen = seen
  }

  /// The same device, where there was a sign of life at this time.
  func seen(at time: Date) -> Device {
    var device = self
    device.seen = max(seen, time)
    return device
  }
}
