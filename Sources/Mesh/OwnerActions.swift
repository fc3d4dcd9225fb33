package import FoundationEssentials
package import Trust
package import XMPP

/// What the owner may do about friends: the use cases of the dashboard and of the control socket, which only read what is
/// asked for and write what came of it.
///
/// `who` is a petname, a node id, the first group of one, or a device's address. All verbs throw `TrustError` where nothing
/// was done, and what keeping friends throws; those that need another node throw `MeshError` and `CancellationError` as well.
package struct OwnerActions: Sendable {
  /// A device that looks otherwise than the owner was shown, who has to look again.
  package struct DeviceChanged: Error {
    package let device: JID
  }

  /// How a device looked when the owner decided about it.
  package enum Appearance: Sendable {
    /// The owner named it, and was shown nothing.
    case unseen
    /// It was shown with this announced id; nil: without one.
    case shown(id: String?)
  }

  private let node: any LocalNode
  /// Whether only those become friends to whom the owner gives a name. So it is where the owner clicks: a page that lures
  /// somebody into clicks at places of its choice does not get that far.
  private let requiresNames: Bool

  package init(of node: any LocalNode, requiringNames requiresNames: Bool) {
    self.node = node
    self.requiresNames = requiresNames
  }

  private var trustService: TrustService { node.trustService }
  /// As it is on disk.
  package var book: FriendBook { trustService.current }
}

/// Devices whose nodes shall become friends.
extension OwnerActions {
  /// Asks the owner of a device for friendship.
  ///
  /// - Parameters:
  ///   - greeting: one line to its owner.
  ///   - patience: how long to wait for an answer once the request is on its way; nil: `MeshLimits.friendship`.
  /// - Throws: `DeviceChanged` as well.
  package func ask(
    _ jid: JID, appearing appearance: Appearance = .unseen, petname: String?, greeting: String? = nil,
    patience: Duration? = nil
  ) async throws -> AskOutcome {
    let device = try device(jid, appearing: appearance)
    let petname = try name(petname, for: device)
    guard let patience else {
      return try await node.ask(device?.jid ?? jid, expecting: device?.node, petname: petname, greeting: greeting)
    }
    return try await withThrowingTaskGroup(of: AskOutcome.self) { group in
      let events = trustService.events()
      group.addTask {
        try await node.ask(device?.jid ?? jid, expecting: device?.node, petname: petname, greeting: greeting)
      }
      group.addTask {
        for await event in events {
          if case .asked(let asked)? = event, asked.jid == jid { break }
        }
        try await Task.sleep(for: patience)
        return .waiting
      }
      defer { group.cancelAll() }
      return try await group.next() ?? .waiting
    }
  }

  /// Begins to compare digits with the owner of a device, which are then in `book.pairingQuestion`.
  ///
  /// - Throws: `DeviceChanged` as well.
  package func befriend(_ jid: JID, appearing appearance: Appearance = .unseen, petname: String?) async throws {
    let device = try device(jid, appearing: appearance)
    try await node.befriend(device?.jid ?? jid, expecting: device?.node, petname: try name(petname, for: device))
  }

  /// The device as it was shown; nil where nothing was.
  private func device(_ jid: JID, appearing appearance: Appearance) throws -> Device? {
    guard case .shown(let id) = appearance else { return nil }
    guard let device = node.device(jid) else { throw node.notDiscovered(jid) }
    guard device.node?.description == id else { throw DeviceChanged(device: jid) }
    return device
  }

  /// What its node is to be called.
  private func name(_ petname: String?, for device: Device?) throws(TrustError) -> String? {
    guard requiresNames, let device else { return petname }
    switch FriendshipState(device, book) {
    case .friend: return nil
    case .asked(let asked): return asked.petname?.text
    default: return try Petname(petname ?? "").text
    }
  }

  /// The same of one that no device is known of.
  private func name(_ petname: String?) throws(TrustError) -> String? {
    requiresNames ? try Petname(petname ?? "").text : petname
  }
}

/// Requests, here and elsewhere.
extension OwnerActions {
  /// Accepts the request of the node with this whole id.
  package func accept(_ who: String, petname: String?) async throws -> Friend {
    let id = try book.requester(who)
    try await trustService.accept(id.description, petname: try name(petname))
    guard let friend = book.friend(id) else {
      throw TrustError(.unknown, "\(id.short) was accepted, and is no friend any more", nextStep: .listFriends)
    }
    return friend
  }

  package func reject(_ who: String) async throws { try await trustService.reject(who) }

  /// Takes back what this node asked.
  package func withdraw(_ who: String) async throws { try await trustService.withdraw(who) }
}

/// Digits that two owners compare.
extension OwnerActions {
  /// Says that the other side shows the same.
  ///
  /// - Parameter digits: those that the owner has compared; meanwhile it may be another's turn.
  package func confirmPairing(digits: String, petname: String?) async throws {
    let book = book
    let isFriend = book.pairingQuestion.map { book.friend($0.peer.id) != nil } ?? false
    // Who began has said the name, and need not say it again.
    let isNamed = isFriend || petname == nil && book.pairingPetname != nil
    try await trustService.confirmPairing(digits: digits, petname: requiresNames && isNamed ? nil : try name(petname))
  }

  package func cancelPairing() async { await trustService.cancelPairing() }
}

/// Friends, and those who shall be none.
extension OwnerActions {
  package func rename(_ who: String, to petname: String) async throws {
    try await trustService.rename(who, to: petname)
  }

  package func remove(_ who: String) async throws { try await trustService.remove(who) }
  package func block(_ who: String) async throws { try await trustService.block(who) }
  package func unblock(_ who: String) async throws { try await trustService.unblock(who) }
}

/// Invites, and the open door.
extension OwnerActions {
  /// A line that makes a friend of the node that joins with it, once, and when it is void.
  package func invite(petname: String?) async throws -> (line: InviteLine, expires: Date) {
    let expires = Date() + TrustLimits.inviteLife
    let line = try await trustService.invite(
      jid: node.status().jid, account: node.relayAddress, petname: try name(petname))
    return (line, expires)
  }

  /// Becomes friends with the node that printed the line.
  package func join(_ line: String, petname: String?) async throws -> Friend {
    try await node.join(try InviteLine(line), petname: try name(petname))
  }

  /// Accepts every request for so many seconds (`TrustLimits.permit`).
  package func permit(seconds: TimeInterval) async throws { try await trustService.permit(seconds: seconds) }
  package func closePermit() async { await trustService.closePermit() }
}
