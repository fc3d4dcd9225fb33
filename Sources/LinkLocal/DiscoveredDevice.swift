package import FoundationEssentials

/// One device of the roster, however many interfaces and address families show it (XEP-0174 §11.1).
package struct DiscoveredDevice: Sendable, Hashable {
  package enum State: Sendable, Hashable {
    /// Announced, and nothing speaks against it.
    case online
    /// Listed by mDNS, yet it does not answer.
    case away
    /// Said goodbye, or expired.
    case gone
  }

  package let name: InstanceName
  package let state: State
  /// Announced by this node itself.
  package let isLocal: Bool
  /// Without doubles, in a stable order; those that mDNS says nobody answers at only when there are no others.
  /// Empty for a device that is gone or was never resolved.
  package let endpoints: [Endpoint]
  /// The server over which it is reached, where it is not on the link; nil: by the link.
  package let server: String?
  /// The newest TXT record; it stays when the device is gone.
  package let record: TXTRecord
  /// When there last was a sign of life.
  package let seen: Date

  package init(
    name: InstanceName, state: State, isLocal: Bool, endpoints: [Endpoint], server: String? = nil, record: TXTRecord,
    seen: Date
  ) {
    (self.name, self.state, self.isLocal, self.endpoints, self.server) = (name, state, isLocal, endpoints, server)
    (self.record, self.seen) = (record, seen)
  }

  /// Whether both show alike to the user; a newer `seen` alone does not count.
  func shows(sameAs other: Self) -> Bool {
    name == other.name && state == other.state && isLocal == other.isLocal && endpoints == other.endpoints
      && server == other.server && record == other.record
  }
}
