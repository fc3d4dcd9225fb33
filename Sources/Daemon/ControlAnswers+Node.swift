import Control
import Front
import Mesh
import TLS
import Trust
import XMPP

extension ControlAnswers {
  /// What the daemon answers: the node's devices, the services of the book, and the mesh through the gateway.
  init(node: Node, book: ServiceBook, keys: IdentityStore, gateway: Gateway) {
    self.init(
      devices: { node.devices() }, deviceChanges: { node.deviceChanges() }, status: { node.status() },
      serve: { name, service in
        var served = try await book.add(
          try ServiceDefinition(name, service))
        // So that what is said is true: the name may be taken, and a moment later the device can be opened.
        let standing = await node.standing(of: name, within: DaemonLimits.announcement)
        if let jid = standing?.jid { served.jid = jid.text }
        if let problem = standing?.problem { served.warnings.append("it cannot be announced: \(problem)") }
        return served
      },
      unserve: { try await book.remove($0) },
      proxy: { request, writer, _ in try await gateway.forward(request, writer: writer) },
      trust: TrustAnswers(node: node, keys: keys))
  }
}

extension TrustAnswers {
  fileprivate init(node: Node, keys: IdentityStore) {
    let trustService = node.trustService
    self.init(
      trustService: trustService,
      join: { try await node.join($0, petname: $1) },
      ask: { try await node.ask($0, petname: $1, greeting: $2) },
      befriend: { try await node.befriend($0, petname: $1) },
      rotate: {
        do {
          let new = try keys.rotate(trustService.identity, name: node.status().jid.text)
          return try NodeID(key: new)
        } catch RotationError.pending {
          throw ControlError(.conflict, "A new key is waiting already: restart the daemon first.")
        } catch {
          throw ControlError(.failed, "The key was not changed: \(error).")
        }
      })
  }
}

extension NodeID {
  /// Throws `TrustError` where SHA-256 gives no 32 bytes, which it does.
  init(key identity: Identity) throws(TrustError) {
    guard let id = NodeID(digest: Digest.sha256(identity.spki)) else {
      throw TrustError(.nodeID, "SHA-256 gave no 32 bytes")
    }
    self = id
  }
}
