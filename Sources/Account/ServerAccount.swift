import Codecs
import EventLoops
import FoundationEssentials
package import Logging
package import Mesh
package import NIOCore
import Streams
import Synchronization
import TLS
import XML
package import XMPP

/// The owner's account on an XMPP server: one connection after another, and the session that lives through them (RFC 6120, 6121,
/// XEP-0198, XEP-0199).
///
/// Isolated to one event loop, on which its connections are, too. A broken stream is resumed where the server allows it, and what
/// waits for an answer waits on for `AccountTimes.resumption`; where that fails it is offline, and a new session begins.
///
/// More than eight properties: the session, the stream that carries it at the moment, and what others may look at from any
/// thread.
package actor ServerAccount: AccountConnection {
  /// What lives from binding until it cannot be resumed any more.
  private struct Session {
    let sender: Sender
    var management: StreamManagement?
    var contacts: Contacts
    var stanzaBytes: Int
    /// The question for the roster.
    var rosterID: String?
    /// Until when it can be resumed; nil while a stream is open.
    var until: NIODeadline?
  }

  private typealias Waiter = @Sendable (Result<Stanza, any Error>) -> Void

  package nonisolated let address: JID
  package nonisolated let events: AsyncStream<AccountEvent>
  private nonisolated let queue = EventQueue()
  private nonisolated let retirement = AsyncStream.makeStream(of: Never.self)
  private nonisolated let wanted = Mutex<Set<JID>>([])
  private nonisolated let mutual = Mutex<Set<JID>>([])
  private nonisolated let admitted = Mutex<@Sendable (Stanza) -> Bool>({ _ in false })
  private nonisolated let shown: Mutex<AccountStatus>
  private nonisolated let executor: LoopExecutor
  private let dialer: AccountDialer
  private let logger: Logger

  private var session: Session?
  /// While it is open.
  private var stream: AccountHandler?
  private var streamOpened: NIODeadline?
  private var keepAlive = KeepAlive(now: .now())
  private var pending = PendingIQs<Waiter>()
  /// Completed when more may be sent, or nothing can be.
  private var room: EventLoopPromise<Void>?
  private var hasOfferedBinding = false
  private var lastTold: AccountProblem?

  /// - Parameter eventLoop: for everything.
  package init(_ configuration: AccountConfiguration, on eventLoop: any EventLoop, logger: Logger) {
    self.init(AccountDialer(configuration: configuration, eventLoop: eventLoop), logger: logger)
  }

  init(_ dialer: AccountDialer, logger: Logger) {
    self.dialer = dialer
    self.logger = logger
    address = dialer.configuration.address.bare
    executor = LoopExecutor.of(dialer.eventLoop)
    shown = Mutex(AccountStatus(address: address, since: Date()))
    let queue = queue
    events = AsyncStream { await queue.next() }
  }

  package nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }
  package nonisolated var eventLoop: any EventLoop { executor.eventLoop }

  package nonisolated var status: AccountStatus { shown.withLock { $0 } }

  private nonisolated func show(_ change: (inout AccountStatus) -> Void) {
    shown.withLock { status in
      let before = status.state
      change(&status)
      if status.state != before { status.since = Date() }
    }
  }

  // MARK: What others may do

  package nonisolated func follow(_ contacts: Set<JID>) {
    let contacts = Set(contacts.map(\.bare).sorted().prefix(AccountLimits.contacts))
    wanted.withLock { $0 = contacts }
    eventLoop.execute { self.assumeIsolated { $0.followedChanged() } }
  }

  package nonisolated func admit(_ isAdmitted: @escaping @Sendable (Stanza) -> Bool) {
    admitted.withLock { $0 = isAdmitted }
  }

  package nonisolated func isContact(_ jid: JID) -> Bool {
    jid.bare == address || mutual.withLock { $0.contains(jid.bare) }
  }

  package nonisolated func directAddress(for jid: JID) -> SocketAddress? {
    dialer.configuration.isDirect && isContact(jid) ? status.localAddress : nil
  }

  package func send(_ stanza: Stanza) async throws {
    let bytes = try encode(stanza)
    try await awaitRoom(until: nil)
    write(bytes)
  }

  package func request(_ iq: Stanza, within patience: Duration) async throws -> Stanza {
    let deadline = NIODeadline.now() + TimeAmount(patience)
    try await awaitRoom(until: deadline)
    let id = pending.nextID()
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        guard !Task.isCancelled else { return continuation.resume(throwing: CancellationError()) }
        ask(iq, id, until: deadline) { continuation.resume(with: $0) }
      }
    } onCancel: {
      eventLoop.execute { self.assumeIsolated { $0.pending.remove(id)?(.failure(CancellationError())) } }
    }
  }

  package nonisolated func request(
    _ iq: Stanza, within patience: Duration, answered: @escaping @Sendable (Result<Stanza, any Error>) -> Void
  ) {
    let deadline = NIODeadline.now() + TimeAmount(patience)
    eventLoop.execute { self.assumeIsolated { $0.ask(iq, $0.pending.nextID(), until: deadline, answered) } }
  }

  package nonisolated func tell(_ stanza: Stanza) {
    eventLoop.execute { self.assumeIsolated { $0.told(stanza) } }
  }

  /// Whoever waits for nothing is not told where it cannot be sent.
  private func told(_ stanza: Stanza) {
    guard session != nil, let bytes = try? encode(stanza) else { return }
    write(bytes)
  }

  private func ask(_ iq: Stanza, _ id: String, until deadline: NIODeadline, _ answered: @escaping Waiter) {
    var iq = iq
    iq.id = id
    do {
      let bytes = try encode(iq)
      guard let session else { throw AccountFailure.offline }
      guard pending.count < AccountLimits.pendingRequests else {
        throw StanzaError(.resourceConstraint, "too many requests are under way")
      }
      let timer = eventLoop.scheduleTask(deadline: deadline) {
        self.assumeIsolated { $0.pending.remove(id)?(.failure(AccountFailure.timedOut)) }
      }
      pending.register(
        id,
        {
          timer.cancel()
          answered($0)
        }, to: session.sender.canonical(iq.to), deadline: nil)
      write(bytes)
    } catch {
      answered(.failure(error))
    }
  }

  /// Without `from`, which the server knows. Throws `StanzaError` where the server does not take as much.
  private func encode(_ stanza: Stanza) throws -> ByteBuffer {
    var stanza = stanza
    stanza.from = nil
    var bytes = ByteBuffer()
    bytes.write(stanza.element)
    let limit = session?.stanzaBytes ?? AccountLimits.stanzaBytes
    guard bytes.readableBytes <= limit else {
      throw StanzaError(
        .policyViolation, "\(bytes.readableBytes) bytes are more than the \(limit) that the server takes")
    }
    return bytes
  }

  // MARK: Sending

  private var hasRoom: Bool {
    guard let session else { return false }
    guard let management = session.management else { return stream?.isWritable ?? false }
    return management.bytes < AccountLimits.unacknowledgedBytes && stream?.isWritable ?? true
  }

  /// Throws `AccountFailure`, or `CancellationError`.
  private func awaitRoom(until deadline: NIODeadline?) async throws {
    while !hasRoom {
      guard session != nil else { throw AccountFailure.offline }
      let promise = room ?? eventLoop.makePromise()
      room = promise
      let mine = eventLoop.makePromise(of: Void.self)
      promise.futureResult.cascade(to: mine)
      let timer = deadline.map { eventLoop.scheduleTask(deadline: $0) { mine.fail(AccountFailure.timedOut) } }
      defer { timer?.cancel() }
      try await mine.futureResult.value()
    }
  }

  private func roomMayBeThere() {
    room.take()?.succeed()
  }

  /// What is written while no stream is open goes out when the session is resumed.
  private func write(_ stanza: ByteBuffer) {
    guard let isAsking = session?.management?.sent(stanza) else {
      stream?.write(stanza)
      return
    }
    stream?.write(stanza)
    if isAsking { ask() }
    if session?.management?.bytes ?? 0 > AccountLimits.mostUnacknowledgedBytes {
      end(AccountProblem(.violation, "the server asks on and on, and does not acknowledge the answers"))
    }
  }

  /// What this account says by itself: small, and nobody to wait for it.
  private func say(_ stanza: Stanza) {
    var bytes = ByteBuffer()
    bytes.write(stanza.element)
    write(bytes)
  }

  /// How far the server is (XEP-0198 §4).
  private func ask() {
    write(Element("r", namespace: Namespace.streamManagement))
    keepAlive.expectsAnswer(now: .now())
  }

  private func write(_ element: Element) {
    var bytes = ByteBuffer()
    bytes.write(element)
    stream?.write(bytes)
  }

  // MARK: What the connection tells

  private func received(_ event: AccountHandler.Event) {
    switch event {
    case .heard: keepAlive.received(now: .now())
    case .chose(let mechanism, let offersBinding):
      hasOfferedBinding = hasOfferedBinding || offersBinding
      show { $0.mechanism = mechanism }
    case .opened(let opening, let stanzaBytes): opened(opening, stanzaBytes)
    case .element(let element): received(element)
    case .writable: roomMayBeThere()
    case .closed: break
    }
  }

  private func received(_ element: Element) {
    if element.namespace == Namespace.streamManagement { return receivedManagement(element) }
    guard let stanza = Stanza(element) else {
      return end(AccountProblem(.violation, "the server says <\(element.name.prefix(40))>, which is no stanza"))
    }
    session?.management?.handledOne()
    switch stanza.kind {
    case .iq where stanza.isAnswer: receivedAnswer(stanza)
    case .iq: receivedRequest(stanza)
    case .presence: receivedPresence(stanza)
    case .message: receivedMessage(stanza)
    }
  }

  private func receivedManagement(_ element: Element) {
    do {
      switch element.name {
      case "r":
        guard let handled = session?.management?.handled else { return }
        write(Element("a", namespace: Namespace.streamManagement, ["h": String(handled)]))
      case "a":
        guard let count = element["h"].flatMap({ UInt32($0) }) else { return }
        if try session?.management?.acknowledge(count) ?? false { ask() }
        roomMayBeThere()
      default: break
      }
    } catch {
      end(AccountProblem(.violation, "the server acknowledges more than was sent"))
    }
  }

  private func receivedAnswer(_ answer: Stanza) {
    guard let sender = session?.sender else { return }
    if answer.id == session?.rosterID, sender.isAccount(answer.from) {
      session?.rosterID = nil
      let actions = session?.contacts.loaded(answer.type == "result" ? answer.payload : nil) ?? []
      contactsChanged()
      return say(actions)
    }
    if answer.id?.hasPrefix(RoutedConnection.idPrefix) == true { return pass(answer) }
    guard let waiter = pending.resolve(answer.id, from: sender.canonical(answer.from)) else { return }
    if let error = answer.error { waiter(.failure(error)) } else { waiter(.success(answer)) }
  }

  private func contactsChanged() {
    let contacts = session?.contacts.contacts ?? []
    mutual.withLock { $0 = contacts }
  }

  /// Nobody chats with a node, as the resource's priority says; parts of bodies come so.
  private func receivedMessage(_ message: Stanza) {
    guard message.type != "error",
      message.children.contains(where: { $0.namespace == Namespace.http || $0.namespace == Namespace.ibb })
    else { return }
    pass(message)
  }

  /// To whoever follows what happens, where it is for somebody there.
  private func pass(_ stanza: Stanza) {
    guard admitted.withLock({ $0 })(stanza) else { return }
    push(stanza)
  }

  /// Of the queue strangers have a half: who fills it takes nothing from friends, and ends nothing.
  private func push(_ stanza: Stanza) {
    let isOurs = stanza.from.map { $0.bare == address || session?.contacts.isWanted($0) == true } ?? true
    guard isOurs || queue.isTaken else {
      if stanza.wantsAnswer { say(stanza.error(StanzaError(.resourceConstraint)).withoutSender) }
      return
    }
    if !queue.push(.stanza(stanza)) { overflow() }
  }

  private func receivedRequest(_ iq: Stanza) {
    guard let sender = session?.sender, let payload = iq.payload else {
      return say(iq.error(StanzaError(.badRequest)).withoutSender)
    }
    if let violation = iq.violation { return say(iq.error(violation).withoutSender) }
    switch (iq.type, payload.namespace, payload.name) {
    case ("set", Namespace.roster, "query"):
      // Whoever else sends one wants to be a contact (RFC 6121 §2.1.6).
      guard sender.isAccount(iq.from) else { break }
      session?.contacts.pushed(payload)
      contactsChanged()
      return say(iq.result().withoutSender)
    case ("get", Namespace.ping, "ping") where isHeard(iq): return say(iq.result().withoutSender)
    case ("get", Namespace.discoInfo, "query") where isHeard(iq):
      let info = AccountCapabilities.info(dialer.configuration)
      let node = payload["node"]
      guard node == nil || node == AccountCapabilities.node(of: info) else {
        return say(iq.error(StanzaError(.itemNotFound)).withoutSender)
      }
      return say(iq.result(info.query(node: node)).withoutSender)
    case _ where isHeard(iq):
      return push(iq)
    default: break
    }
    // As if this resource were not there: who is told nothing of our presence learns nothing by asking (RFC 6121 §8.5.3).
    say(iq.error(StanzaError(.serviceUnavailable)).withoutSender)
  }

  /// Those who are told of our presence, and whoever follows what happens wants to hear.
  private func isHeard(_ stanza: Stanza) -> Bool { isKnown(stanza.from) || admitted.withLock { $0 }(stanza) }

  /// The account itself, its server, and contacts.
  private func isKnown(_ from: JID?) -> Bool {
    guard let session else { return false }
    if session.sender.isServer(from) { return true }
    guard let from else { return true }
    return from.bare == address || session.contacts.isWanted(from) || session.contacts.isMutual(from)
  }

  private func receivedPresence(_ presence: Stanza) {
    guard let session, let from = presence.from else { return }
    switch presence.type {
    case nil, "unavailable":
      let isOther = from.bare == address ? from != session.sender.account : isKnown(from)
      guard isOther, from.resource != nil else { return }
      // What a foreign peer's client is can be asked for again.
      if !queue.push(.presence(presence)), from.bare == address || session.contacts.isWanted(from) { overflow() }
    case let type? where type != "error":
      say(self.session?.contacts.received(type, from: from) ?? [])
      askingChanged()
    default: break
    }
  }

  private func askingChanged() {
    let asking = dialer.configuration.takesRequests ? session?.contacts.asking ?? [] : []
    let new = Set(asking).subtracting(status.asking)
    show { $0.asking = asking }
    for contact in new.sorted() {
      logger.info("wants to be a contact: see hearth requests", metadata: ["jid": "\(contact)"])
    }
  }

  /// What the owner says to an account that wants to be a contact; false where it does not ask any more.
  package func answer(_ contact: JID, accepting isAccepted: Bool) -> Bool {
    let actions = session?.contacts.answer(contact, accepting: isAccepted) ?? []
    say(actions)
    askingChanged()
    return !actions.isEmpty
  }

  private func say(_ actions: [Contacts.Action]) {
    for action in actions {
      guard action.type == Contacts.Action.list else {
        say(Stanza(.presence, to: action.contact, type: action.type))
        continue
      }
      let group = Element("group", namespace: Namespace.roster, text: Contacts.group)
      let item = Element("item", namespace: Namespace.roster, ["jid": action.contact.text], [group])
      say(.set(id: pending.nextID(), Element("query", namespace: Namespace.roster, [:], [item])))
    }
  }

  private func followedChanged() {
    say(session?.contacts.follow(wanted.withLock { $0 }) ?? [])
    askingChanged()
  }

  private func overflow() {
    // What was not taken is lost, so that the session must not be gone on with.
    session?.management = nil
    end(AccountProblem(.overflow, "more came over the account than this node takes"))
  }

  /// Of this connection.
  private func end(_ problem: AccountProblem) {
    stream?.close(problem)
  }

  // MARK: Sessions

  private func opened(_ opening: ClientOpening, _ stanzaBytes: Int) {
    streamOpened = .now()
    keepAlive = KeepAlive(now: .now())
    switch opening {
    case .resumed(let handled): resumed(handled, stanzaBytes)
    case .new(let jid, let management):
      drop("the server did not keep the session")
      session = Session(
        sender: Sender(account: jid), management: management, contacts: Contacts(wanted: wanted.withLock { $0 }),
        stanzaBytes: stanzaBytes)
      show {
        $0.state = .online
        $0.boundAddress = jid
        $0.isResumable = management?.resumption != nil
      }
      lastTold = nil
      logger.notice(
        "the account is online", metadata: ["jid": "\(jid)", "server": "\(status.target?.description ?? "")"])
      _ = queue.push(.online(jid, isResumed: false), isVital: true)
      begin()
    }
  }

  private func begin() {
    let id = pending.nextID()
    session?.rosterID = id
    say(.get(id: id, Element("query", namespace: Namespace.roster)))
    say(Stanza(.presence, AccountCapabilities.presence(dialer.configuration)))
  }

  private func resumed(_ handled: UInt32, _ stanzaBytes: Int) {
    do {
      guard let again = try session?.management?.resumed(handled), let jid = session?.sender.account else {
        return end(AccountProblem(.violation, "the server resumes what was not asked for"))
      }
      session?.until = nil
      session?.stanzaBytes = stanzaBytes
      show {
        $0.state = .online
        $0.resumptions += 1
      }
      lastTold = nil
      logger.info("the account's stream is resumed", metadata: ["jid": "\(jid)", "again": "\(again.count)"])
      for stanza in again { stream?.write(stanza) }
      if !again.isEmpty { ask() }
      _ = queue.push(.online(jid, isResumed: true), isVital: true)
      roomMayBeThere()
    } catch {
      session?.management = nil
      end(AccountProblem(.violation, "the server acknowledges more than was sent"))
    }
  }

  /// The session cannot be gone on with.
  private func drop(_ reason: String) {
    guard session != nil else { return }
    session = nil
    show {
      $0.boundAddress = nil
      $0.isResumable = false
      $0.asking = []
    }
    for waiter in pending.failAll() { waiter(.failure(AccountFailure.offline)) }
    roomMayBeThere()
    _ = queue.push(.offline(reason: reason), isVital: true)
  }

  // MARK: Connections

  package func run() async {
    await withTaskGroup { group in
      group.addTask { await self.connectAgainAndAgain() }
      group.addTask { for await _ in self.retirement.stream {} }
      await group.next()
      group.cancelAll()
    }
    queue.finish()
  }

  /// Ends `run`, from wherever.
  package nonisolated func retire() { retirement.continuation.finish() }

  private func connectAgainAndAgain() async {
    var backoff = Backoff()
    var generator = SystemRandomNumberGenerator()
    while !Task.isCancelled {
      let problem = await connect()
      if let opened = streamOpened.take(), opened + AccountTimes.success < .now() { backoff.succeeded() }
      guard !Task.isCancelled else { break }
      tell(problem)
      if session?.management?.resumption == nil || problem.isFinal {
        drop(problem.message)
      } else if session?.until == nil {
        session?.until = .now() + AccountTimes.resumption
      }
      show { $0.state = problem.isFinal ? .stopped : .waiting }
      await pause(for: problem.isFinal ? nil : backoff.next(using: &generator))
    }
    drop("this node does not use the account any more")
  }

  /// Once, until it is another one.
  private func tell(_ problem: AccountProblem) {
    show {
      $0.problem = problem
      $0.problemTime = Date()
    }
    let level: Logger.Level = problem.isFinal ? .error : problem.code != lastTold?.code ? .warning : .debug
    if problem != lastTold {
      logger.log(level: level, "the account is offline: \(problem)", metadata: ["jid": "\(address)"])
    }
    lastTold = problem
  }

  /// Until then, or until this machine's addresses are others. nil: until it is cancelled.
  private func pause(for pause: Duration?) async {
    let addresses = Self.addresses
    let end = pause.map { ContinuousClock.now + $0 }
    while !Task.isCancelled {
      let step = ContinuousClock.now + Duration(AccountTimes.look)
      try? await Task.sleep(until: min(step, end ?? step), clock: .continuous)
      if let until = session?.until, until < .now() {
        drop("the connection broke, and the server is not reached again")
      }
      guard let end else { continue }
      if (end <= .now || Self.addresses != addresses) && queue.isTaken { return }
    }
  }

  /// Of this machine. They come and go with the network.
  private static var addresses: Set<String> {
    Set((try? System.enumerateDevices())?.compactMap { $0.address?.ipAddress } ?? [])
  }

  /// One connection, from its beginning to its end: over the first server that talks.
  private func connect() async -> AccountProblem {
    show { $0.state = .connecting }
    guard !dialer.configuration.password.isEmpty else {
      return AccountProblem(.unset, "there is no password for \(address): hearth account login \(address) asks for it")
    }
    do throws(AccountProblem) {
      var first: AccountProblem?
      for target in try await dialer.targets() {
        let problem = await connect(to: target)
        if problem.isFinal || streamOpened != nil || Task.isCancelled { return problem }
        first = first ?? problem
      }
      return first ?? AccountProblem(.name, "there is no server to try")
    } catch {
      return error
    }
  }

  private func connect(to target: ServerTarget) async -> AccountProblem {
    show { $0.target = target }
    let ended = eventLoop.makePromise(of: AccountProblem?.self)
    let setting = ClientMachine.Setting(
      configuration: dialer.configuration, security: target.security,
      resumption: session?.management?.resumption, hasOfferedBinding: hasOfferedBinding, nonce: Self.nonce())
    do throws(AccountProblem) {
      let handler = try await dialer.connect(to: target, setting) { [weak self] event in
        if case .closed(let problem) = event { ended.succeed(problem) }
        self?.assumeIsolated { $0.received(event) }
      }
      stream = handler.value
      show { $0.localAddress = handler.value.localAddress }
    } catch {
      ended.succeed(error)
    }
    let watch = eventLoop.scheduleRepeatedTask(initialDelay: AccountTimes.look, delay: AccountTimes.look) {
      [weak self] _ in
      self?.assumeIsolated { $0.look() }
    }
    defer { watch.cancel() }
    let problem = await withTaskCancellationHandler {
      try? await ended.futureResult.get()
    } onCancel: {
      eventLoop.execute { self.assumeIsolated { $0.stream?.close() } }
    }
    stream = nil
    show { $0.localAddress = nil }
    return (problem ?? nil) ?? AccountProblem(.lost, "the stream was closed")
  }

  /// Is the server still there?
  private func look() {
    guard streamOpened != nil, let stream else { return }
    switch keepAlive.look(now: .now()) {
    case .fine: break
    case .ask:
      say(.get(id: pending.nextID(), to: JID(bare: address.domainpart), Element("ping", namespace: Namespace.ping)))
      keepAlive.expectsAnswer(now: .now())
    case .dead:
      stream.abort(
        AccountProblem(.lost, "the server has been silent for \(AccountTimes.patience.nanoseconds / 1_000_000_000) s"))
    }
  }

  /// 18 random bytes, as RFC 5802 §5.1 has it.
  static func nonce() -> String { Base64.encode(SecureRandom.bytes(18)) }
}

extension Stanza {
  /// The server knows who we are.
  fileprivate var withoutSender: Stanza {
    var stanza = self
    stanza.from = nil
    return stanza
  }
}

extension Duration {
  init(_ amount: TimeAmount) { self = .nanoseconds(amount.nanoseconds) }
}
