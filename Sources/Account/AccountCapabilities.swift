import Mesh
import XML
import XMPP

/// What this resource of the account is and can do (XEP-0030), and how it says so in its presence (XEP-0115).
enum AccountCapabilities {
  /// The link inside of bytestreams only where friends' nodes may come that way, HTTP only where a service answers here.
  static func info(_ configuration: AccountConfiguration) -> DiscoInfo {
    let relay: Set = configuration.isRelay ? [Namespace.bytestreams, Namespace.ibb, Namespace.link] : []
    let http: Set = configuration.isServing ? [Namespace.http, Namespace.ibb, Namespace.shim] : []
    return DiscoInfo(
      identities: [.init(category: "client", type: "bot", name: "Hearth")],
      features: [Namespace.caps, Namespace.discoInfo, Namespace.ping] + relay.union(http).sorted())
  }

  static func node(of info: DiscoInfo) -> String { "\(Capabilities.node)#\(info.verification())" }

  /// The content of our presence. People's messages to the account go to their own clients: ours has a priority below zero
  /// (RFC 6121 §8.5.2).
  static func presence(_ configuration: AccountConfiguration) -> [Element] {
    let link = configuration.isRelay ? configuration.node : nil
    return [
      Element("priority", namespace: Namespace.client, text: "-1"),
      Capabilities.announcement(of: info(configuration)),
    ] + (link.map { [Element("link", namespace: Namespace.link, ["node": $0])] } ?? [])
  }
}
