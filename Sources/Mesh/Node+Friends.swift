import LinkLocal
import Streams
import TLS
package import Trust
package import XMPP

/// What became of a request of friendship.
package enum AskOutcome: Sendable {
  case friends(Friend)
  /// It waits for the owner over there.
  case waiting
  case declined
}

/// Becoming friends needs a stream to the other node, and its key.
extension Node {
  /// Takes an invite: finds the node, makes sure that its key is the one in the line, and hands over the token.
  ///
  /// - Throws: `MeshError` where it cannot be reached or has another key, `TrustError` where the line is not good any more.
  package func join(_ line: InviteLine, petname: String?) async throws -> Friend {
    let found = await find(line)
    let device = found ?? line.jid
    let way = found == nil ? await office.route(toInviter: line) : nil
    let outcome = try await asking(device, by: way, expecting: line.id) { id in
      try await trustService.ask(id, jid: device, petname: petname, token: line.token)
    }
    guard case .friends(let friend) = outcome else {
      throw TrustError(.invite, "the invite is not good any more: each works once, for ten minutes. Ask for another")
    }
    // Over this stream the friend says it as well, unless that ends before.
    if way != nil { await trustService.told(line.account?.bare, by: friend.id) }
    return friend
  }

  /// Asks a device's node for friendship.
  ///
  /// - Parameter expected: the node that the owner has seen; another one gets nothing.
  package func ask(
    _ device: JID, expecting expected: NodeID? = nil, petname: String?, greeting: String?
  ) async throws -> AskOutcome {
    try await asking(device, expecting: expected) { id in
      try await trustService.ask(id, jid: device, petname: petname, greeting: greeting)
    }
  }

  private func asking(
    _ device: JID, by way: Route? = nil, expecting expected: NodeID?,
    _ request: @Sendable (NodeID) async throws -> Void
  ) async throws -> AskOutcome {
    var retries = RetryPolicy(isRepeatable: true, deadline: .now)
    while true {
      let (stream, peer) = try await authenticated(device, by: way, expecting: expected)
      do {
        return try await outcome(of: peer.id, at: device, over: stream) { try await request(peer.id) }
      } catch let error as MeshError where retries.failedToAsk(error) == .now {
        continue
      }
    }
  }

  /// Begins to compare digits with a device's node; they are then in `trustService.current.pairingQuestion`.
  package func befriend(_ device: JID, expecting expected: NodeID? = nil, petname: String?) async throws {
    let (stream, peer) = try await authenticated(device, expecting: expected)
    try await trustService.pair(with: peer, petname: petname)
    // Where it ended before, nobody says so any more.
    if !stream.isOpen { await trustService.disconnected(peer.id) }
  }

  /// The device that the invite names, or another of the same node where that is not announced; nil where the link has none.
  private func find(_ line: InviteLine) async -> JID? {
    await withTaskGroup(of: JID?.self) { group in
      group.addTask {
        for await device in self.deviceChanges() where device.state != .gone && device.node == line.id {
          return self.device(line.jid).map { $0.state != .gone } == true ? line.jid : device.jid
        }
        return nil
      }
      group.addTask {
        try? await Task.sleep(for: MeshLimits.discovery)
        return nil
      }
      let found = await group.next() ?? nil
      group.cancelAll()
      return found
    }
  }

  /// A stream to the device, and who it is by its key.
  ///
  /// - Parameter way: that of an invite over a server; nil: by the link.
  private func authenticated(
    _ device: JID, by way: Route? = nil, expecting expected: NodeID?
  ) async throws -> (PeerStream, KeyedPeer) {
    let open = try await dialer.liveStream(along: way ?? route(to: device))
    guard var peer = KeyedPeer(open.identity) else {
      throw MeshError(
        .forbidden, device: device, message: "“\(device)” shows no key, so nobody can know who it is.")
    }
    guard expected == nil || expected == peer.id else {
      throw MeshError(
        .changed, device: device,
        message:
          "“\(device)” has the key of \(peer.id), and not that of \(expected ?? peer.id). Somebody may be in between.")
    }
    peer.identity = peer.identity.at(device)
    return (open.stream, peer)
  }

  /// What comes of `request` within a while.
  private func outcome(
    of id: NodeID, at device: JID, over stream: PeerStream, _ request: @Sendable () async throws -> Void
  ) async throws -> AskOutcome {
    let events = trustService.events()
    try await request()
    return try await withThrowingTaskGroup(of: AskOutcome?.self) { group in
      group.addTask {
        let failure = await stream.waitUntilEnded()
        guard case .stanza? = failure else { return nil }
        throw MeshError(failure ?? .cancelled, device: device, lastSeen: nil)
      }
      group.addTask {
        for await event in events {
          switch event {
          case .befriended(let friend)? where friend.id == id: return .friends(friend)
          case .confirmed(let friend)? where friend.id == id: return .friends(friend)
          case .declined(let node)? where node.id == id: return .declined
          case .renounced(let friend)? where friend.id == id: return .declined
          default: continue
          }
        }
        return nil
      }
      group.addTask {
        try? await Task.sleep(for: MeshLimits.friendship)
        return nil
      }
      defer { group.cancelAll() }
      let outcome = try await group.next() ?? nil
      return outcome ?? .waiting
    }
  }

  func heard(_ event: TrustEvent?) {
    switch event {
    // Its devices are its own from now on.
    case .befriended(let friend)?: gatekeeper.befriended(friend.id)
    // So that its owner sees it as well: there this node is a stranger like others, until it asks as a friend does.
    case .renounced(let friend)?: gatekeeper.askWhetherFriends(friend.id)
    default: break
    }
  }

  // MARK: Words to nodes that have no stream here

  /// Carries to other nodes what there is to say, until cancelled.
  func deliverOutbox() async {
    await withTaskGroup(of: Void.self) { group in
      var underWay = 0
      for await message in gatekeeper.outbox {
        if underWay == MeshLimits.outboxDialsAtOnce {
          await group.next()
          underWay -= 1
        }
        underWay += 1
        group.addTask { await self.run(message) }
      }
      group.cancelAll()
    }
  }

  /// What cannot be said is lost: whoever waits for it is reminded when it can be reached.
  private func run(_ message: Gatekeeper.OutboxMessage) async {
    // Anyone can announce another's id: its own devices come first.
    let book = trustService.current
    let own = Set(
      (book.friend(message.id)?.devices ?? []) + book.asked.filter { $0.id == message.id }.compactMap(\.jid))
    let announced = devices().filter { $0.node == message.id && $0.state == .online }.map(\.jid)
    let devices = announced.filter(own.contains) + announced.filter { !own.contains($0) }
    for device in devices.prefix(MeshLimits.outboxDials) {
      guard let route = try? directory.route(to: device) else { continue }
      if await say(message, along: route) { return }
    }
    gatekeeper.undelivered(message.id)
  }

  /// False where the device does not hear it, or is not that node's.
  private func say(_ message: Gatekeeper.OutboxMessage, along route: Route) async -> Bool {
    guard let open = await stream(to: message.id, along: route) else { return false }
    switch message.content {
    case .friendship(let friendship): open.stream.tell(friendship.stanza(from: nil, to: nil))
    case .account: gatekeeper.tellAccount(to: message.id)
    case .element(let element): open.stream.tell(Stanza(.iq, type: "set", [element]))
    case .report: return await asks(message.id, along: route, over: open)
    }
    return true
  }

  /// Who ends a friendship says so, and ends the stream behind it: what is asked at that word may come into a stream that is
  /// ending, which is no answer. So it is asked once more, over another.
  private func asks(_ id: NodeID, along route: Route, over open: OpenStream) async -> Bool {
    let outcome = try? await report(of: route.jid, over: open)
    if case .told? = outcome { return true }
    guard !open.stream.isOpen else { return outcome != nil }
    guard let other = await stream(to: id, along: route) else { return false }
    return (try? await report(of: route.jid, over: other)) != nil
  }

  /// nil where the device cannot be reached, or is not that node's.
  private func stream(to id: NodeID, along route: Route) async -> OpenStream? {
    guard let open = try? await dialer.liveStream(along: route), open.nodeID == id else { return nil }
    return open
  }

  /// Whenever a node appears that this one has asked for friendship, or that knows it by a former key, says so again; and asks
  /// whether it is a friend again, where it was none any more.
  func remind() async {
    for await device in deviceChanges() {
      guard let id = device.node, !device.isLocal else { continue }
      guard device.state == .online else {
        if !devices().contains(where: { $0.node == id && $0.state == .online }) { gatekeeper.undelivered(id) }
        continue
      }
      gatekeeper.announceAccount(to: id)
      let (isRenounced, expectsWord) = (trustService.isRenounced(id), trustService.expectsWord(of: id))
      guard isRenounced || expectsWord, gatekeeper.mayRemind(id) else { continue }
      if isRenounced { gatekeeper.askWhetherFriends(id) }
      if expectsWord { await trustService.remind(id) }
    }
  }
}
