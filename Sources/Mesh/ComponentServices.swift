import Codecs
import Streams
import Trust
import XML
import XMPP

/// The services of this node as addresses of a component (XEP-0114): `thermostat@home.example.org`, for those whom their owner has opened
/// them to by account. To everybody else nothing is there.
final class ComponentServices: Sendable {
  private let table: ServiceTable
  private let gatekeeper: Gatekeeper
  private let routed = RoutedPeers()

  init(table: ServiceTable, gatekeeper: Gatekeeper) {
    (self.table, self.gatekeeper) = (table, gatekeeper)
  }

  /// Uses a component until it ends.
  func serve(_ component: any AccountConnection, over dialer: Dialer) async {
    await withDiscardingTaskGroup { group in
      let connections = routed.connections()
      group.addTask { await self.routed.run(connections, over: component) }
      for await event in component.events {
        switch event {
        case .online: break
        case .offline: routed.endAll()
        case .presence(let presence): received(presence, component)
        case .stanza(let stanza):
          if let work = received(stanza, component, over: dialer) { group.addTask { await work() } }
        }
      }
      group.cancelAll()
    }
    routed.endAll()
  }

  /// The device at an address of the component; nil where there is none, or none for this one.
  private func device(at address: JID, for peer: JID) -> JID? {
    guard let localpart = address.localpart,
      let name = table.all.lazy.map(\.name).first(where: {
        JIDEscaping.escape($0).lowercased() == localpart.lowercased()
      })
    else { return nil }
    return device(named: name, for: peer)
  }

  private func device(named name: String, for peer: JID) -> JID? {
    guard let (device, policy) = table.device(named: name),
      policy.accounts.admits(peer, isContact: gatekeeper.isContact(peer))
    else { return nil }
    return device
  }

  // MARK: Stanzas

  private func received(
    _ stanza: Stanza, _ component: any AccountConnection, over dialer: Dialer
  ) -> (@Sendable () async -> Void)? {
    guard let from = stanza.from, let to = stanza.to else { return nil }
    guard to.localpart != nil else {
      if stanza.wantsAnswer { component.tell(answer(stanza, of: component.address, to: from)) }
      return nil
    }
    guard let device = device(at: to, for: from) else {
      if stanza.wantsAnswer { component.tell(stanza.error(StanzaError(.serviceUnavailable))) }
      return nil
    }
    guard !routed.received(stanza, at: to), stanza.wantsAnswer else { return nil }
    switch (stanza.payload?.namespace, stanza.type) {
    case (Namespace.http, _):
      return routed.accept(stanza, at: to, for: device, over: component, dialer)
    case (Namespace.discoInfo, "get"):
      component.tell(stanza.result(Capabilities.ofService.query(node: stanza.payload?["node"])))
    case (Namespace.ping, "get"): component.tell(stanza.result())
    default: component.tell(stanza.error(StanzaError(.serviceUnavailable)))
    }
    return nil
  }

  /// What the component's own address says (XEP-0030).
  private func answer(_ iq: Stanza, of domain: JID, to peer: JID) -> Stanza {
    switch (iq.payload?.namespace, iq.type) {
    case (Namespace.ping, "get"): return iq.result()
    case (Namespace.discoInfo, "get"):
      let identity = DiscoInfo.Identity(category: "component", type: "generic", name: "Hearth")
      let info = DiscoInfo(
        identities: [identity], features: [Namespace.discoInfo, Namespace.discoItems, Namespace.ping])
      return iq.result(info.query(node: nil))
    case (Namespace.discoItems, "get"):
      let items = table.all.filter { device(named: $0.name, for: peer) != nil }.compactMap { service in
        JID(localpart: JIDEscaping.escape(service.name), domainpart: domain.text).map { jid in
          Element("item", namespace: Namespace.discoItems, ["jid": jid.text, "name": service.title ?? service.name])
        }
      }
      return iq.result(Element("query", namespace: Namespace.discoItems, [:], items))
    default: return iq.error(StanzaError(.serviceUnavailable))
    }
  }

  // MARK: Presence

  /// Whoever may use a service may see that it is there (RFC 6121 §3); nobody else gets an answer.
  private func received(_ presence: Stanza, _ component: any AccountConnection) {
    guard let from = presence.from, let to = presence.to, to.localpart != nil, device(at: to, for: from) != nil else {
      return
    }
    switch presence.type {
    case "subscribe":
      component.tell(Stanza(.presence, from: to.bare, to: from.bare, type: "subscribed"))
      component.tell(available(to, for: from.bare))
    case "unsubscribe": component.tell(Stanza(.presence, from: to.bare, to: from.bare, type: "unsubscribed"))
    case "probe": component.tell(available(to, for: from))
    default: break
    }
  }

  private func available(_ own: JID, for peer: JID) -> Stanza {
    Stanza(.presence, from: own.bare, to: peer, [Capabilities.announcement(of: Capabilities.ofService)])
  }
}
