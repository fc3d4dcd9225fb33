package import Mesh
package import Trust
package import XMPP

extension PeerIdentity {
  /// As if a stream had shown this key; without an id, one in plaintext.
  package static func of(
    _ id: NodeID?, _ address: JID? = nil, from networkAddress: String? = nil, key: [UInt8]? = nil
  ) -> PeerIdentity {
    let proof = id.map { Proof.tls($0, spki: key ?? $0.digest) } ?? .none
    return PeerIdentity(address: address, proof: proof, networkAddress: networkAddress)
  }
}

extension KeyedPeer {
  package static func of(
    _ id: NodeID, _ address: JID? = nil, from networkAddress: String? = nil, key: [UInt8]? = nil
  ) -> KeyedPeer {
    KeyedPeer(.of(id, address, from: networkAddress, key: key))!
  }
}

extension Caller {
  package init(jid: JID?, id: NodeID?, standing: Standing) {
    self.init(identity: .of(id, jid), standing: standing)
  }

  package var jid: JID? { identity.address }
  package var id: NodeID? { identity.id }
}
