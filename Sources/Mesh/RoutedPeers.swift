import NIOCore
import Streams
import Synchronization
import XML
import XMPP

/// Peers at other addresses of XMPP servers that are no friends' nodes (XEP-0332 over RFC 6120): the server says who they are, and reads what
/// passes. Each has a stream for each address of this node that it speaks with.
///
/// Of one way to servers: an account or a component.
final class RoutedPeers: Sendable {
  private struct Key: Hashable {
    let own: JID
    let peer: JID
  }

  /// A connection, and the address of this node that its stanzas come from.
  struct Opened: Sendable {
    fileprivate let connection: RoutedConnection
    fileprivate let own: JID
  }

  private struct Entry {
    let connection: RoutedConnection
    let stream: EventLoopPromise<PeerStream>
  }

  private struct State {
    var entries: [Key: Entry] = [:]
    /// Where contacts are online, with the priorities of their clients (RFC 6121 §4.7.2.3).
    var resources: [JID: [JID: Int]] = [:]
    var count = 0
  }

  private let state = Mutex(State())
  /// For the `run` of now.
  private let opened = Mutex<AsyncStream<Opened>.Continuation?>(nil)

  /// What opens from now on, for one `run`.
  func connections() -> AsyncStream<Opened> {
    let (stream, continuation) = AsyncStream<Opened>.makeStream()
    opened.withLock { $0 = continuation }
    return stream
  }

  /// Sends what the streams say, until cancelled.
  func run(_ connections: AsyncStream<Opened>, over account: any AccountConnection) async {
    await withDiscardingTaskGroup { group in
      for await opened in connections {
        group.addTask {
          await opened.connection.run { stanza in
            var stanza = stanza
            stanza.from = opened.own
            try await account.send(stanza)
          }
        }
      }
      group.cancelAll()
    }
  }

  /// Nothing can be sent any more.
  func endAll() {
    let entries = state.withLock { state in
      defer { (state.entries, state.resources, state.count) = ([:], [:], 0) }
      return Array(state.entries.values)
    }
    for entry in entries { entry.connection.end() }
  }

  /// Whether a stream to or from there is open, or being opened.
  func isOpen(to peer: JID) -> Bool { state.withLock { $0.entries.keys.contains { $0.peer == peer } } }

  // MARK: What comes

  /// Whether a stream takes this stanza.
  func received(_ stanza: Stanza, at own: JID) -> Bool {
    guard let peer = stanza.from else { return false }
    let entry = state.withLock { $0.entries[Key(own: own, peer: peer)] }
    entry?.connection.received(stanza)
    return entry != nil
  }

  /// A request from where no stream is yet, or one that is being opened: what is returned lives with a new one. It is refused where there are too
  /// many.
  ///
  /// - Parameter device: who answers.
  func accept(
    _ request: Stanza, at own: JID, for device: JID, over account: any AccountConnection, _ dialer: Dialer
  ) -> (@Sendable () async -> Void)? {
    guard let peer = request.from else { return nil }
    let key = Key(own: own, peer: peer)
    guard let (entry, isNew) = entry(key, on: account.eventLoop) else {
      account.tell(request.error(StanzaError(.resourceConstraint, "too many streams from there")))
      return nil
    }
    entry.connection.received(request)
    guard isNew else { return nil }
    return {
      if let stream = try? await self.open(entry, key, as: device, over: account, dialer.setup) {
        await dialer.run(stream)
      }
    }
  }

  private func entry(_ key: Key, on eventLoop: any EventLoop) -> (Entry, isNew: Bool)? {
    return state.withLock { state in
      if let entry = state.entries[key] { return (entry, false) }
      let ofAccount = state.entries.keys.count { $0.peer.bare == key.peer.bare }
      guard state.entries.count < MeshLimits.routed, ofAccount < MeshLimits.routedOfAccount else { return nil }
      let entry = Entry(
        connection: RoutedConnection(to: key.peer, eventLoop: eventLoop), stream: eventLoop.makePromise())
      state.entries[key] = entry
      return (entry, true)
    }
  }

  private func open(
    _ entry: Entry, _ key: Key, as device: JID, over account: any AccountConnection, _ setup: StreamSetup
  ) async throws -> PeerStream {
    do {
      _ = opened.withLock { $0 }?.yield(Opened(connection: entry.connection, own: key.own))
      let channel = try await entry.connection.open()
      channel.closeFuture.whenComplete { _ in self.remove(entry, key) }
      let direct = account.directAddress(for: key.peer).map { RoutedEnd(jid: key.own, address: $0) }
      let stream = try await PeerStream.routed(
        on: channel, from: device, to: key.peer, direct: direct, host: setup.host, logger: setup.logger)
      entry.stream.succeed(stream)
      return stream
    } catch {
      remove(entry, key)
      entry.stream.fail(error)
      throw error
    }
  }

  private func remove(_ entry: Entry, _ key: Key) {
    entry.connection.end()
    state.withLock { state in
      if state.entries[key]?.connection === entry.connection { state.entries[key] = nil }
    }
  }

  /// A client of a contact's comes or goes.
  func received(_ presence: Stanza) {
    guard let jid = presence.from, jid.resource != nil else { return }
    let gone = state.withLock { state -> [Entry] in
      if presence.type == nil {
        let known = state.resources[jid.bare, default: [:]]
        guard known[jid] != nil || known.count < MeshLimits.clients && state.count < MeshLimits.places else {
          return []
        }
        if known[jid] == nil { state.count += 1 }
        let priority = presence.first("priority", Namespace.client).flatMap { Int($0.text) }
        state.resources[jid.bare, default: [:]][jid] = priority ?? 0
        return []
      }
      if state.resources[jid.bare]?.removeValue(forKey: jid) != nil { state.count -= 1 }
      if state.resources[jid.bare]?.isEmpty == true { state.resources[jid.bare] = nil }
      return state.entries.filter { $0.key.peer == jid }.map(\.value)
    }
    for entry in gone { entry.connection.end() }
  }

  // MARK: To others

  /// A stream to the client of this account that answers HTTP.
  ///
  /// - Throws: `MeshError` where there is none; what `PeerStream.routed` throws.
  func stream(
    to jid: JID, at own: JID, as device: JID, over account: any AccountConnection, _ setup: StreamSetup
  ) async throws -> PeerStream {
    let peer = try await client(of: jid, over: account)
    let key = Key(own: own, peer: peer)
    guard let (entry, isNew) = entry(key, on: account.eventLoop) else {
      throw MeshError(.limit, device: jid, message: "Too many streams to servers are open: try again in a moment.")
    }
    if isNew { return try await open(entry, key, as: device, over: account, setup) }
    return try await entry.stream.futureResult.get()
  }

  /// The best client that offers HTTP; where no client of it is seen, the address itself, which may be a component's.
  private func client(of jid: JID, over account: any AccountConnection) async throws -> JID {
    let known = state.withLock { $0.resources[jid.bare] ?? [:] }
    let candidates = known.isEmpty ? [jid.bare] : known.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map(\.key)
    let query = Element("query", namespace: Namespace.discoInfo)
    for candidate in candidates {
      do {
        let answer = try await account.request(
          Stanza(.iq, to: candidate, type: "get", [query]), within: MeshLimits.relaying)
        let info = answer.payload.flatMap { DiscoInfo($0) }
        if info?.features.contains(Namespace.http) == true { return candidate }
      } catch AccountFailure.offline {
        throw MeshError(
          .away, device: jid, message: "“\(jid)” is not on this network, and \(account.address) is offline.")
      } catch is StanzaError {
        continue
      } catch AccountFailure.timedOut {
        continue
      }
    }
    guard known.isEmpty else {
      throw MeshError(.notHTTP, device: jid, message: "“\(jid)” is online, and none of its clients offers HTTP.")
    }
    throw MeshError(
      .notDiscovered, device: jid,
      message: "“\(jid)” is not on this network, and the servers know no client of it that offers HTTP: is it online, "
        + "and a contact of \(account.address)?")
  }
}
