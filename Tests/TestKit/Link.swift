package import LinkLocal
import Synchronization
package import XMPP

/// A link in memory: what one discovery announces, all others on the link find. On loopback, IPv4.
package final class Link: Sendable {
  private struct Announced {
    let owner: ObjectIdentifier
    let id: String
    let wanted: InstanceName
    let sighting: Sighting
  }

  private struct State {
    var members: [LinkDiscovery] = []
    var announced: [InstanceName: Announced] = [:]
  }

  private let state = Mutex(State())
  private static let loopback = Interface(index: 1, name: "lo")

  package init() {}

  /// One machine's view of the link.
  package func join() -> LinkDiscovery {
    let member = LinkDiscovery(link: self)
    state.withLock { state in
      state.members.append(member)
      for announced in state.announced.values { member.yield(.found(announced.sighting)) }
    }
    return member
  }

  fileprivate func announce(_ announcement: Announcement, by owner: LinkDiscovery) {
    state.withLock { state in
      let name = self.name(for: announcement, of: owner, &state)
      let sighting = Sighting(
        key: .init(instance: name, interface: Self.loopback, family: .ipv4),
        endpoint: Endpoint(address: "127.0.0.1", port: announcement.port, interface: Self.loopback),
        record: announcement.record)
      state.announced[name] = Announced(
        owner: ObjectIdentifier(owner), id: announcement.id, wanted: announcement.name, sighting: sighting)
      owner.yield(.announced(id: announcement.id, as: name))
      for member in state.members { member.yield(.found(sighting)) }
    }
  }

  /// The one that it has, where it is updated in place; else the wanted one, or one beside it that is free.
  private func name(
    for announcement: Announcement, of owner: LinkDiscovery, _ state: inout State
  ) -> InstanceName {
    let former = state.announced.first { $1.owner == ObjectIdentifier(owner) && $1.id == announcement.id }
    if let former, former.value.wanted == announcement.name { return former.key }
    remove(id: announcement.id, of: owner, &state)
    var name = announcement.name
    var number = 0
    while state.announced[name] != nil, let next = announcement.name.alternative(number + 1) {
      number += 1
      name = next
    }
    return name
  }

  fileprivate func withdraw(id: String?, of owner: LinkDiscovery) {
    state.withLock { remove(id: id, of: owner, &$0) }
  }

  private func remove(id: String?, of owner: LinkDiscovery, _ state: inout State) {
    for (name, announced) in state.announced
    where announced.owner == ObjectIdentifier(owner) && (id == nil || announced.id == id) {
      state.announced[name] = nil
      for member in state.members { member.yield(.lost(announced.sighting.key)) }
    }
  }

  /// Whether somebody announces it at this moment.
  package func lists(_ jid: String) -> Bool {
    state.withLock { state in state.announced.keys.contains { $0.text == jid } }
  }

  /// Shows `jid` at a port, whoever has announced it: as mDNS shows what is gone for 75 minutes, and what anyone says.
  ///
  /// - Parameter id: the node id that is said to be there.
  /// - Parameter interface: on which it is shown; nil for loopback.
  package func haunt(
    _ jid: JID, port: Int, at address: String = "127.0.0.1", on interface: Interface? = nil, id: String? = nil
  ) {
    guard let name = InstanceName(jid) else { return }
    let key = Sighting.Key(instance: name, interface: interface ?? Self.loopback, family: .ipv4)
    let endpoint = Endpoint(address: address, port: port, interface: key.interface)
    let record = TXTRecord(["id": id])
    state.withLock { state in
      for member in state.members {
        member.yield(.found(Sighting(key: key, endpoint: endpoint, record: record)))
      }
    }
  }
}

/// Discovery on a `Link`.
package final class LinkDiscovery: Discovery {
  package let source = DiscoverySource.link
  package let events: AsyncStream<DiscoveryEvent>
  private let continuation: AsyncStream<DiscoveryEvent>.Continuation
  private let link: Link

  fileprivate init(link: Link) {
    self.link = link
    (events, continuation) = AsyncStream.makeStream()
    continuation.yield(.available)
  }

  fileprivate func yield(_ event: DiscoveryEvent) {
    continuation.yield(event)
  }

  package func announce(_ announcement: Announcement) {
    link.announce(announcement, by: self)
  }

  package func withdraw(id: String) {
    link.withdraw(id: id, of: self)
  }

  /// What is known is fresh.
  package func resolve(_ name: InstanceName) {
    yield(.resolved(name))
  }

  package func run() async {
    // Nothing to do but to wait for the end, which is no failure.
    _ = try? await untilCancelled()
    link.withdraw(id: nil, of: self)
    continuation.finish()
  }
}
