import Mesh
import XML
import XMPP

/// What this resource of the account is and can do (XEP-0030), and how it says so in its presence (XEP-0115).
enum AccountCapabilities {
  /// Bytestreams, and the link inside of them, only where friends' nodes may come that way.
  static func info(isRelay: Bool) -> DiscoInfo {
    DiscoInfo(
      identities: [.init(category: "client", type: "bot", name: "Hearth")],
      features: [Namespace.caps, Namespace.discoInfo, Namespace.ping]
        + (isRelay ? [Namespace.bytestreams, Namespace.ibb, Namespace.link] : []))
  }

  static func node(of info: DiscoInfo) -> String { "\(Capabilities.node)#\(info.verification())" }

  /// The content of our presence. People's messages to the account go to their own clients: ours has a priority below zero
  /// (RFC 6121 §8.5.2).
  static func presence(_ configuration: AccountConfiguration) -> [Element] {
    let link = configuration.isRelay ? configuration.node : nil
    return [
      Element("priority", namespace: Namespace.client, text: "-1"),
      Element(
        "c", namespace: Namespace.caps,
        ["hash": "sha-1", "node": Capabilities.node, "ver": info(isRelay: configuration.isRelay).verification()]),
    ] + (link.map { [Element("link", namespace: Namespace.link, ["node": $0])] } ?? [])
  }
}
