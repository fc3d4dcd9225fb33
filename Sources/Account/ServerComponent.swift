import EventLoops
package import Logging
package import Mesh
package import NIOCore
import NIOPosix
import Streams
import Synchronization
import XML
package import XMPP

/// This node as a component of an XMPP server (XEP-0114): one connection after another, over which stanzas pass for all addresses of its domain.
///
/// Isolated to one event loop, on which its connections are, too. Nothing is resumed: what waits for an answer fails with the connection.
///
/// More than eight properties: what the owner has set, the connection of the moment, and what others may look at from any
/// thread.
package actor ServerComponent: AccountConnection {
  private typealias Waiter = @Sendable (Result<Stanza, any Error>) -> Void

  package nonisolated let address: JID
  package nonisolated let events: AsyncStream<AccountEvent>
  private nonisolated let queue = EventQueue()
  private nonisolated let shown: Mutex<ComponentStatus>
  private nonisolated let executor: LoopExecutor
  private let configuration: ComponentConfiguration
  private let logger: Logger
  /// While it is open.
  private var stream: ComponentHandler?
  private var isOpen = false
  /// Of the connection at hand.
  private var ended: EventLoopPromise<AccountProblem>?
  private var keepAlive = KeepAlive(now: .now())
  private var pending = PendingIQs<Waiter>()
  private var room: EventLoopPromise<Void>?

  /// - Parameter eventLoop: for everything.
  package init(_ configuration: ComponentConfiguration, on eventLoop: any EventLoop, logger: Logger) {
    (self.configuration, self.logger) = (configuration, logger)
    address = configuration.domain
    executor = LoopExecutor.of(eventLoop)
    shown = Mutex(ComponentStatus(domain: address))
    let queue = queue
    events = AsyncStream { await queue.next() }
  }

  package nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }
  package nonisolated var eventLoop: any EventLoop { executor.eventLoop }

  package nonisolated var status: ComponentStatus { shown.withLock { $0 } }

  // MARK: What others may do

  package nonisolated func follow(_ contacts: Set<JID>) {}
  package nonisolated func admit(_ isAdmitted: @escaping @Sendable (Stanza) -> Bool) {}
  package nonisolated func isContact(_ jid: JID) -> Bool { false }
  package nonisolated func directAddress(for jid: JID) -> SocketAddress? { nil }

  package func send(_ stanza: Stanza) async throws {
    while isOpen, let stream, !stream.isWritable {
      let promise = room ?? eventLoop.makePromise()
      room = promise
      try await promise.futureResult.value()
    }
    guard isOpen, let stream else { throw AccountFailure.offline }
    stream.write(stanza)
  }

  package nonisolated func tell(_ stanza: Stanza) {
    eventLoop.execute { self.assumeIsolated { $0.stream?.write(stanza) } }
  }

  package func request(_ iq: Stanza, within patience: Duration) async throws -> Stanza {
    try await withCheckedThrowingContinuation { continuation in
      ask(iq, within: patience) { continuation.resume(with: $0) }
    }
  }

  package nonisolated func request(
    _ iq: Stanza, within patience: Duration, answered: @escaping @Sendable (Result<Stanza, any Error>) -> Void
  ) {
    eventLoop.execute { self.assumeIsolated { $0.ask(iq, within: patience, answered) } }
  }

  private func ask(_ iq: Stanza, within patience: Duration, _ answered: @escaping Waiter) {
    guard isOpen, let stream, pending.count < AccountLimits.pendingRequests else {
      return answered(.failure(AccountFailure.offline))
    }
    var iq = iq
    let id = pending.nextID()
    (iq.id, iq.from) = (id, iq.from ?? address)
    let timer = eventLoop.scheduleTask(in: TimeAmount(patience)) {
      self.assumeIsolated { $0.pending.remove(id)?(.failure(AccountFailure.timedOut)) }
    }
    pending.register(
      id,
      {
        timer.cancel()
        answered($0)
      }, to: iq.to, deadline: nil)
    stream.write(iq)
  }

  // MARK: What the connection tells

  private func received(_ event: ComponentHandler.Event, from handler: ObjectIdentifier) {
    // Of several addresses that were tried at once (RFC 8305), one has won.
    guard handler == stream.map(ObjectIdentifier.init) else { return }
    switch event {
    case .heard: keepAlive.received(now: .now())
    case .opened:
      isOpen = true
      keepAlive = KeepAlive(now: .now())
      shown.withLock { ($0.isOnline, $0.problem) = (true, nil) }
      logger.notice("the component is online", metadata: ["domain": "\(address)", "server": "\(configuration.server)"])
      _ = queue.push(.online(address, isResumed: false), isVital: true)
    case .stanza(let stanza): received(stanza)
    case .writable: room.take()?.succeed()
    case .closed(let problem): ended?.succeed(problem)
    }
  }

  private func received(_ stanza: Stanza) {
    // The server says who it is from, and for whom.
    guard stanza.from != nil, stanza.to?.domainpart.lowercased() == address.domainpart.lowercased() else { return }
    if stanza.isAnswer, stanza.id?.hasPrefix(RoutedConnection.idPrefix) != true {
      guard let waiter = pending.resolve(stanza.id, from: stanza.from) else { return }
      if let error = stanza.error { waiter(.failure(error)) } else { waiter(.success(stanza)) }
      return
    }
    if stanza.kind == .message {
      let isPart = stanza.children.contains { $0.namespace == Namespace.http || $0.namespace == Namespace.ibb }
      guard stanza.type != "error", isPart else { return }
    }
    if let violation = stanza.violation { return stream?.write(stanza.error(violation)) ?? () }
    // Whoever floods it: what is not dealt with in time is refused, and ends nothing.
    guard queue.isTaken else {
      if stanza.wantsAnswer { stream?.write(stanza.error(StanzaError(.resourceConstraint))) }
      return
    }
    guard queue.push(stanza.kind == .presence ? .presence(stanza) : .stanza(stanza)) else {
      stream?.end(AccountProblem(.overflow, "more came for the component than this node takes"))
      return
    }
  }

  // MARK: Connections

  package func run() async {
    var backoff = Backoff()
    var generator = SystemRandomNumberGenerator()
    while !Task.isCancelled {
      let opened = NIODeadline.now()
      let problem = await connect()
      if opened + AccountTimes.success < .now() { backoff.succeeded() }
      guard !Task.isCancelled else { break }
      tell(problem)
      try? await Task.sleep(for: backoff.next(using: &generator))
    }
    queue.finish()
  }

  /// Once, until it is another one.
  private func tell(_ problem: AccountProblem) {
    let isNews = shown.withLock { status in
      defer { (status.isOnline, status.problem) = (false, problem) }
      return status.problem != problem
    }
    logger.log(
      level: isNews ? .warning : .debug, "the component is offline: \(problem)", metadata: ["domain": "\(address)"])
  }

  /// One connection, from its beginning to its end.
  private func connect() async -> AccountProblem {
    let ended = eventLoop.makePromise(of: AccountProblem.self)
    self.ended = ended
    let connecting = ClientBootstrap(group: eventLoop)
      .connectTimeout(AccountTimes.connect)
      .channelOption(.tcpOption(.tcp_nodelay), value: 1)
      .channelInitializer { [configuration] channel in
        channel.eventLoop.makeCompletedFuture {
          let handler = ComponentHandler(configuration) { [weak self] handler, event in
            self?.assumeIsolated { $0.received(event, from: handler) }
          }
          try channel.pipeline.syncOperations.addHandler(handler)
        }
      }
      .connect(host: configuration.server.host, port: configuration.server.port)
    connecting.whenSuccess { channel in
      self.assumeIsolated { $0.stream = try? channel.pipeline.syncOperations.handler(type: ComponentHandler.self) }
      // It may have ended by then.
      channel.closeFuture.whenComplete { _ in
        ended.succeed(AccountProblem(.lost, "the server closed the connection"))
      }
    }
    connecting.whenFailure { [configuration] error in
      ended.succeed(AccountProblem(.unreachable, "nobody answers at \(configuration.server): \(error)"))
    }
    let watch = eventLoop.scheduleRepeatedTask(initialDelay: AccountTimes.look, delay: AccountTimes.look) {
      [weak self] _ in self?.assumeIsolated { $0.look() }
    }
    defer { watch.cancel() }
    let problem = await withTaskCancellationHandler {
      try? await ended.futureResult.get()
    } onCancel: {
      eventLoop.execute {
        self.assumeIsolated { $0.stream?.end(AccountProblem(.lost, "this node does not use the component any more")) }
        ended.succeed(AccountProblem(.lost, "it was given up"))
        connecting.whenSuccess { $0.close(promise: nil) }
      }
    }
    disconnected()
    return problem ?? AccountProblem(.lost, "the stream was closed")
  }

  private func disconnected() {
    (stream, ended) = (nil, nil)
    room.take()?.succeed()
    for waiter in pending.failAll() { waiter(.failure(AccountFailure.offline)) }
    guard isOpen else { return }
    isOpen = false
    _ = queue.push(.offline(reason: "the connection to the server ended"), isVital: true)
  }

  /// Is the server still there?
  private func look() {
    guard isOpen, let stream else { return }
    switch keepAlive.look(now: .now()) {
    case .fine: break
    case .ask:
      let server = JID(bare: address.domainpart)
      stream.write(
        .get(id: pending.nextID(), from: address, to: server, Element("ping", namespace: Namespace.ping)))
      keepAlive.expectsAnswer(now: .now())
    case .dead: stream.end(AccountProblem(.lost, "the server has been silent for too long"))
    }
  }
}
