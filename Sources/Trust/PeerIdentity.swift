package import XMPP

/// Who is at the other end of a stream: made once, when the stream opens, of what it has shown by then.
///
/// A reference, since each of its requests takes it along.
package final class PeerIdentity: Sendable, Hashable {
  /// What says that it is who it says.
  package enum Proof: Sendable, Hashable {
    /// It has the key to this DER SubjectPublicKeyInfo, of which the id is made.
    case tls(NodeID, spki: [UInt8])
    /// TLS, in which it showed no key: it may be anyone, also somebody in between.
    case encrypted
    /// Nothing: it may be anyone.
    case none
    /// The XMPP server of this domain says so.
    case server(domain: String)
  }

  /// Whom this node dialled, or who the other side says it is, if anyone. Without a key it proves nothing.
  package let address: JID?
  package let proof: Proof
  /// Without port and scope.
  package let networkAddress: String?
  /// Whether this node opened the stream.
  package let isDialled: Bool
  /// Whether its stream goes over a server, to which only friends are let in.
  package let isRelayed: Bool

  package init(
    address: JID?, proof: Proof, networkAddress: String? = nil, isDialled: Bool = false, isRelayed: Bool = false
  ) {
    self.isRelayed = isRelayed
    self.address = address
    self.proof = proof
    self.networkAddress = networkAddress
    self.isDialled = isDialled
  }

  /// The same at another address.
  package func at(_ address: JID?) -> PeerIdentity {
    PeerIdentity(
      address: address, proof: proof, networkAddress: networkAddress, isDialled: isDialled, isRelayed: isRelayed)
  }

  package static func == (a: PeerIdentity, b: PeerIdentity) -> Bool {
    a === b
      || a.address == b.address && a.proof == b.proof && a.networkAddress == b.networkAddress
        && a.isDialled == b.isDialled && a.isRelayed == b.isRelayed
  }

  package func hash(into hasher: inout Hasher) {
    hasher.combine(address)
    hasher.combine(proof)
    hasher.combine(networkAddress)
    hasher.combine(isDialled)
    hasher.combine(isRelayed)
  }

  /// Whether nobody between the two nodes could read along.
  package var isEncrypted: Bool {
    switch proof {
    case .tls, .encrypted: true
    case .none, .server: false
    }
  }

  /// Whose key it is that was shown; nil where none was.
  package var id: NodeID? {
    switch proof {
    case .tls(let id, _): id
    case .encrypted, .none, .server: nil
    }
  }
}

extension PeerIdentity {
  /// Its account, bare, where a server says who it is; nil for others.
  package var account: JID? {
    switch proof {
    case .server: address?.bare
    case .tls, .encrypted, .none: nil
    }
  }
}

/// A peer that has shown its key: the only kind that can be a friend.
package struct KeyedPeer: Sendable, Hashable {
  package var identity: PeerIdentity
  package let id: NodeID
  /// DER SubjectPublicKeyInfo, as this side sees it on its own TLS session.
  package let key: [UInt8]

  /// nil where it showed none.
  package init?(_ identity: PeerIdentity) {
    guard case .tls(let id, let key) = identity.proof else { return nil }
    (self.identity, self.id, self.key) = (identity, id, key)
  }

  package var address: JID? { identity.address }
  package var networkAddress: String? { identity.networkAddress }

  /// The same key under the same address, over whatever stream.
  func isAlike(_ other: KeyedPeer) -> Bool { key == other.key && address == other.address }
}
