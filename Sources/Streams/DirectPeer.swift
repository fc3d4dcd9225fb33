import Bytestreams
import Codecs
import DequeModule
import EventLoops
import Logging
import NIOCore
import NIOPosix
import TLS
import Trust
import XMPP

/// A candidate of the peer's that may be connected to, and where that is.
struct ReachableCandidate: Equatable {
  let id: String
  let address: SocketAddress
}

/// Where the other end of a stream is, for connections beside it.
private enum PeerPlace {
  /// On the link: its host is where its stream comes from, or goes to, or where this node has found it, and nowhere else. Whatever is at
  /// another one, or at another port of a host that was dialled, is not connected to.
  case link(SocketAddress, port: Int?, others: () -> [SocketAddress])
  /// Where it says by itself, over a server; this side's connection to that has this address.
  case server(own: SocketAddress)
}

/// The other end of a stream, as far as bodies go beside it: where it is, which key it has, and which connections are being made.
///
/// Lives on the stream's event loop. There is one where both sides have shown their keys, and where neither has TLS: beside a stream that
/// is encrypted nothing goes in the clear. Where a server routes what passes, there is one if the owner wants that.
///
/// More than eight properties: what each side is known by, and the connections that are being made.
final class DirectPeer {
  private weak var stream: PeerStream?
  private let connections: DataConnections
  private let security: StreamSecurity
  private let peer: DataConnections.Peer
  /// DER SubjectPublicKeyInfo; nil where there is no TLS.
  private let key: [UInt8]?
  /// Of the stream.
  private let tls: TLSHandler?
  private let isKnown: Bool
  /// A stranger who came in makes this node dial nobody.
  private let mayConnect: Bool
  private let place: PeerPlace
  /// Of this side: as the stream's own connection has it, or that to the server, and those of the same interface.
  private let hosts: [String]
  private let names: (local: String, remote: String)
  private let eventLoop: any EventLoop
  private let logger: Logger
  /// Connections that are being made.
  private var connecting = 0
  /// Those that wait for one of them.
  private var waiting = Deque<() -> Void>()

  /// nil where bodies cannot go beside the stream.
  init?(
    _ stream: PeerStream, _ setting: StreamSetting, _ identity: PeerIdentity, _ attributes: StreamAttributes,
    isKnown: Bool, between local: SocketAddress?, and remote: SocketAddress?, under tls: TLSHandler?
  ) {
    let id: NodeID?
    switch identity.proof {
    case .tls(let node, let spki): (id, key) = (node, spki)
    case .none: (id, key) = (nil, nil)
    case .encrypted, .server: return nil
    }
    guard let security = setting.host.security, let remote, let remoteHost = remote.host, let host = local?.host,
      let name = attributes.remote
    else { return nil }
    self.stream = stream
    self.security = security
    self.tls = tls
    self.isKnown = isKnown
    mayConnect = isKnown || identity.isDialled
    // Other programs listen for such connections at ports of their own.
    place = .link(remote, port: identity.isDialled && key != nil ? remote.port : nil) {
      setting.addresses ?? setting.host.addresses(identity)
    }
    hosts = LocalAddresses.besides(host, (try? System.enumerateDevices()) ?? [])
    connections = setting.host.dataConnections
    peer = DataConnections.Peer(id: id, host: remoteHost)
    names = (attributes.local.text, name.text)
    eventLoop = stream.eventLoop
    logger = setting.logger
  }

  /// Of a stream whose stanzas a server routes. nil where this node takes no connections, or its address has no host.
  ///
  /// - Parameter end: this side.
  init?(_ stream: PeerStream, _ setting: StreamSetting, _ end: RoutedEnd, to remote: JID) {
    guard let security = setting.host.security, let host = end.address.host else { return nil }
    self.stream = stream
    self.security = security
    (key, tls, isKnown, mayConnect) = (nil, nil, false, true)
    place = .server(own: end.address)
    let all = LocalAddresses.besides(host, (try? System.enumerateDevices()) ?? [])
    hosts = all.filter { !(IPAddress.bytes($0).map(IPAddress.isLinkLocal) ?? true) }
    connections = setting.host.dataConnections
    peer = DataConnections.Peer(id: nil, host: remote.bare.text)
    names = (end.jid.text, remote.text)
    eventLoop = stream.eventLoop
    logger = setting.logger
  }

  // MARK: What may be done

  /// Bodies go by TLS between the two keys.
  var isSecure: Bool { key != nil }

  /// nil while bodies are to go in-band.
  var offer: S5BOffer? {
    guard isSecure, let port = connections.port, connections.mayBegin(peer, now: eventLoop.now) else { return nil }
    return S5BOffer(hosts: hosts, port: port, local: names.local, remote: names.remote)
  }

  /// This side's addresses, for a session that the other side began; without a place there are none.
  func transport(sid: String, _ place: DataConnections.Place?) -> S5BTransport {
    let offer = S5BOffer(
      hosts: place == nil ? [] : hosts, port: connections.port ?? 0, local: names.local, remote: names.remote)
    return offer.transport(sid: sid, isInitiator: false)
  }

  /// Where this side can be reached by who has no TLS either.
  func plainTransport(sid: String) -> S5BTransport {
    S5BOffer(hosts: hosts, port: connections.port ?? 0, local: names.local, remote: names.remote)
      .transport(sid: sid, isInitiator: true)
  }

  /// What to ask such a peer's addresses for, where it does not say.
  func destination(sid: String) -> String {
    S5BTransport.destination(sid: sid, offerer: names.remote, other: names.local)
  }

  /// Whether this side can be reached, and has room.
  var mayBeReached: Bool { connections.port != nil && connections.mayBegin(peer, now: eventLoop.now) }

  /// nil where there are too many.
  func reserve(isOwn: Bool) -> DataConnections.Place? {
    connections.port.flatMap { _ in connections.reserve(peer, isOwn: isOwn) }
  }

  /// Those of the candidates that may be connected to.
  func reachable(_ candidates: [S5BCandidate]) -> [ReachableCandidate] {
    guard mayConnect else { return [] }
    switch place {
    case .link(let remote, let port, let others):
      // Mostly there is none but the stream's.
      let known = candidates.allSatisfy { IPAddress.bytes($0.host) == remote.bytes } ? [] : others()
      return Self.reachable(candidates, at: [remote] + known, port: port)
    case .server(let own):
      return Self.reachable(candidates, from: own, (try? System.enumerateDevices()) ?? [])
    }
  }

  static func reachable(
    _ candidates: [S5BCandidate], at known: [SocketAddress], port: Int?
  ) -> [ReachableCandidate] {
    candidates.compactMap { candidate in
      guard let host = IPAddress.bytes(candidate.host), var address = known.first(where: { $0.bytes == host }),
        port.map({ $0 == candidate.port }) ?? (candidate.port >= Limits.lowestDataPort)
      else { return nil }
      // With the scope that it is known by.
      address.port = candidate.port
      return ReachableCandidate(id: candidate.id, address: address)
    }
  }

  /// Of what a peer on a server says, whatever can be one host that is not this machine: loopback and own addresses only where the
  /// server is on this machine too. No ports below `Limits.lowestDataPort`, and no addresses that mean nothing on another link.
  static func reachable(
    _ candidates: [S5BCandidate], from own: SocketAddress, _ devices: [NIONetworkDevice]
  ) -> [ReachableCandidate] {
    let (local, isHere) = (LocalAddresses(devices), own.bytes.map(IPAddress.isLoopback) ?? false)
    return candidates.compactMap { candidate in
      guard candidate.port >= Limits.lowestDataPort, let host = IPAddress.bytes(candidate.host),
        !IPAddress.isLinkLocal(host), local.refusal(of: host, isHere: isHere) == nil,
        let address = try? SocketAddress(ipAddress: candidate.host, port: candidate.port)
      else { return nil }
      return ReachableCandidate(id: candidate.id, address: address)
    }
  }

  // MARK: Connections

  private func proof(for destination: String) -> DataProof? {
    key.map { DataProof(key: $0, shared: tls?.sharedKey(for: destination)) }
  }

  /// The peer may connect by this name, for as long as the place is held.
  func expect(_ destination: String, for id: TransferID, _ place: DataConnections.Place) {
    place.expect(
      destination,
      DataConnections.Expectation(proof: proof(for: destination), isKnown: isKnown) { [weak stream] connection in
        guard let stream else { return connection.close() }
        stream.dataConnected(id, .success(connection), isOwn: false)
      })
  }

  /// Connects to one of these, by that name; the stream is told what came of it.
  func connect(to candidates: [ReachableCandidate], _ destination: String, for id: TransferID) {
    waiting.append { [weak self] in self?.connectNow(to: candidates, destination, id) }
    connectNext()
  }

  private func connectNext() {
    while connecting < Limits.dataConnecting, let next = waiting.popFirst() {
      connecting += 1
      next()
    }
  }

  private func connectNow(to candidates: [ReachableCandidate], _ destination: String, _ id: TransferID) {
    let ready = eventLoop.makePromise(of: DataConnection.self)
    let (tls, proof) = (security.client, proof(for: destination))
    ClientBootstrap(group: eventLoop)
      .resolver(AddressList(inOrder: candidates.map(\.address), eventLoop: eventLoop))
      .connectTimeout(BytestreamLimits.connecting)
      .streamOptions()
      .connect(host: peer.host, port: 0)
      .assumeIsolated()
      .whenComplete { result in
        do {
          let channel = try result.get()
          let handler = SOCKS5ClientHandler(destination: destination) { context in
            try (proof.map { try DataHandler.secure(context, tls, $0) } ?? DataHandler.plain(context)).cascade(
              to: ready)
          } failed: {
            ready.fail($0)
          }
          try channel.pipeline.syncOperations.addHandler(handler)
          let timer = channel.eventLoop.scheduleTask(in: Timeouts.dataHandshake) { channel.close(promise: nil) }
          ready.futureResult.whenComplete { _ in timer.cancel() }
        } catch {
          ready.fail(error)
        }
      }
    ready.futureResult.assumeIsolated().whenComplete { [weak self, logger] result in
      if case .failure(let error) = result {
        logger.debug("no connection beside the stream", metadata: ["why": "\(error)"])
      }
      guard let self, let stream else {
        if case .success(let connection) = result { connection.close() }
        return
      }
      stream.dataConnected(id, result, isOwn: true)
      connecting -= 1
      connectNext()
    }
  }

  /// The events of this connection are the transfer's.
  func start(_ connection: DataConnection, for id: TransferID) {
    guard let stream else { return connection.close() }
    connection.start { [weak stream] in stream?.dataCame(id, $0) }
  }

  func write(_ bytes: ByteBuffer, to connection: DataConnection, for id: TransferID) {
    guard let stream else { return }
    let count = bytes.readableBytes
    connection.write(bytes) { isSent in if isSent { stream.dataSent(id, count) } }
  }

  /// Something is due then.
  func wake(at deadline: NIODeadline) {
    eventLoop.assumeIsolated().scheduleTask(deadline: deadline) { [weak stream] in stream?.expireTransfers() }
  }

  // MARK: What became of it

  /// A body goes beside the stream.
  func went(_ file: SIFile, isShared: Bool) {
    connections.went(isShared: isShared)
    logger.debug("body goes beside the stream", metadata: Self.metadata(file))
  }

  /// A body goes in-band, since no connection came about.
  func failed(_ file: SIFile, wasTried: Bool) {
    connections.failed(peer, isToBeRemembered: wasTried, now: eventLoop.now)
    logger.debug("body goes in-band: there is no way beside the stream", metadata: Self.metadata(file))
  }

  private static func metadata(_ file: SIFile) -> Logger.Metadata {
    ["file": "\(file.name)", "bytes": "\(file.size ?? 0)"]
  }
}
