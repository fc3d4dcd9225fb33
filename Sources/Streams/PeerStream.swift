import Codecs
import Bytestreams
import EventLoops
import HTTPTypes
package import HTTPX
import Logging
import NIOCore
import NIOPosix
import Synchronization
package import Trust
package import XML
package import XMPP

/// One XMPP stream to a peer, over its whole life: queries and requests both ways, and the bodies that belong to them.
///
/// Isolated to the channel's event loop, so that the handler calls it without a hop, and so do the tasks of the requests that
/// it answers. The parts decide: `ExchangeMachine`, `Transfers`, `Liveness`, `PendingIQs`. `run()` has to run for as long as
/// the stream is to live.
///
/// Ten private properties, as those parts meet in it.
package actor PeerStream {
  nonisolated let executor: LoopExecutor
  nonisolated private let life: StreamLife
  nonisolated private let setting: StreamSetting
  private let handler: StreamHandler
  private var exchanges: ExchangeMachine
  private var transfers: Transfers
  private var pending = PendingIQs<IQWaiter>()
  private var liveness: Liveness
  private var answers = AnswersUnderWay()
  /// nil for a friend, who may ask as often as there is time.
  private var meter: StanzaMeter?
  /// Set to the next moment at which something may be due.
  private var timer: (time: NIODeadline, task: Scheduled<Void>)?

  nonisolated package var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }
  nonisolated var eventLoop: any EventLoop { executor.eventLoop }
  nonisolated private var logger: Logger { setting.logger }
  nonisolated private var host: StreamHost { setting.host }
  private var memory: MemoryAccount { transfers.memory }

  private init(_ channel: any Channel, role: StreamMachine.Role, tls: TLSPolicy, setting: StreamSetting) {
    executor = LoopExecutor.of(channel.eventLoop)
    self.setting = setting
    life = StreamLife(eventLoop: channel.eventLoop)
    exchanges = ExchangeMachine(
      limit: Limits.requestsInAll + Limits.waitingRequests, preference: setting.host.preference)
    transfers = Transfers(eventLoop: channel.eventLoop, memory: MemoryAccount(setting.host.memory))
    liveness = Liveness(now: channel.eventLoop.now)
    let host = setting.host
    // Of a bytestream over a server.
    let isInside = setting.isRelayed && setting.routed == nil
    handler = StreamHandler(
      role: role, configuration: host.configuration(tls: tls, isReserved: isInside),
      tls: role == .responder ? host.security?.server : host.security?.client, tap: host.tap,
      isRelayed: isInside)
  }

  /// On a channel that is being set up, on its event loop.
  static func make(
    on channel: any Channel, role: StreamMachine.Role, tls: TLSPolicy, setting: StreamSetting
  ) throws -> PeerStream {
    channel.shortenPauses()
    let stream = PeerStream(channel, role: role, tls: tls, setting: setting)
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

  // MARK: Life

  /// False once the stream is closing, or found to be dead.
  nonisolated package var isOpen: Bool { life.isUsable }

  /// Succeeds when the stream is open, fails with `StreamFailure` where it never will be.
  nonisolated var opened: EventLoopFuture<Void> { life.opened }

  /// Who is there; known once the stream is open.
  nonisolated package var identity: PeerIdentity? { life.identity }

  /// Returns when the stream has ended and all of its requests with it; when cancelled, ends it in order (RFC 6120 §4.4).
  nonisolated package func run() async {
    await withTaskCancellationHandler {
      // Comes within the stream machine's deadlines.
      await life.ended.completion()
    } onCancel: {
      close()
    }
  }

  /// Why it ended, once it has; nil where the task is cancelled before.
  nonisolated package func waitUntilEnded() async -> StreamFailure? {
    try? await life.ended.value()
    return life.failure
  }

  /// Ends the stream: no new stanzas from here, and the peer has a moment to end its side.
  nonisolated package func close() {
    life.setUnusable()
    eventLoop.execute { self.assumeIsolated { $0.handler.close() } }
  }

  /// Ends the stream at once: its peer is not wanted any more.
  nonisolated package func terminate() {
    life.setUnusable()
    eventLoop.execute { self.assumeIsolated { $0.handler.abandon(StreamError(.notAuthorized, "not any more")) } }
  }

  /// The peer is not there any more: whoever waits for it has waited long enough.
  private func abandon() {
    life.setUnusable()
    handler.abandon(StreamError(.connectionTimeout))
  }

  /// What is under way on a stream. Nothing is left behind where all is 0.
  package struct Load: Sendable, Hashable {
    /// Requests of the peer that are being answered, or wait for their turn.
    package var answering = 0
    /// IQs of ours that wait for an answer.
    package var queries = 0
    /// Bodies.
    package var incoming = 0, outgoing = 0
    /// Bytestreams that were opened too early.
    package var earlyOpens = 0
    /// Bytes of memory that the peer makes this node hold.
    package var held = 0

    package init() {}
  }

  package var load: Load {
    var load = Load()
    load.answering = exchanges.answering
    load.queries = pending.count
    load.incoming = transfers.incomingCount
    load.outgoing = transfers.outgoingCount
    load.earlyOpens = transfers.earlyOpenCount
    load.held = memory.held
    return load
  }

  // MARK: From the handler

  func opened(_ attributes: StreamAttributes) {
    let identity = setting.identity(as: attributes.remote, handler)
    life.isKnown(identity)
    switch host.opened(self, identity) {
    case .known where setting.place?.established(isKnown: true) ?? true:
      openAccount(identity, isKnown: true)
      handler.readFully()
      prepareDirect(identity, attributes, isKnown: true)
    case .stranger where setting.place?.established(isKnown: false) ?? true:
      openAccount(identity, isKnown: false)
      prepareDirect(identity, attributes, isKnown: false)
      meter = StanzaMeter()
    case .known, .stranger: return handler.close(StreamError(.resourceConstraint, "too many streams from here"))
    case .refused(let error): return handler.close(error)
    }
    scheduleFeaturesTimeout(attributes.version)
    liveness.received(now: eventLoop.now)
    life.hasOpened()
    rescheduleTimer()
  }

  private func prepareDirect(_ identity: PeerIdentity, _ attributes: StreamAttributes, isKnown: Bool) {
    if let direct = setting.direct, let remote = attributes.remote {
      transfers.direct = DirectPeer(self, setting, direct, to: remote)
    } else if !setting.isRelayed {
      // Over a server neither side tells the other where it is by itself.
      let (local, remote) = handler.socketAddresses
      transfers.direct = DirectPeer(
        self, setting, identity, attributes, isKnown: isKnown, between: local, and: remote, under: handler.tlsHandler)
    }
    refreshDirect()
  }

  /// Whether bodies may go beside the stream changes with what is under way, and with what failed.
  private func refreshDirect() { exchanges.direct = transfers.direct?.offer }

  private func openAccount(_ identity: PeerIdentity, isKnown: Bool) {
    memory.open(MemoryLedger.Holder(identity, isKnown: isKnown)) { [eventLoop, weak self] in
      eventLoop.execute { [weak self] in self?.assumeIsolated { $0.giveBack() } }
    }
  }

  /// The node is short of memory, and nobody holds more of it than this peer: its largest body ends, or where most is answers
  /// that it does not read, the stream.
  private func giveBack() {
    if transfers.largestUnread >= memory.unsent {
      perform(transfers.refuseLargest() ?? [])
    } else if memory.unsent > Limits.writeBufferHigh {
      handler.abandon(StreamError(.resourceConstraint, "too much waits for you"))
    }
  }

  /// A peer before XMPP 1.0 sends no features; one that says 1.0 should, and some do not.
  private func scheduleFeaturesTimeout(_ version: StreamHeader.Version?) {
    guard let version, version >= .xmpp1 else { return life.hasFeatures() }
    let life = self.life
    eventLoop.assumeIsolated().scheduleTask(in: Timeouts.features) { life.hasFeatures() }
  }

  func received(_ features: StreamFeatures) {
    exchanges.received(features)
    life.hasFeatures()
  }

  /// The socket takes more, or no more, than what waits in it.
  func writabilityChanged(_ isWritable: Bool) {
    transfers.isWritable = isWritable
    guard isWritable else { return }
    _ = mayHold(0)
    while transfers.isWritable, let effects = transfers.resume() { perform(effects) }
  }

  /// Whether so many bytes may wait for the peer to read them.
  func mayHold(_ bytes: Int) -> Bool {
    // Of a stream that has ended nothing waits any more.
    memory.unsent = life.failure == nil ? bytes : 0
    return setting.place?.mayHold(bytes) ?? (bytes <= Limits.unsentBytes)
  }

  func ended(_ end: StreamEnd) {
    if let (name, detail) = end.refusal {
      let identity = life.identity ?? setting.identity(as: setting.dialled, handler)
      host.refused(StreamRefusal(identity: identity, name: name, detail: detail))
    }
    timer?.task.cancel()
    timer = nil
    memory.unsent = 0
    let failure = StreamFailure(end)
    life.fails(failure)
    for waiter in pending.failAll() { resolve(waiter, .failure(failure)) }
    transfers.fail(failure)
    for answer in answers.cancelAll() { giveUp(answer, nil) }
    if answers.isEmpty { life.hasEnded() }
  }

  func received(_ stanza: Stanza) {
    liveness.received(now: eventLoop.now)
    if meter != nil, !isPassed(stanza) { return }
    switch stanza.kind {
    case .iq: receivedIQ(stanza)
    case .message: receivedMessage(stanza)
    // The link's presence is in the TXT record (XEP-0174 §6); over a stream it is about friendship, or nothing.
    case .presence: if let identity { _ = host.received(stanza, self, identity) }
    }
  }

  /// Whether the peer may want so much; if not, it is told.
  private func isPassed(_ stanza: Stanza) -> Bool {
    switch stanza.isMetered ? meter?.take(now: eventLoop.now) : .pass {
    case .pass?, nil: return true
    case .refuse?:
      if stanza.wantsAnswer { handler.send(stanza.error(Self.tooOften)) }
    case .end?:
      life.setUnusable()
      handler.close(StreamError(.policyViolation, "too many stanzas"))
    }
    return false
  }

  private static let tooOften = StanzaError(.policyViolation, "You ask too often.", kind: .wait)

  // MARK: Time

  private func touch() { liveness.touch(now: eventLoop.now) }

  /// The clock is read once for both.
  private func touchAndReschedule() {
    let now = eventLoop.now
    liveness.touch(now: now)
    rescheduleTimer(now: now)
  }

  /// Something is under way that a silent peer would leave hanging.
  private var isBusy: Bool { exchanges.answering > 0 || pending.count > 0 || !transfers.isEmpty }

  /// - Parameter due: when something is that was begun just now, where that may be sooner than all else.
  private func rescheduleTimer(due: NIODeadline? = nil, now: NIODeadline? = nil) {
    let soon = (now ?? eventLoop.now) + Timeouts.shortest
    // What was begun just now is not due before: the timer will see it.
    if let timer, timer.time <= min(soon, due ?? soon) { return }
    guard isOpen, identity != nil else { return }
    let deadlines = [
      liveness.deadline(isBusy: isBusy), pending.nextDeadline(), transfers.nextDeadline(), isBusy ? soon : nil,
    ]
    let next = deadlines.compactMap { $0 }.min() ?? .distantFuture
    if let timer, timer.time <= next { return }
    timer?.task.cancel()
    let task = eventLoop.assumeIsolated().scheduleTask(deadline: next) { [weak self] in
      guard let self else { return }
      self.assumeIsolated { $0.timerFired() }
    }
    timer = (next, task)
  }

  private func timerFired() {
    timer = nil
    let now = eventLoop.now
    for waiter in pending.expired(now) { resolve(waiter, .failure(.timedOut)) }
    perform(transfers.expire(now: now))
    for answer in answers.expire(now: now) { giveUp(answer, AnswersUnderWay.tooMany) }
    switch liveness.due(isBusy: isBusy, now: now) {
    case .nothing: break
    case .probe: probe()
    case .look: look()
    case .close: close()
    }
    refreshDirect()
    rescheduleTimer()
  }

  private func probe() {
    guard liveness.probing(handler.connectionProgress, now: eventLoop.now) else { return }
    ask("get", Ping.request, .probe, within: nil)
  }

  private func look() {
    guard !liveness.looked(handler.connectionProgress, now: eventLoop.now) else { return }
    logger.debug("peer is silent", metadata: ["peer": "\(identity?.address?.text ?? "unknown")"])
    abandon()
  }

  // MARK: IQs of ours (RFC 6120 §8.2.3)

  /// Sends an IQ whose answer `waiter` waits for; where it cannot be sent, that is the answer.
  private func ask(
    _ type: String, _ payload: Element, _ waiter: IQWaiter, id: String? = nil, within limit: TimeAmount?
  ) {
    let id = id ?? pending.nextID()
    pending.register(id, waiter, deadline: limit.map { eventLoop.now + $0 })
    sent(id, handler.send(Stanza(.iq, type: type, id: id, [payload])))
  }

  /// The same for a request of HTTP, which is written already.
  private func request(
    _ payload: ByteBuffer, _ waiter: IQWaiter, id: String, to device: JID?, within limit: TimeAmount?
  ) {
    pending.register(id, waiter, deadline: limit.map { eventLoop.now + $0 })
    sent(id, handler.request(payload, id: id, to: device))
  }

  private func sent(_ id: String, _ isSent: Bool) {
    if !isSent { resolve(id, .failure(life.failure ?? .closed("it is closing."))) }
    touchAndReschedule()
  }

  private func resolve(_ id: String, _ result: Result<Stanza, StreamFailure>) {
    if let waiter = pending.remove(id) { resolve(waiter, result) }
  }

  private func resolve(_ waiter: IQWaiter, _ result: Result<Stanza, StreamFailure>) {
    switch waiter {
    case .stanza(let continuation): continuation.resume(with: result.mapError { $0 as any Error })
    case .response(let waiter, let method, let upgrading):
      waiter.resume(with: Result { try response(to: method, upgrading: upgrading, try result.get()) })
      exchanges.ended()
      touch()
    case .info(let promise): learned(result, promise)
    // Any answer will do, an error too (XEP-0199 §4.1): somebody is there.
    case .probe:
      liveness.probed()
      rescheduleTimer()
    case .transfer(let id): perform(transfers.answered(id, result))
    }
  }

  /// Nobody waits for the answer to this IQ any more. From whatever thread.
  nonisolated private func forget(_ id: String) {
    eventLoop.execute { self.assumeIsolated { $0.resolve(id, .failure(.cancelled)) } }
  }

  /// Sends an IQ and gives its result.
  ///
  /// - Throws: `StreamFailure`: what the peer answered, or that it did not; `CancellationError`.
  private func query(_ type: String, _ payload: Element, within limit: TimeAmount) async throws -> Stanza {
    let id = pending.nextID()
    return try await cancellable {
      try await withTaskCancellationHandler {
        try await withCheckedThrowingContinuation { waiter in
          guard !Task.isCancelled else { return waiter.resume(throwing: CancellationError()) }
          ask(type, payload, .stanza(waiter), id: id, within: limit)
        }
      } onCancel: {
        forget(id)
      }
    }
  }

  /// Asks the peer's node what streams themselves know nothing of, and gives the payload of its answer.
  ///
  /// - Throws: `StreamFailure`: what the peer answered, or that it did not; `CancellationError`.
  package func ask(_ payload: Element) async throws -> Element? {
    try await query("get", payload, within: Timeouts.query).payload
  }

  /// A wait that was cancelled ends with `CancellationError`, whatever it was told.
  nonisolated private func cancellable<Value>(_ wait: () async throws -> Value) async throws -> Value {
    do {
      return try await wait()
    } catch StreamFailure.cancelled where Task.isCancelled {
      throw CancellationError()
    }
  }

  /// A stanza that wants no answer, or whose answer nobody waits for.
  nonisolated package func tell(_ stanza: Stanza) {
    eventLoop.execute { self.assumeIsolated { $0.told(stanza) } }
  }

  private func told(_ stanza: Stanza) {
    var stanza = stanza
    if stanza.kind == .iq { stanza.id = pending.nextID() }
    handler.send(stanza)
    touchAndReschedule()
  }

  /// Makes sure that a stream still reaches its peer, if it was silent for a while, or goes to none of these hosts, at which
  /// the peer is now.
  ///
  /// - Throws: `StreamFailure` where it does not; it is closed then.
  package func verifyLiveness(at hosts: Set<String>) async throws {
    guard isDoubtful(at: hosts, now: eventLoop.now) else { return }
    let connection = handler.connectionProgress
    do {
      _ = try await query("get", Ping.request, within: Timeouts.query)
    } catch StreamFailure.stanza {
      return
    } catch is CancellationError {
      throw CancellationError()
    } catch {
      guard !isUnderWay(since: connection) else { return }
      abandon()
      throw StreamFailure.unsent("it had gone silent.")
    }
  }

  /// Bodies pass, and the answer waits behind them.
  private func isUnderWay(since earlier: ConnectionProgress?) -> Bool {
    guard isOpen, !transfers.isEmpty, let earlier, let now = handler.connectionProgress else { return false }
    return now.hasMoved(since: earlier)
  }

  /// What the peer says that it is and can do; asked for, if its stream features did not say.
  ///
  /// - Returns: nil where it does not say: half of the known clients never answer a query.
  package func info() async throws -> DiscoInfo? {
    try await life.features.value()
    if exchanges.info == nil { try await inquire() }
    return exchanges.info ?? nil
  }

  /// Asks what the peer can do; whoever wants to know it meanwhile waits for the same answer.
  private func inquire() async throws {
    let underWay = pending.first { if case .info(let promise) = $0 { promise.futureResult } else { nil } }
    if let underWay { return try await underWay.value() }
    let promise = eventLoop.makePromise(of: Void.self)
    exchanges.asks(now: eventLoop.now)
    ask("get", Element("query", namespace: Namespace.discoInfo), .info(promise), within: Timeouts.query)
    try await promise.futureResult.value()
  }

  private func learned(_ result: Result<Stanza, StreamFailure>, _ promise: EventLoopPromise<Void>) {
    switch result {
    case .success(let answer): exchanges.learned(answer.payload.flatMap { DiscoInfo($0) })
    case .failure(.stanza), .failure(.timedOut): exchanges.learned(nil)
    case .failure(let failure): return promise.fail(failure)
    }
    promise.succeed()
  }

  // MARK: Requests of ours (XEP-0332 §4)

  /// Sends a request, and hands the response to `receive`, which has to take the body before it returns.
  ///
  /// When this returns or throws, nothing of the exchange is left behind, here or, after one round trip, at the peer.
  ///
  /// - Parameters:
  ///   - device: whom the request is for; nil: whom the stream was opened to.
  ///   - hosts: where the peer is now; a stream to another host is verified first. nil: wherever it goes.
  /// - Throws: `StreamFailure` where no response came, or its body broke off; what `receive` throws.
  nonisolated package func send(
    _ request: HTTPXRequest, to device: JID? = nil, reachableAt hosts: Set<String>? = nil,
    receive: (HTTPXResponse) async throws -> Void
  ) async throws {
    let whole = try await request.body.whole(upTo: HTTPXLimits.inlineBytes)
    switch try await begin(request.head, whole, device, hosts) {
    case .answered(let response): try await receive(response)
    case let step: try await goOn(step, request, whole, device, hosts, receive)
    }
  }

  // Apart, so that the memory of a request that waits has no room for this.
  @inline(never) nonisolated private func goOn(
    _ step: ExchangeStep, _ request: HTTPXRequest, _ whole: ByteBuffer?, _ device: JID?, _ hosts: Set<String>?,
    _ receive: (HTTPXResponse) async throws -> Void
  ) async throws {
    var step = step
    if case .unprepared = step {
      try await prepare(hosts)
      step = try await begin(request.head, whole, device, nil)
    }
    switch step {
    case .unprepared: throw StreamFailure.cancelled
    case .answered(let response): try await receive(response)
    case .upgraded(let exchange): try await converse(request.body, exchange, receive)
    case .uploading(let id, let response, let transfer):
      try await upload(whole.map { Body($0) } ?? request.body, transfer, id, response, receive)
    }
  }

  // Apart, so that the memory of a request that waits has no room for this.
  @inline(never) nonisolated private func upload(
    _ body: Body, _ transfer: TransferID, _ id: String, _ response: EventLoopFuture<HTTPXResponse>,
    _ receive: (HTTPXResponse) async throws -> Void
  ) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        // Why an upload stops is for the peer to say: its response may come all the same.
        try? await self.pump(body, transfer)
        await self.limit(id)
      }
      try await receive(try await wait(for: response, id))
      group.cancelAll()
    }
  }

  /// Both sides send in one session, until both have ended.
  @inline(never) nonisolated private func converse(
    _ body: Body, _ exchange: UpgradedExchange, _ receive: (HTTPXResponse) async throws -> Void
  ) async throws {
    let session = exchange.session
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        do {
          try await self.pump(body, session)
        } catch {
          self.breakReading(session)
          throw error
        }
      }
      try await receive(exchange.response)
      for try await _ in group {}
    }
  }

  /// Sends a request, and waits where the caller is: one hop to the stream's loop and one back, or none where the caller
  /// is on it. (A task that waits inside of the actor is resumed by its own executor first, and hops twice more.)
  nonisolated private func begin(
    _ head: HTTPRequest, _ whole: ByteBuffer?, _ device: JID?, _ hosts: Set<String>?
  ) async throws -> ExchangeStep {
    let exchange = PendingExchange()
    return try await cancellable {
      try await withTaskCancellationHandler {
        try await withCheckedThrowingContinuation { continuation in
          onLoop { $0.begin(exchange, head, whole, device, hosts, continuation) }
        }
      } onCancel: {
        if let id = exchange.cancel() { forget(id) }
      }
    }
  }

  /// At once where the caller is on the stream's loop.
  nonisolated private func onLoop(_ body: @escaping @Sendable (isolated PeerStream) -> Void) {
    if eventLoop.inEventLoop { return assumeIsolated { body($0) } }
    eventLoop.execute { self.assumeIsolated { body($0) } }
  }

  private func begin(
    _ exchange: PendingExchange, _ head: HTTPRequest, _ whole: ByteBuffer?, _ device: JID?, _ hosts: Set<String>?,
    _ continuation: CheckedContinuation<ExchangeStep, any Error>
  ) {
    guard isPrepared(hosts) else { return continuation.resume(returning: .unprepared) }
    do throws(StreamFailure) {
      if whole?.isLarge ?? true { refreshDirect() }
      let outgoing = try Self.reading { () throws(HTTPXError) in
        try exchanges.checkSupport()
        return try exchanges.request(head, whole)
      }
      let id = pending.nextID()
      guard exchange.begins(as: id) else {
        exchanges.ended()
        return continuation.resume(throwing: CancellationError())
      }
      guard let transfer = outgoing.route.transfer else {
        let waiter = IQWaiter.response(
          .continuation(continuation), head.method, upgrading: head.asksForWebSocket)
        return request(outgoing.payload, waiter, id: id, to: device, within: responseTime)
      }
      let promise = eventLoop.makePromise(of: HTTPXResponse.self)
      let waiter = IQWaiter.response(.promise(promise), head.method, upgrading: false)
      request(outgoing.payload, waiter, id: id, to: device, within: nil)
      start(transfer, outgoing.route, to: device)
      continuation.resume(returning: .uploading(id: id, promise.futureResult, transfer))
    } catch {
      continuation.resume(throwing: error)
    }
  }

  /// Whether a request may be sent as things are: the peer was heard lately where it is now, and what it can do is known.
  private func isPrepared(_ hosts: Set<String>?) -> Bool {
    let now = eventLoop.now
    return exchanges.knowsSupport(now: now) && (hosts.map { !isDoubtful(at: $0, now: now) } ?? true)
  }

  private func isDoubtful(at hosts: Set<String>, now: NIODeadline) -> Bool {
    liveness.isDoubtful(now: now)
      || !setting.isRelayed && handler.remoteAddress.map { !hosts.contains($0) } ?? true
  }

  @inline(never) private func prepare(_ hosts: Set<String>?) async throws {
    if let hosts { try await verifyLiveness(at: hosts) }
    try await life.features.value()
    if !exchanges.knowsSupport(now: eventLoop.now) { try await inquire() }
  }

  /// Waits for the response to an upload; forgets it when cancelled.
  nonisolated private func wait(for response: EventLoopFuture<HTTPXResponse>, _ id: String) async throws
    -> HTTPXResponse
  {
    do {
      return try await response.value()
    } catch is CancellationError {
      forget(id)
      throw CancellationError()
    }
  }

  /// From a request to the head of its response. A Hearth node answers in any case, while it lives.
  private var responseTime: TimeAmount? { exchanges.isHearth ? nil : Timeouts.response }

  /// The time for the response begins when the body has been sent.
  private func limit(_ id: String) {
    guard let responseTime else { return }
    pending.limit(id, to: eventLoop.now + responseTime)
    rescheduleTimer()
  }

  /// Reads the response where it arrives, since what belongs to it may be in the same packet.
  private func response(
    to method: HTTPRequest.Method, upgrading: Bool, _ stanza: Stanza
  ) throws(StreamFailure) -> ReceivedResponse {
    let received = try Self.reading { () throws(HTTPXError) in
      try exchanges.response(stanza, to: method, upgrading: upgrading)
    }
    do {
      guard upgrading, received.head.status == .switchingProtocols, case .ibb(let sid) = received.data else {
        let body = try body(received.data, length: received.length)
        return ReceivedResponse(response: HTTPXResponse(received.head, body: body), session: nil)
      }
      let session = TransferID(.ibb, sid)
      let body = try expectSession(session)
      return ReceivedResponse(response: HTTPXResponse(received.head, body: Body(body)), session: session)
    } catch {
      throw .malformed(error.text ?? error.condition.rawValue)
    }
  }

  private static func reading<Value>(_ read: () throws(HTTPXError) -> Value) throws(StreamFailure) -> Value {
    do {
      return try read()
    } catch {
      switch error.code {
      case .notHTTP: throw .notHTTP(error.message)
      case .noUpgrade: throw .noUpgrade(error.message)
      case .uri, .malformed, .limit: throw .malformed(error.message)
      }
    }
  }

  /// The body that a stanza has or announces.
  private func body(_ data: BodyData, length: Int?) throws(StanzaError) -> Body {
    switch data {
    case .chunks(let streamId): try expect(TransferID(.chunks, streamId), length: length)
    case .ibb(let sid): try expect(TransferID(.ibb, sid), length: length)
    case .sipub(let publication): try expect(TransferID(.sipub, publication.id), length: length)
    case .jingle(let session): try expect(session, length: length)
    case .none, .text, .xml, .base64, .unsupported: data.bytes.map { Body($0) } ?? .empty
    }
  }

  private func expect(_ id: TransferID, length: Int?) throws(StanzaError) -> Body {
    perform(try transfers.expect(id, length: length))
    rescheduleTimer()
    return Body(IncomingBody(stream: self, id: id), length: length)
  }

  private func expect(_ session: JingleSession, length: Int?) throws(StanzaError) -> Body {
    perform(try transfers.expect(session, length: length))
    rescheduleTimer()
    return Body(IncomingBody(stream: self, id: TransferID(.jingle, session.sid)), length: length)
  }

  /// Expects the session in which both sides send, which a response announces; gives what the peer sends.
  private func expectSession(_ id: TransferID) throws(StanzaError) -> IncomingBody {
    perform(try transfers.startSession(id, opening: nil))
    rescheduleTimer()
    return IncomingBody(stream: self, id: id)
  }

  // MARK: Requests of the peer (XEP-0332 §4)

  /// The answer where there is one already: a refusal.
  private func receivedHTTP(_ iq: Stanza, _ payload: Element) -> Stanza? {
    guard let identity else { return iq.error(StanzaError(.unexpectedRequest)) }
    do throws(StanzaError) {
      let (answerable, received) = try exchanges.received(iq, payload)
      do throws(StanzaError) {
        let session = answerable.asksForWebSocket ? try sessionToBe() : nil
        let body =
          if let session { Body(UpgradedBody(session: session.futureResult)) } else {
            try body(received.data, length: received.length)
          }
        let request = HTTPXRequest(received.head, body: body)
        let incoming = IncomingRequest(request: request, device: iq.to ?? host.node(), peer: identity)
        try enqueue(AnswerToBe(answerable, incoming, session, stanzaBytes: handler.stanzaBytes))
        return nil
      } catch {
        exchanges.answered()
        throw error
      }
    } catch {
      return iq.error(error)
    }
  }

  /// Nobody will answer it.
  private func giveUp(_ answer: AnswerToBe, _ error: StanzaError?) {
    answer.session?.fail(StreamFailure.cancelled)
    memory.requests -= answer.stanzaBytes
    exchanges.answered()
    if let error { handler.send(answer.answerable.iq.error(error)) }
  }

  private func enqueue(_ answer: AnswerToBe) throws(StanzaError) {
    memory.requests += answer.stanzaBytes
    do throws(StanzaError) {
      if memory.isOverdrawn { try makeRoom() }
      try answers.enqueue(answer, now: eventLoop.now)
    } catch {
      memory.requests -= answer.stanzaBytes
      answer.session?.fail(error)
      throw error
    }
    beginAnswers()
  }

  /// Where this peer holds most, its bodies that nobody reads go before its requests.
  @inline(never) private func makeRoom() throws(StanzaError) {
    while let effects = transfers.refuseLargest() {
      perform(effects)
      guard memory.isOverdrawn else { return }
    }
    throw Self.noMemory
  }

  private static let noMemory = StanzaError(
    .resourceConstraint, "This node has no room for your request at the moment.")

  /// Each in a task of its own, which runs here at once until it first has to wait: a stream answers many requests at a time,
  /// and ends those that are under way when it ends.
  private func beginAnswers() {
    guard !answers.isBeginning else { return }
    answers.isBeginning = true
    while let (answer, number) = answers.dequeue() {
      let task = Task.immediate(executorPreference: executor) {
        let isUpgraded = await self.answer(answer)
        answer.session?.fail(StreamFailure.cancelled)
        memory.requests -= answer.stanzaBytes
        answered(answer, number, isUpgraded: isUpgraded)
      }
      answers.keep(task, number)
    }
    answers.isBeginning = false
    rescheduleTimer()
  }

  /// For whoever is to read what the peer sends once the protocol has changed.
  private func sessionToBe() throws(StanzaError) -> EventLoopPromise<IncomingBody> {
    guard exchanges.upgraded < Limits.upgraded else { throw Self.tooManyWebSockets }
    return eventLoop.makePromise()
  }

  private func answered(_ answer: AnswerToBe, _ number: Int, isUpgraded: Bool) {
    if isUpgraded {
      exchanges.closed()
    } else {
      exchanges.answered()
      answers.leavePlace(of: answer)
    }
    answers.end(number)
    touch()
    beginAnswers()
    if life.failure != nil, answers.isEmpty { life.hasEnded() }
  }

  /// True where the protocol has changed.
  private func answer(_ answer: AnswerToBe) async -> Bool {
    var isAnswered = false
    var isUpgraded = false
    do {
      try await host.answer(answer.incoming) { response in
        let body = answer.isForHead ? .empty : response.body
        let whole = try await body.whole(upTo: HTTPXLimits.inlineBytes)
        let transfer = try send(response.head, whole, answer, prefersXML: response.prefersXML)
        isAnswered = true
        isUpgraded = answer.session.map { _ in response.head.status == .switchingProtocols } ?? false
        if let transfer { try await pump(whole.map { Body($0) } ?? body, transfer) }
      }
      if !isAnswered { refuse(answer, StanzaError(.internalServerError)) }
    } catch {
      if isAnswered { brokeOff(answer, error) } else { refuse(answer, error) }
    }
    return isUpgraded
  }

  /// The body broke off, and the peer was told.
  @inline(never) private func brokeOff(_ answer: AnswerToBe, _ error: any Error) {
    logger.debug("answer broke off", metadata: ["device": "\(answer.incoming.device)", "error": "\(error)"])
  }

  @inline(never) private func refuse(_ answer: AnswerToBe, _ error: any Error) {
    let iq = answer.answerable.iq
    if let error = error as? StanzaError {
      handler.send(iq.error(error))
    } else {
      logger.debug("no answer", metadata: ["device": "\(answer.incoming.device)", "error": "\(error)"])
      handler.send(iq.error(StanzaError(.internalServerError, "The service failed.")))
    }
  }

  /// Sends the head, with the body where it fits in; else names the transfer that the body has to go by.
  @inline(never) private func send(
    _ head: HTTPResponse, _ whole: ByteBuffer?, _ answer: AnswerToBe, prefersXML: Bool
  ) throws -> TransferID? {
    if whole?.isLarge ?? true { refreshDirect() }
    let outgoing = try exchanges.answer(head, whole, prefersXML: prefersXML, to: answer.answerable)
    if let session = answer.session, head.status == .switchingProtocols {
      return try upgrade(answer, outgoing, session)
    }
    guard handler.respond(to: answer.answerable.iq, outgoing.payload) else {
      throw life.failure ?? .closed("it is closing.")
    }
    touch()
    if let transfer = outgoing.route.transfer { start(transfer, outgoing.route, to: nil) }
    return outgoing.route.transfer
  }

  private func upgrade(
    _ answer: AnswerToBe, _ outgoing: ExchangeMachine.Outgoing, _ session: EventLoopPromise<IncomingBody>
  ) throws -> TransferID? {
    guard exchanges.upgraded < Limits.upgraded, let id = outgoing.route.transfer else { throw Self.tooManyWebSockets }
    // First what may fail: an IQ has one answer.
    let effects = try transfers.startSession(id, opening: outgoing.route.blockSize)
    guard handler.respond(to: answer.answerable.iq, outgoing.payload) else {
      _ = transfers.cancelReading(id)
      _ = transfers.cancelWriting(id)
      throw life.failure ?? .closed("it is closing.")
    }
    perform(effects)
    session.succeed(IncomingBody(stream: self, id: id))
    exchanges.upgrade()
    answers.leavePlace(of: answer)
    beginAnswers()
    return id
  }

  private static let tooManyWebSockets = StanzaError(
    .resourceConstraint, "Too many WebSockets are open on this stream.")

  // MARK: Bodies that the peer sends

  /// The next part of an incoming body; nil at its end.
  nonisolated func read(_ id: TransferID) async throws -> ByteBuffer? {
    try await cancellable {
      try await withTaskCancellationHandler {
        try await withCheckedThrowingContinuation { waiter in
          onLoop { $0.perform($0.transfers.read(id, waiter)) }
        }
      } onCancel: {
        cancelReading(id)
      }
    }
  }

  /// Nobody reads it any more, whether it has ended or not. From whatever thread.
  nonisolated func cancelReading(_ id: TransferID) {
    eventLoop.execute { self.assumeIsolated { $0.readingCancelled(id) } }
  }

  /// The other direction of this session broke: unless this one has ended in order, nothing more comes of it.
  nonisolated private func breakReading(_ id: TransferID) {
    onLoop { if !$0.transfers.isEnding(id) { $0.readingCancelled(id) } }
  }

  private func readingCancelled(_ id: TransferID) {
    perform(transfers.cancelReading(id))
    // The answer to what was asked for it changes nothing any more.
    if id.mechanism == .sipub || id.mechanism == .jingle { forgetAnswers(of: id) }
    touchAndReschedule()
  }

  // MARK: Bodies to the peer

  /// Begins a body that was announced just before; `pump` has to follow.
  private func start(_ id: TransferID, _ route: BodyRoute, to device: JID?) {
    // Others may hold no more than they expect, and a node of ours takes as much from whom it knows.
    transfers.windows.limit =
      !exchanges.isHearth ? 0 : meter == nil ? Limits.windows : Limits.windowsToStranger
    perform(transfers.start(id, blockSize: route.blockSize, offer: route.offer))
    rescheduleTimer()
  }

  /// Sends a whole body, no faster than its reader takes it, and returns when the reader has it.
  ///
  /// A reader that goes away stops it at once, whether the body has something to send or not.
  ///
  /// - Throws: what the body throws, after the peer was told that it breaks off; `BytestreamError` where the peer wants
  ///   no more; `StreamFailure` where the stream ended.
  nonisolated private func pump(_ body: Body, _ id: TransferID) async throws {
    do {
      let outcome = try await outcome(of: id)
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await outcome.value() }
        group.addTask {
          for try await part in body { try await self.push(part, id) }
          try Task.checkCancellation()
          await self.finish(id)
        }
        // The first that fails ends both.
        for try await _ in group {}
      }
    } catch {
      await writingEnded(id)
      throw error
    }
    await writingEnded(id)
  }

  private func outcome(of id: TransferID) throws -> EventLoopFuture<Void> {
    guard let outcome = transfers.outcome(of: id) else { throw StreamFailure.cancelled }
    return outcome
  }

  private func push(_ bytes: ByteBuffer, _ id: TransferID) async throws {
    // Windows bound what one body has in the socket; this bounds all. Who waited longest goes first.
    while transfers.isSending(id), !handler.isWritable { try await handler.writable.value() }
    let (effects, mustWait) = try transfers.write(bytes, to: id)
    perform(effects)
    touch()
    // Of a row of chunks the last bytes are held back for less than the timer's turn.
    rescheduleTimer(due: id.mechanism == .chunks ? transfers.nextDeadline() : nil)
    guard mustWait else { return try Task.checkCancellation() }
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { waiter in
        transfers.waitForRoom(id, waiter)
        // Before there was somebody to resume.
        if Task.isCancelled { transfers.cancelWaiting(id) }
      }
    } onCancel: {
      eventLoop.execute { self.assumeIsolated { $0.transfers.cancelWaiting(id) } }
    }
  }

  private func finish(_ id: TransferID) {
    perform(transfers.finish(id))
    rescheduleTimer()
  }

  /// Nothing of the transfer is left, whether it has ended or not.
  private func writingEnded(_ id: TransferID) {
    guard let effects = transfers.cancelWriting(id) else { return }
    perform(effects)
    // The peer may never answer what is left of the window.
    forgetAnswers(of: id)
    touchAndReschedule()
  }

  // MARK: Bodies beside the stream

  /// A connection for a body stands, or does not come about. From whatever thread.
  nonisolated func dataConnected(_ id: TransferID, _ result: Result<DataConnection, any Error>, isOwn: Bool) {
    eventLoop.execute { self.assumeIsolated { $0.passed { $0.transfers.connected(id, result, isOwn: isOwn) } } }
  }

  /// Something came by it.
  nonisolated func dataCame(_ id: TransferID, _ event: DataConnection.Event) {
    eventLoop.execute { self.assumeIsolated { $0.perform($0.transfers.came(id, event)) } }
  }

  /// Its socket has taken so many bytes.
  nonisolated func dataSent(_ id: TransferID, _ count: Int) {
    eventLoop.execute { self.assumeIsolated { $0.transfers.sent(id, count) } }
  }

  /// The time of one is over.
  nonisolated func expireTransfers() {
    eventLoop.execute { self.assumeIsolated { $0.passed { $0.transfers.expire(now: $0.eventLoop.now) } } }
  }

  private func passed(_ step: (isolated PeerStream) -> [Transfers.Effect]) {
    perform(step(self))
    refreshDirect()
    rescheduleTimer()
  }

  private func forgetAnswers(of id: TransferID) {
    pending.removeAll { if case .transfer(id) = $0 { true } else { false } }
  }

  private func perform(_ effects: [Transfers.Effect]) {
    for effect in effects { perform(effect.effect, effect.transfer) }
    if handler.isReadPaused != transfers.readPause.isPaused {
      handler.pauseReading(until: transfers.readPause.deadline)
    }
  }

  /// Whoever was waited for had long enough.
  func readPauseEnded() {
    transfers.readPause.expire(now: eventLoop.now)
    perform([])
  }

  private func perform(_ effect: TransferEffect, _ id: TransferID) {
    switch effect {
    case .result(let iq): handler.send(Stanza(.iq, type: "result", id: iq))
    case .error(let iq, let error): handler.send(Stanza(.iq, type: "error", id: iq, [error.element]))
    case .answer(let iq, let element):
      let isError = element.is("error", Namespace.client)
      handler.send(Stanza(.iq, type: isError ? "error" : "result", id: iq, [element]))
    case .ask(let type, let element): ask(type, element, .transfer(id), within: Timeouts.opening)
    case .request(.open(let open)):
      ask("set", IBBElement.open(open).element, .transfer(id), within: Timeouts.opening)
    // The end of a bytestream: whatever is answered, nothing follows.
    case .request(let element):
      handler.send(Stanza(.iq, type: "set", id: pending.nextID(), [element.element]))
    case .notify(let element):
      handler.send(Stanza(.iq, type: "set", id: pending.nextID(), [element]))
    case .block(let block):
      let iq = pending.nextID()
      pending.register(iq, .transfer(id), deadline: nil)
      handler.send(block, id: iq)
    case .chunk(let chunk): handler.send(chunk)
    case .message(let element): handler.send(Stanza(.message, Array(element.elements)))
    }
  }

  // MARK: Stanzas of the peer

  /// Every IQ is answered, or resolves one of ours (RFC 6120 §8.2.3).
  private func receivedIQ(_ stanza: Stanza) {
    guard stanza.wantsAnswer else {
      guard let waiter = pending.resolve(stanza.id, from: stanza.from) else { return decline(stanza) }
      return resolve(waiter, stanza.error.map { .failure(.stanza($0)) } ?? .success(stanza))
    }
    if let answer = answer(stanza) { handler.send(answer) }
    touch()
  }

  /// Nobody waits for this any more. Should a body follow, whoever sends it learns that nobody will read it.
  private func decline(_ stanza: Stanza) {
    guard stanza.type == "result", let received = try? response(to: .get, upgrading: true, stanza) else { return }
    if let session = received.session { writingEnded(session) }
  }

  /// The answer to an IQ get or set; nil where it comes later.
  private func answer(_ stanza: Stanza) -> Stanza? {
    if let violation = stanza.violation { return stanza.error(violation) }
    guard let payload = stanza.payload else { return nil }
    let isGet = stanza.type == "get"
    switch (payload.namespace, payload.name) {
    case (Namespace.http, "close"), (Namespace.http, "cancel"):
      return receivedChunk(payload).map { stanza.error($0) } ?? stanza.result()
    case (Namespace.http, _): return receivedHTTP(stanza, payload)
    case (Namespace.ibb, _) where !isGet: return receivedBytestream(stanza, payload)
    case (Namespace.sipub, "start"), (Namespace.si, "si"), (Namespace.jingle, "jingle"),
      (Namespace.bytestreams, "query"):
      return receivedInitiation(stanza, payload)
    case (Namespace.discoInfo, "query") where isGet: return disco(stanza, payload)
    case (Namespace.discoItems, "query") where isGet:
      return stanza.result(Element("query", namespace: Namespace.discoItems, ["node": payload["node"]]))
    case (Namespace.ping, "ping") where isGet: return stanza.result()
    case (Namespace.version, "query") where isGet: return stanza.result(host.version.query)
    default: return unknown(stanza)
    }
  }

  private func unknown(_ stanza: Stanza) -> Stanza {
    guard let identity, case .taken(let answer) = host.received(stanza, self, identity) else {
      return stanza.error(StanzaError(.serviceUnavailable))
    }
    return answer ?? stanza.result()
  }

  /// XEP-0030 §3; with a node only where it is the one that we announce (XEP-0115 §6.2).
  private func disco(_ stanza: Stanza, _ query: Element) -> Stanza {
    let info = host.announced(stanza.to ?? host.node())
    guard query["node"] == nil || query["node"] == info.node else {
      return stanza.error(StanzaError(.itemNotFound, "There is no such node here."))
    }
    return stanza.result(info.query(node: query["node"]))
  }

  /// The answer to an element of XEP-0047; nil where it comes later.
  private func receivedBytestream(_ stanza: Stanza, _ payload: Element) -> Stanza? {
    defer { rescheduleTimer() }
    do throws(UnreadableElement) {
      switch try IBBElement(payload) {
      case .open(let open)?:
        guard let iq = stanza.id else { return nil }
        perform(transfers.received(open, iq: iq, mayBeEarly: exchanges.requesting > 0))
      case .data(let block)?: perform(transfers.received(block, iq: stanza.id))
      case .close(let sid)?:
        return transfers.closed(TransferID(.ibb, sid)) ? stanza.result() : stanza.error(Transfers.unknown)
      case nil: return stanza.error(StanzaError(.badRequest))
      }
      return nil
    } catch {
      if let sid = error.transfer { perform(transfers.refused(TransferID(.ibb, sid), error.error)) }
      return stanza.error(error.error)
    }
  }

  /// The answer to an element of XEP-0137, XEP-0095, XEP-0065 or XEP-0166; nil where it is given.
  private func receivedInitiation(_ stanza: Stanza, _ payload: Element) -> Stanza? {
    guard let iq = stanza.id else { return nil }
    defer { rescheduleTimer() }
    do throws(StanzaError) {
      if payload.name == "start" {
        perform(transfers.requested(try SIPub.id(ofStart: payload), iq: iq))
        return nil
      }
      // Chat programs offer files by the same element: to them nothing answers here.
      guard stanza.type == "set" else { return unknown(stanza) }
      let effects =
        switch payload.name {
        case "si": transfers.received(try SIOffer(payload), iq: iq)
        case "query": transfers.received(try S5BTransport(query: payload), iq: iq)
        default: transfers.received(try Jingle(payload), iq: iq)
        }
      guard let effects else { return unknown(stanza) }
      perform(effects)
      return nil
    } catch {
      return stanza.error(error)
    }
  }

  private func receivedMessage(_ stanza: Stanza) {
    guard stanza.type != "error" else { return }
    receivedChat(stanza)
    for payload in stanza.children {
      switch payload.namespace {
      case Namespace.ibb: receivedBlockInMessage(payload)
      case Namespace.http: _ = receivedChunk(payload)
      default: break
      }
    }
  }

  /// Answered once a stream: two that answer each other would never end.
  private func receivedChat(_ stanza: Stanza) {
    guard !answers.hasRepliedToChat, stanza.first("body", Namespace.client) != nil, let identity,
      case .taken(let reply?) = host.received(stanza, self, identity)
    else { return }
    answers.hasRepliedToChat = true
    handler.send(reply)
  }

  /// XEP-0047 §4: blocks in messages, which nobody answers.
  private func receivedBlockInMessage(_ payload: Element) {
    do throws(UnreadableElement) {
      if case .data(let block)? = try IBBElement(payload) { perform(transfers.received(block, iq: nil)) }
    } catch {
      if let sid = error.transfer { perform(transfers.refused(TransferID(.ibb, sid), error.error)) }
    }
  }

  /// What is wrong with an element about chunks; nil where it was understood.
  private func receivedChunk(_ payload: Element) -> StanzaError? {
    defer { rescheduleTimer() }
    do throws(UnreadableElement) {
      switch try ChunkElement(payload) {
      case .chunk(let chunk)?:
        guard let effects = transfers.received(chunk) else { return Transfers.unknown }
        perform(effects)
      case .close(let streamId)?:
        guard transfers.closed(TransferID(.chunks, streamId)) else { return Transfers.unknown }
      case nil: return StanzaError(.badRequest)
      }
      return nil
    } catch {
      if let name = error.transfer { perform(transfers.refused(TransferID(.chunks, name), error.error)) }
      return error.error
    }
  }
}

extension ByteBuffer {
  /// It may go beside the stream.
  fileprivate var isLarge: Bool { readableBytes >= HTTPXLimits.directBytes }
}

extension Stanza {
  /// It wants an answer, or work. The parts of bodies do not count: windows and memory bound them.
  fileprivate var isMetered: Bool {
    switch kind {
    case .iq: wantsAnswer && payload?.namespace != Namespace.ibb
    case .message: !children.contains { $0.namespace == Namespace.http || $0.namespace == Namespace.ibb }
    case .presence: true
    }
  }
}
