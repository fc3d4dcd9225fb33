import Synchronization
package import XML
package import XMPP

/// What our devices say of themselves (XEP-0030), and what is known of others by the hash that they announce (XEP-0115).
package final class Capabilities: Sendable {
  /// XEP-0115 §4: where the software is at home; announced as `node`.
  package static let node = "urn:hearth:node"

  private static let common = [
    Namespace.discoInfo, Namespace.ping, Namespace.version, Namespace.streamLimits, Namespace.hearth,
  ]
  private static let identity = DiscoInfo.Identity(category: "client", type: "bot", name: "Hearth")

  /// A device that serves HTTP (XEP-0332 §Determining Support).
  package static let ofService = DiscoInfo(
    identities: [identity],
    features: common + [Namespace.http, Namespace.ibb, Namespace.jingleS5B, Namespace.shim, Namespace.upgrade])
  /// The node itself: it announces itself because many peers hang up on addresses that nobody announced.
  package static let ofNode = DiscoInfo(
    identities: [identity], features: common + [Namespace.ibb, Namespace.jingleS5B])

  /// What presence says of it (XEP-0115 §4).
  package static func announcement(of info: DiscoInfo) -> Element {
    Element("c", namespace: Namespace.caps, ["hash": "sha-1", "node": node, "ver": info.verification()])
  }

  /// Verified hashes only.
  private let known: Mutex<[String: DiscoInfo]>

  package init() {
    known = Mutex([Self.ofService.verification(): Self.ofService, Self.ofNode.verification(): Self.ofNode])
  }

  package func info(of verification: String) -> DiscoInfo? {
    known.withLock { $0[verification] }
  }

  /// Remembers what a device told of itself, if the hash that it announces is the hash of just that (XEP-0115 §5.4).
  package func learn(_ info: DiscoInfo, announced verification: String) {
    guard info.verification() == verification else { return }
    known.withLock { known in
      if known.count < MeshLimits.capabilities { known[verification] = info }
    }
  }
}
