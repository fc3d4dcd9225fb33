import EventLoops
import Bytestreams
import HTTPX
package import Logging
package import NIOCore
import NIOPosix
import Synchronization
package import XMPP

/// One XMPP stream to a peer, over its whole life: queries and requests both ways, and the bodies that belong to them.
///
/// Isolated to the channel's event loop, so that the handler calls it without a hop. `run()` answers the peer's requests
/// and has to run for as long as the stream is to live.
package actor PeerStream {
  nonisolated package let unownedExecutor: UnownedSerialExecutor
  nonisolated let eventLoop: any EventLoop
  nonisolated let logger: Logger
  nonisolated let host: StreamHost
  nonisolated private let openedPromise: EventLoopPromise<Void>
  nonisolated private let endedPromise: EventLoopPromise<Void>
  /// Succeeds once the features have come, or none will.
  nonisolated private let featuresPromise: EventLoopPromise<Void>
  nonisolated private let isUsable = Atomic(true)
  /// Requests of the peer, for `run()` to answer.
  nonisolated private let requests: AsyncStream<ReceivedRequest>
  nonisolated private let requestsContinuation: AsyncStream<ReceivedRequest>.Continuation

  let handler: StreamHandler
  /// Where it came in; nil where we opened it.
  private let place: Admission.Ticket?
  /// Whom we opened it to; nil where it came in.
  private let dialled: JID?
  /// Known once the stream is open.
  package private(set) var identity: StreamIdentity?
  /// Known once the stream is open.
  private(set) var peer: Peer?
  /// Why the stream is over, once it is.
  private(set) var failure: StreamFailure?
  /// Whether a person who wrote has been told that nobody reads it.
  var hasReplied = false
  /// What the peer told of itself unasked.
  private(set) var features: StreamFeatures?
  /// What it answered to disco#info; nil inside where it gave no answer.
  var answeredInfo: DiscoInfo??

  var queries = PendingIQs<Query>()
  var incoming: [TransferID: any IncomingTransfer] = [:]
  var outgoing: [TransferID: any OutgoingTransfer] = [:]
  var earlyOpens = EarlyOpens<EarlyOpen>(capacity: Limits.earlyOpens, bytes: 0, lifetime: Timeouts.announcedBody)
  /// Announced bodies whose reader went away before they came.
  var cancelled = EarlyOpens<Void>(capacity: Limits.cancelledBodies, bytes: 0, lifetime: Timeouts.announcedBody)
  /// Completed when the socket has room again, for those who wait for that.
  var draining: EventLoopPromise<Void>?
  /// Requests of ours that have no answer yet, and of the peer that are being answered.
  var requesting = 0
  var answering = 0
  var isProbing = false
  var lastReceived: NIODeadline
  var lastUsed: NIODeadline
  var timer: (time: NIODeadline, task: Scheduled<Void>)?

  private init(
    _ channel: any Channel, role: StreamMachine.Role, tls: TLSPolicy, host: StreamHost, logger: Logger,
    place: Admission.Ticket?
  ) {
    unownedExecutor = LoopExecutor.of(channel.eventLoop).asUnownedSerialExecutor()
    eventLoop = channel.eventLoop
    self.host = host
    self.logger = logger
    self.place = place
    (requests, requestsContinuation) = AsyncStream.makeStream()
    openedPromise = channel.eventLoop.makePromise()
    endedPromise = channel.eventLoop.makePromise()
    featuresPromise = channel.eventLoop.makePromise()
    dialled = if case .initiator(_, let remote) = role { remote } else { nil }
    handler = StreamHandler(
      role: role, configuration: host.configuration(tls: tls),
      tls: role == .responder ? host.security?.server : host.security?.client)
    lastReceived = channel.eventLoop.now
    lastUsed = channel.eventLoop.now
  }

  /// On a channel that is being set up, on its event loop.
  private static func make(
    on channel: any Channel, role: StreamMachine.Role, tls: TLSPolicy, host: StreamHost, logger: Logger,
    place: Admission.Ticket? = nil
  ) throws -> PeerStream {
    let stream = PeerStream(channel, role: role, tls: tls, host: host, logger: logger, place: place)
    try stream.assumeIsolated { stream in
      stream.handler.stream = stream
      do {
        try channel.pipeline.syncOperations.addHandler(stream.handler)
      } catch {
        // Closed already. Nobody will tell the stream, so it is told here.
        stream.handler.stream = nil
        stream.ended(.lost)
        throw error
      }
    }
    return stream
  }

  /// A stream that comes in, on a channel that is being set up, on its event loop; it wants to be run.
  package static func accepted(
    _ channel: any Channel, host: StreamHost, logger: Logger
  ) throws -> PeerStream {
    try make(on: channel, role: .responder, tls: .preferred, host: host, logger: logger)
  }

  static func accepted(
    _ channel: any Channel, host: StreamHost, logger: Logger, place: Admission.Ticket
  ) throws -> PeerStream {
    try make(on: channel, role: .responder, tls: .preferred, host: host, logger: logger, place: place)
  }

  /// Opens a stream to `remote` at the first of its addresses that accepts (RFC 8305), and waits until it is open.
  ///
  /// - Throws: `NIOConnectionError` or `ChannelError.connectTimeout` where no address accepts, `StreamFailure` where no
  ///   stream comes about, `CancellationError`.
  package static func dial(
    _ addresses: [SocketAddress], from local: JID, to remote: JID, tls: TLSPolicy = .preferred, host: StreamHost,
    eventLoop: any EventLoop, logger: Logger
  ) async throws -> PeerStream {
    // One for each address that is tried.
    let made = Mutex<[ObjectIdentifier: PeerStream]>([:])
    let connecting = ClientBootstrap(group: eventLoop)
      .resolver(AddressList(addresses, eventLoop: eventLoop))
      .connectTimeout(Timeouts.connect)
      .streamOptions()
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          let role = StreamMachine.Role.initiator(local: local, remote: remote)
          let stream = try make(on: channel, role: role, tls: tls, host: host, logger: logger)
          made.withLock { $0[ObjectIdentifier(channel)] = stream }
        }
      }
      .connect(host: remote.text, port: 0)
    do {
      let stream = connecting.flatMapThrowing { channel in
        guard let stream = made.withLock({ $0[ObjectIdentifier(channel)] }) else { throw StreamFailure(.hungUp) }
        return stream
      }
      // It may be over by now, and knows why.
      return try await stream.flatMap { stream in stream.openedPromise.futureResult.map { stream } }.value()
    } catch is CancellationError {
      connecting.whenSuccess { $0.close(promise: nil) }
      throw CancellationError()
    }
  }

  /// False once the stream is closing, or found to be dead.
  nonisolated package var isOpen: Bool { isUsable.load(ordering: .relaxed) }

  /// Answers the peer's requests until the stream has ended; when cancelled, ends it in order (RFC 6120 §4.4).
  nonisolated package func run() async {
    await withTaskCancellationHandler {
      await withDiscardingTaskGroup { group in
        for await request in requests { group.addTask { await self.answer(request) } }
        group.cancelAll()
      }
    } onCancel: {
      close()
    }
    // Comes within the stream machine's deadlines.
    try? await endedPromise.futureResult.get()
  }

  /// Why it ended, once it has; nil where the task is cancelled before.
  nonisolated package func waitUntilEnded() async -> StreamFailure? {
    try? await endedPromise.futureResult.value()
    return await failure
  }

  /// Ends the stream: no new stanzas from here, and the peer has a moment to end its side.
  nonisolated package func close() {
    isUsable.store(false, ordering: .relaxed)
    eventLoop.execute { self.assumeIsolated { $0.handler.close() } }
  }

  /// What is under way on a stream. Nothing is left behind where all is 0.
  package struct Load: Sendable, Hashable {
    /// Requests of the peer that are being answered.
    package var answering = 0
    /// IQs of ours that wait for an answer.
    package var queries = 0
    /// Bodies.
    package var incoming = 0, outgoing = 0
    /// Bytestreams that were opened too early.
    package var earlyOpens = 0

    package init() {}
  }

  package var load: Load {
    var load = Load()
    load.answering = answering
    load.queries = queries.count
    load.incoming = incoming.count
    load.outgoing = outgoing.count
    load.earlyOpens = earlyOpens.count
    return load
  }

  /// The peer is not there any more: whoever waits for it has waited long enough.
  func abandon() {
    isUsable.store(false, ordering: .relaxed)
    handler.abandon(StreamError(.connectionTimeout))
  }

  /// Ends the stream at once: its peer is not wanted any more.
  nonisolated package func terminate() {
    isUsable.store(false, ordering: .relaxed)
    eventLoop.execute { self.assumeIsolated { $0.handler.abandon(StreamError(.notAuthorized, "not any more")) } }
  }

  // MARK: From the handler

  func opened(_ peer: Peer) {
    self.peer = peer
    let identity = identity(as: peer.remote)
    self.identity = identity
    switch host.opened(self, identity) {
    case .known where place?.established(isKnown: true) ?? true: handler.readFully()
    case .stranger where place?.established(isKnown: false) ?? true: break
    case .known, .stranger: return handler.close(StreamError(.resourceConstraint, "too many streams from here"))
    case .refused(let error): return handler.close(error)
    }
    scheduleFeaturesTimeout(peer.version)
    lastReceived = eventLoop.now
    openedPromise.succeed()
    rescheduleTimer()
  }

  func received(_ features: StreamFeatures) {
    self.features = features
    featuresPromise.succeed()
  }

  /// Whether so many bytes may wait for the peer to read them.
  func mayHold(_ bytes: Int) -> Bool { place?.mayHold(bytes) ?? (bytes <= Limits.unsentBytes) }

  private func identity(as jid: JID?) -> StreamIdentity {
    StreamIdentity(
      jid: jid, certificate: handler.certificate, address: handler.remoteAddress, isDialled: dialled != nil)
  }

  func ended(_ end: StreamEnd) {
    if let (name, detail) = end.refusal {
      host.refused(StreamRefusal(identity: identity ?? identity(as: dialled), name: name, detail: detail))
    }
    isUsable.store(false, ordering: .relaxed)
    timer?.task.cancel()
    timer = nil
    let failure = StreamFailure(end)
    self.failure = failure
    openedPromise.fail(failure)
    featuresPromise.succeed()
    for query in queries.failAll() { resolve(query, .failure(failure)) }
    failTransfers(failure)
    requestsContinuation.finish()
    endedPromise.succeed()
  }

  func received(_ stanza: Stanza) {
    lastReceived = eventLoop.now
    switch stanza.kind {
    case .iq: receivedIQ(stanza)
    case .message: receivedMessage(stanza)
    // The link's presence is in the TXT record (XEP-0174 §6); over a stream it is about friendship, or nothing.
    case .presence: if let identity { _ = host.received(stanza, self, identity) }
    }
  }

  /// A peer before XMPP 1.0 sends no features; one that says 1.0 should, and some do not.
  private func scheduleFeaturesTimeout(_ version: StreamHeader.Version?) {
    guard let version, version >= .xmpp1, features == nil else { return featuresPromise.succeed() }
    let settled = featuresPromise
    loop.scheduleTask(in: Timeouts.features) { settled.succeed() }
  }

  /// Waits until the peer has told what it tells unasked.
  nonisolated func awaitFeatures() async throws {
    try await featuresPromise.futureResult.value()
  }

  func enqueue(_ request: ReceivedRequest) {
    requestsContinuation.yield(request)
  }
}
