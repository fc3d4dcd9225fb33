import FoundationEssentials
package import Mesh
import Synchronization
package import TLS
package import Trust
import XMPP

/// A node before it runs: its key, whom it knows, what it logs, and what it wrote to its store.
///
/// Give it a name as in a play, `laptop` or `pi`: it is the machine's.
package final class Character: Sendable {
  package let machine: String
  package let identity: Identity
  package let trustService: TrustService
  package let log: LogRecorder
  private let store: Store

  /// - Parameters:
  ///   - friends: with the devices that are pinned to them.
  ///   - blocked: those of whom it does not want to hear.
  package init(
    _ machine: String, identity: Identity? = nil, friends: [Acquaintance] = [], blocked: [Identity] = [],
    mode: RequestMode = .ask
  ) throws {
    let identity = try identity ?? .generate(name: machine)
    let store = Store()
    (self.machine, self.identity, self.store, log) = (machine, identity, store, LogRecorder())
    trustService = try TrustService(
      identity: identity, stored: try FriendBook.of(identity, friends, blocked).encoded(), mode: mode,
      logger: log.logger
    ) { bytes in store.saved.withLock { $0.append(bytes) } }
  }

  package var id: NodeID { identity.nodeID }

  /// Everything that was written to its store, in order.
  package var saved: [[UInt8]] { store.saved.withLock { $0 } }

  private final class Store: Sendable {
    let saved = Mutex<[[UInt8]]>([])
  }
}

/// Somebody whom a character knows from before.
package struct Acquaintance: Sendable {
  let petname: Petname
  let id: NodeID
  let devices: [JID]

  package init(_ petname: String, _ identity: Identity, devices: [String] = []) throws {
    self.petname = try Petname(petname)
    self.id = identity.nodeID
    self.devices = devices.compactMap { JID($0) }
  }
}

extension Identity {
  /// A SHA-256 is as long as it has to be.
  package var nodeID: NodeID { NodeID(digest: Digest.sha256(spki))! }
}

extension FriendBook {
  /// As if all of them had been met an hour ago.
  fileprivate static func of(
    _ identity: Identity, _ friends: [Acquaintance], _ blocked: [Identity]
  ) throws -> FriendBook {
    let cryptography = Cryptography(
      sha256: { Digest.sha256($0) }, verify: { Identity.verify($0, of: $1, spki: $2) })
    var book = FriendBook(own: identity.nodeID, ownKey: identity.spki, cryptography: cryptography)
    let now = Date() - 3600
    for friend in friends {
      let peer = KeyedPeer.of(friend.id, friend.devices.first)
      _ = try book.ask(friend.id, jid: friend.devices.first, petname: friend.petname, now: now)
      _ = book.received(.subscribed, from: peer, now: now)
      for device in friend.devices { _ = book.met(device, id: friend.id, now: now) }
    }
    for identity in blocked { _ = try book.block(identity.nodeID, now: now) }
    return book
  }
}
