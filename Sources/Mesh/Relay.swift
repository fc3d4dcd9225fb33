import Bytestreams
import Codecs
import LinkLocal
import Logging
import NIOCore
import NIOPosix
import Streams
import Synchronization
import TLS
import XML
import XMPP

/// Bytestreams to and from other resources over an account: SOCKS5 by a proxy that the server offers (XEP-0065), which it does not slow
/// down, else in-band (XEP-0047). Raw connections; who is at the other end comes out inside of them.
final class Relay: Sendable {
  private struct Key: Hashable {
    let peer: JID
    let sid: String
  }

  /// Whether a resource may open connections, and as whom.
  enum Admission {
    case friend
    /// Who may have the token of an invite: in-band only, so that it learns no address.
    case guest
    case refused
  }

  private struct State {
    var inBand: [Key: InBandConnection] = [:]
    /// Connections that others have opened, of each account, whoever has its password.
    var incoming: [JID: Int] = [:]
    /// Those of guests among them.
    var guests = 0
    var all: [ObjectIdentifier: any Channel] = [:]
    /// What the server offers; nil where it was not asked, and inside of that where it offers none.
    var proxy: S5BCandidate??
  }

  private let state = Mutex(State())
  private let logger: Logger

  init(logger: Logger) { self.logger = logger }

  /// Of an account that is offline nothing is left.
  func endAll() {
    let channels = state.withLock { state in
      defer { state = State(incoming: state.incoming, guests: state.guests) }
      return Array(state.all.values)
    }
    for channel in channels { channel.close(promise: nil) }
  }

  var knownProxy: String? {
    state.withLock { $0.proxy }.flatMap { $0 }.map { "\($0.host):\($0.port)" }
  }

  /// Whether a connection in-band to or from there is open.
  func isOpen(to peer: JID) -> Bool { state.withLock { $0.inBand.keys.contains { $0.peer == peer } } }

  /// Whether it belongs to such a connection.
  func concerns(_ stanza: Stanza) -> Bool {
    guard let peer = stanza.from, let payload = stanza.payload, payload.namespace == Namespace.ibb,
      let sid = payload["sid"]
    else { return false }
    return state.withLock { $0.inBand[Key(peer: peer, sid: sid)] != nil }
  }

  // MARK: To others

  /// - Throws: `StreamFailure.closed` where there is no way; `CancellationError`.
  func connect(
    to peer: JID, from own: JID, over account: any AccountConnection, on eventLoop: any EventLoop
  ) async throws -> any Channel {
    let sid = SecureRandom.bytes(8).map { String($0, radix: 36) }.joined()
    if let proxy = await proxy(of: account) {
      do {
        let channel = try await connect(to: peer, from: own, by: proxy, sid, over: account, on: eventLoop)
        keep(channel)
        return channel
      } catch is CancellationError {
        throw CancellationError()
      } catch {
        logger.info(
          "no connection by the server's proxy: in-band",
          metadata: ["proxy": "\(proxy.jid)", "peer": "\(peer)", "why": "\(error)"])
      }
    }
    do {
      let connection = try await inBand(Key(peer: peer, sid: sid), InBandConnection.blockSize, account, on: eventLoop)
      let open = IBBElement.open(IBBOpen(sid: sid, blockSize: InBandConnection.blockSize))
      do {
        _ = try await Self.ask(account, "set", open.element, of: peer)
      } catch {
        connection.channel.close(promise: nil)
        throw error
      }
      return connection.channel
    } catch is CancellationError {
      throw CancellationError()
    } catch {
      throw StreamFailure.closed("it takes no connection over its account: \(Self.words(error)).")
    }
  }

  /// The payload of the answer.
  private static func ask(
    _ account: any AccountConnection, _ type: String, _ payload: Element, of peer: JID?
  ) async throws -> Element? {
    try await account.request(Stanza(.iq, to: peer, type: type, [payload]), within: MeshLimits.relaying).payload
  }

  private static func words(_ error: any Error) -> String {
    switch error {
    case let error as StanzaError: error.text ?? error.condition.rawValue
    case AccountFailure.offline: "this node's own account is offline"
    case AccountFailure.timedOut: "no answer came in time"
    default: "\(error)"
    }
  }

  private func connect(
    to peer: JID, from own: JID, by proxy: S5BCandidate, _ sid: String, over account: any AccountConnection,
    on eventLoop: any EventLoop
  ) async throws -> any Channel {
    let transport = S5BTransport(sid: sid, destination: nil, candidates: [proxy])
    guard S5BTransport.used(in: try await Self.ask(account, "set", transport.query, of: peer)) == proxy.jid else {
      throw StanzaError(.itemNotFound, "the peer has not connected to the proxy")
    }
    let channel = try await ProxyConnection.open(
      host: proxy.host, port: proxy.port,
      destination: S5BTransport.destination(sid: sid, offerer: own.text, other: peer.text), eventLoop: eventLoop,
      mayBe: Self.mayBeProxy)
    do {
      let activate = Element("activate", namespace: Namespace.bytestreams, text: peer.text)
      let query = Element("query", namespace: Namespace.bytestreams, ["sid": sid], [activate])
      _ = try await Self.ask(account, "set", query, of: JID(proxy.jid))
      return channel
    } catch {
      channel.close(promise: nil)
      throw error
    }
  }

  /// What the server offers, asked for once a session (XEP-0065 §4).
  private func proxy(of account: any AccountConnection) async -> S5BCandidate? {
    if let known = state.withLock({ $0.proxy }) { return known }
    do {
      let found = try await Self.findProxy(of: account)
      state.withLock { $0.proxy = .some(found) }
      return found
    } catch {
      return nil
    }
  }

  /// - Throws: where the server does not answer.
  private static func findProxy(of account: any AccountConnection) async throws -> S5BCandidate? {
    func ask(_ jid: JID?, _ payload: Element) async throws -> Element? {
      do {
        return try await Self.ask(account, "get", payload, of: jid)
      } catch is StanzaError {
        return nil
      }
    }
    let items = try await ask(
      JID(bare: account.address.domainpart), Element("query", namespace: Namespace.discoItems))
    let services = items?.elements.compactMap { $0["jid"].flatMap { JID($0) } } ?? []
    for service in services.prefix(MeshLimits.serverItems) {
      let info = try await ask(service, Element("query", namespace: Namespace.discoInfo)).flatMap { DiscoInfo($0) }
      guard info?.identities.contains(where: { $0.category == "proxy" && $0.type == "bytestreams" }) == true,
        let hosts = try await ask(service, Element("query", namespace: Namespace.bytestreams)),
        let host = S5BTransport.streamhosts(in: hosts).first
      else { continue }
      return host
    }
    return nil
  }

  // MARK: From others

  /// What an IQ of another resource asks for is answered, here or by what is returned: which gives a connection, where it came about.
  ///
  /// - Parameter admission: of this resource.
  func received(
    _ iq: Stanza, over account: any AccountConnection, on eventLoop: any EventLoop, of admission: Admission
  ) -> (@Sendable () async -> (any Channel)?)? {
    guard let peer = iq.from, let payload = iq.payload, iq.type == "set" else { return refuse(iq, over: account) }
    switch payload.namespace {
    case Namespace.ibb: return received(payload, iq, of: peer, over: account, on: eventLoop, admission)
    // Nobody makes this node connect somewhere who is no friend.
    case Namespace.bytestreams where admission == .friend:
      return { await self.accept(payload, iq, of: peer, over: account, on: eventLoop, admission) }
    default: return refuse(iq, over: account)
    }
  }

  private func refuse(
    _ iq: Stanza, _ error: StanzaError = StanzaError(.serviceUnavailable), over account: any AccountConnection
  ) -> (@Sendable () async -> (any Channel)?)? {
    account.tell(iq.error(error))
    return nil
  }

  private func received(
    _ payload: Element, _ iq: Stanza, of peer: JID, over account: any AccountConnection, on eventLoop: any EventLoop,
    _ admission: Admission
  ) -> (@Sendable () async -> (any Channel)?)? {
    do {
      switch try IBBElement(payload) {
      case .open(let open):
        guard admission != .refused else { return refuse(iq, over: account) }
        guard open.carrier == .iq else { return refuse(iq, StanzaError(.featureNotImplemented), over: account) }
        return { await self.accept(open, iq, of: peer, over: account, on: eventLoop, admission) }
      case .data(let block):
        guard let connection = state.withLock({ $0.inBand[Key(peer: peer, sid: block.sid)] }) else {
          return refuse(iq, StanzaError(.itemNotFound, "there is no such bytestream"), over: account)
        }
        connection.received(block) { error in account.tell(error.map { iq.error($0) } ?? iq.result()) }
      case .close(let sid):
        state.withLock { $0.inBand.removeValue(forKey: Key(peer: peer, sid: sid)) }?.ended()
        account.tell(iq.result())
      case nil: return refuse(iq, over: account)
      }
      return nil
    } catch {
      return refuse(iq, error.error, over: account)
    }
  }

  private func accept(
    _ open: IBBOpen, _ iq: Stanza, of peer: JID, over account: any AccountConnection, on eventLoop: any EventLoop,
    _ admission: Admission
  ) async -> (any Channel)? {
    let key = Key(peer: peer, sid: open.sid)
    guard state.withLock({ $0.inBand[key] == nil }), admit(peer, admission) else {
      account.tell(iq.error(StanzaError(.resourceConstraint, "too many connections from there")))
      return nil
    }
    do {
      let connection = try await inBand(key, min(open.blockSize, InBandConnection.blockSize), account, on: eventLoop)
      connection.channel.closeFuture.whenComplete { _ in self.release(peer, admission) }
      // A larger block than this side sends is taken, too, as long as it is as small as was said.
      account.tell(iq.result())
      return connection.channel
    } catch {
      release(peer, admission)
      account.tell(iq.error(StanzaError(.resourceConstraint)))
      return nil
    }
  }

  private func accept(
    _ query: Element, _ iq: Stanza, of peer: JID, over account: any AccountConnection, on eventLoop: any EventLoop,
    _ admission: Admission
  ) async -> (any Channel)? {
    guard let own = iq.to, admit(peer, admission) else {
      account.tell(iq.error(StanzaError(.resourceConstraint, "too many connections from there")))
      return nil
    }
    do {
      let transport = try S5BTransport(query: query)
      let destination = S5BTransport.destination(sid: transport.sid, offerer: peer.text, other: own.text)
      for host in transport.candidates.prefix(MeshLimits.streamhosts) {
        guard
          let channel = try? await ProxyConnection.open(
            host: host.host, port: host.port, destination: destination, eventLoop: eventLoop, mayBe: Self.mayBeProxy)
        else { continue }
        channel.closeFuture.whenComplete { _ in self.release(peer, admission) }
        keep(channel)
        account.tell(iq.result(transport.used(host.jid)))
        return channel
      }
      account.tell(iq.error(S5BTransport.unreachable))
    } catch {
      account.tell(iq.error(error))
    }
    release(peer, admission)
    return nil
  }

  /// A proxy is on another machine than this one, at a port that no service of a system has: nobody shall make this node say anything to
  /// its own services by naming them, nor more than a greeting of SOCKS5 to those of others.
  private static func mayBeProxy(_ address: SocketAddress) -> Bool {
    guard let host = address.host, let port = address.port, let devices = try? System.enumerateDevices() else {
      return false
    }
    let endpoint = Endpoint(address: host, port: port, interface: Interface(index: 0, name: ""))
    return NeighbourAddresses(devices).refusal(of: endpoint, isFriends: false) == nil
  }

  // MARK: What there is

  private func inBand(
    _ key: Key, _ blockSize: Int, _ account: any AccountConnection, on eventLoop: any EventLoop
  ) async throws -> InBandConnection {
    let connection = try await InBandConnection.make(sid: key.sid, blockSize: blockSize, eventLoop: eventLoop) {
      element, answered in
      account.request(Stanza(.iq, to: key.peer, type: "set", [element.element]), within: MeshLimits.relayedBlock) {
        result in
        if case .success = result { answered(true) } else { answered(false) }
      }
    }
    state.withLock { $0.inBand[key] = connection }
    keep(connection.channel)
    connection.channel.closeFuture.whenComplete { _ in
      self.state.withLock { $0.inBand[key] = nil }
    }
    return connection
  }

  private func keep(_ channel: any Channel) {
    let id = ObjectIdentifier(channel)
    state.withLock { $0.all[id] = channel }
    channel.closeFuture.whenComplete { _ in self.state.withLock { $0.all[id] = nil } }
  }

  private func admit(_ peer: JID, _ admission: Admission) -> Bool {
    state.withLock { state in
      guard state.incoming.values.reduce(0, +) < MeshLimits.relays,
        state.incoming[peer.bare, default: 0] < MeshLimits.relaysOfAccount,
        admission == .friend || state.guests < MeshLimits.guestRelays
      else { return false }
      if admission == .guest { state.guests += 1 }
      state.incoming[peer.bare, default: 0] += 1
      return true
    }
  }

  private func release(_ peer: JID, _ admission: Admission) {
    state.withLock { state in
      if admission == .guest { state.guests -= 1 }
      let left = state.incoming[peer.bare, default: 1] - 1
      state.incoming[peer.bare] = left > 0 ? left : nil
    }
  }
}
