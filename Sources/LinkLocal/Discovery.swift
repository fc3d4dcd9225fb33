/// A network interface, by kernel index (the scope of a link-local IPv6 address) and name.
package struct Interface: Sendable, Hashable {
  package let index: Int
  package let name: String

  package init(index: Int, name: String) {
    self.index = index
    self.name = name
  }
}

/// Where a device can be reached.
package struct Endpoint: Sendable, Hashable {
  /// An IPv4 or IPv6 address as text, without a scope: that is `interface.index`.
  package let address: String
  /// TCP port, host byte order, 1–65535.
  package let port: Int
  package let interface: Interface
  /// Whether a device of this machine is meant, as the one knows who announces for this machine. Else an address of this
  /// machine is not to be believed.
  package let isOnThisMachine: Bool

  package init(address: String, port: Int, interface: Interface, isOnThisMachine: Bool = false) {
    self.address = address
    self.port = port
    self.interface = interface
    self.isOnThisMachine = isOnThisMachine
  }
}

/// One view of an instance: what one interface and one address family tell of it.
package struct Sighting: Sendable, Hashable {
  package enum Family: Sendable, Hashable { case ipv4, ipv6 }

  package struct Key: Sendable, Hashable {
    package let instance: InstanceName
    package let interface: Interface
    package let family: Family

    package init(instance: InstanceName, interface: Interface, family: Family) {
      self.instance = instance
      self.interface = interface
      self.family = family
    }
  }

  package let key: Key
  /// nil where it is not on the link, and is reached over a server.
  package let endpoint: Endpoint?
  package let record: TXTRecord

  package init(key: Key, endpoint: Endpoint?, record: TXTRecord) {
    self.key = key
    self.endpoint = endpoint
    self.record = record
  }
}

/// One device that this node announces.
package struct Announcement: Sendable, Hashable {
  /// What this node calls it; stays when the name on the wire has to change.
  package let id: String
  /// The wanted name.
  package let name: InstanceName
  package let port: Int
  package let record: TXTRecord

  package init(id: String, name: InstanceName, port: Int, record: TXTRecord) {
    self.id = id
    self.name = name
    self.port = port
    self.record = record
  }
}

package enum DiscoveryEvent: Sendable, Hashable {
  /// The instance was resolved: new, or with another address, port or TXT record.
  case found(Sighting)
  /// Goodbye, expired, or the interface went.
  case lost(Sighting.Key)
  /// mDNS lists the instance, and nobody has been asked for it so far: that is to come.
  case listed(Sighting.Key)
  /// mDNS lists the instance, yet nobody answers for it.
  case unanswered(Sighting.Key)
  /// What `resolve` asked for has been told, by the events before this one.
  case resolved(InstanceName)
  /// An announcement stands, under this name: the wanted one, or the one it was renamed to on a conflict.
  case announced(id: String, as: InstanceName)
  /// An announcement cannot be made, and why.
  case refused(id: String, reason: String)
  /// The service that does the announcing and browsing works (again). Everything found before was lost.
  case available
  /// It does not; it is tried again without end.
  case unavailable(reason: String)
}

/// Where devices are heard of. What several sources tell of one device is merged.
package enum DiscoverySource: Sendable, Hashable {
  /// mDNS on the local link (XEP-0174).
  case link
  /// What friends' nodes say of their devices over the owner's account at this server.
  case account(domain: String)
}

/// Announces devices on the link and tells of those of others (XEP-0174 §§3–5). Filled by `Avahi`, in tests by memory.
package protocol Discovery: Sendable {
  var source: DiscoverySource { get }

  /// What happens on the link, this node's own instances included. For one consumer.
  var events: AsyncStream<DiscoveryEvent> { get }

  /// Announces a device, or updates in place the announcement that has the same `id`.
  func announce(_ announcement: Announcement)

  /// Asks for the instance's records anew, and from now on keeps them fresh before those of others. What they are comes as
  /// events, and `.resolved` behind them; at once where nothing lists the instance, or where its records are kept fresh already.
  func resolve(_ name: InstanceName)

  /// Says goodbye for this announcement.
  func withdraw(id: String)

  /// Works until cancelled, then says goodbye for all and returns when that is said.
  func run() async
}
