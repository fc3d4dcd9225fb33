package import Mesh
package import NIOCore
import NIOPosix
import Streams
import Synchronization
package import Trust
import XML
package import XMPP

/// A server of one domain in memory, whose accounts see each other's presence: IQs go from resource to resource, in order.
package final class MemoryServer: Sendable {
  private let accounts = Mutex<[JID: MemoryAccount]>([:])
  /// What passed between resources, as text.
  private let traffic = Mutex<[Stanza]>([])

  package init() {}

  package var passed: [Stanza] { traffic.withLock { $0 } }

  /// - Parameters:
  ///   - node: the id that its presence tells; nil: none.
  ///   - contacts: bare.
  ///   - direct: where contacts may be told that it is.
  package func account(
    _ jid: String, node: NodeID?, contacts: Set<JID> = [], direct: SocketAddress? = nil
  ) -> MemoryAccount {
    MemoryAccount(JID(jid)!, node, contacts, direct, at: self)
  }

  fileprivate func joined(_ account: MemoryAccount) {
    let others = accounts.withLock { accounts in
      let others = Array(accounts.values)
      accounts[account.jid] = account
      return others
    }
    for other in others {
      other.tell(event: .presence(account.presence()))
      account.tell(event: .presence(other.presence()))
    }
  }

  fileprivate func left(_ account: MemoryAccount) {
    let others = accounts.withLock { accounts in
      guard accounts.removeValue(forKey: account.jid) != nil else { return [MemoryAccount]() }
      return Array(accounts.values)
    }
    for other in others { other.tell(event: .presence(account.presence("unavailable"))) }
  }

  /// False where nobody is there.
  fileprivate func pass(_ stanza: Stanza) -> Bool {
    traffic.withLock { $0.append(stanza) }
    guard let to = stanza.to, let account = accounts.withLock({ $0[to] }) else { return false }
    account.received(stanza)
    return true
  }
}

/// A resource of an account.
package final class MemoryAccount: AccountConnection {
  private typealias Waiter = @Sendable (Result<Stanza, any Error>) -> Void

  private struct State {
    var last = 0
    var pending: [String: Waiter] = [:]
    var isOnline = false
  }

  package let jid: JID
  package let events: AsyncStream<AccountEvent>
  private let continuation: AsyncStream<AccountEvent>.Continuation
  private let node: NodeID?
  private let server: MemoryServer
  private let state = Mutex(State())
  private let admitted = Mutex<@Sendable (Stanza) -> Bool>({ _ in false })
  private let contacts: Set<JID>
  private let direct: SocketAddress?

  fileprivate init(
    _ jid: JID, _ node: NodeID?, _ contacts: Set<JID>, _ direct: SocketAddress?, at server: MemoryServer
  ) {
    (self.jid, self.node, self.contacts, self.direct, self.server) = (jid, node, contacts, direct, server)
    (events, continuation) = AsyncStream.makeStream()
  }

  package var address: JID { jid.bare }

  package var eventLoop: any EventLoop { MultiThreadedEventLoopGroup.singleton.any() }

  package func follow(_ contacts: Set<JID>) {}

  package func admit(_ isAdmitted: @escaping @Sendable (Stanza) -> Bool) { admitted.withLock { $0 = isAdmitted } }

  package func isContact(_ jid: JID) -> Bool { contacts.contains(jid.bare) }

  package func directAddress(for jid: JID) -> SocketAddress? { isContact(jid) ? direct : nil }

  package func run() async {
    logIn()
    for await _ in AsyncStream<Never>.makeStream().stream {}
    logOut()
  }

  package func logIn() {
    state.withLock { $0.isOnline = true }
    tell(event: .online(jid, isResumed: false))
    server.joined(self)
  }

  /// What waits for an answer has failed.
  package func logOut() {
    server.left(self)
    let waiters = state.withLock { state in
      state.isOnline = false
      defer { state.pending = [:] }
      return Array(state.pending.values)
    }
    for waiter in waiters { waiter(.failure(AccountFailure.offline)) }
    tell(event: .offline(reason: "logged out"))
  }

  package func request(_ iq: Stanza, within patience: Duration) async throws -> Stanza {
    try await withCheckedThrowingContinuation { continuation in
      request(iq, within: patience) { continuation.resume(with: $0) }
    }
  }

  package func request(
    _ iq: Stanza, within patience: Duration, answered: @escaping @Sendable (Result<Stanza, any Error>) -> Void
  ) {
    var iq = iq
    iq.from = jid
    let id = state.withLock { state -> String? in
      guard state.isOnline else { return nil }
      state.last += 1
      state.pending["\(state.last)"] = answered
      return "\(state.last)"
    }
    guard let id else { return answered(.failure(AccountFailure.offline)) }
    iq.id = id
    if !server.pass(iq) { received(iq.error(StanzaError(.serviceUnavailable))) }
  }

  package func send(_ stanza: Stanza) async throws { tell(stanza) }

  package func tell(_ stanza: Stanza) {
    var stanza = stanza
    stanza.from = jid
    _ = server.pass(stanza)
  }

  fileprivate func received(_ stanza: Stanza) {
    let isRouted = stanza.id?.hasPrefix(RoutedConnection.idPrefix) == true
    guard stanza.isAnswer, !isRouted, let id = stanza.id else { return tell(event: .stanza(stanza)) }
    guard let waiter = state.withLock({ $0.pending.removeValue(forKey: id) }) else { return }
    waiter(stanza.error.map { .failure($0) } ?? .success(stanza))
  }

  fileprivate func tell(event: AccountEvent) { continuation.yield(event) }

  fileprivate func presence(_ type: String? = nil) -> Stanza {
    let link = type == nil ? node : nil
    return Stanza(
      .presence, from: jid, type: type,
      link.map { [Element("link", namespace: Namespace.link, ["node": $0.description])] } ?? [])
  }
}
