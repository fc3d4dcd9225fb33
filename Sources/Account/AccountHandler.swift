import NIOCore
import NIOPosix
import TLS
import XML

/// Bytes ⇄ elements for one connection to a server: runs what `ClientMachine` decides. On the channel's event loop, as is whoever
/// is told.
///
/// More than eight properties: the channel, its reader, TLS and the machine meet here.
final class AccountHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  enum Event {
    /// Anything came.
    case heard
    case chose(Mechanism, offersBinding: Bool)
    case opened(ClientOpening, stanzaBytes: Int)
    case element(Element)
    /// The socket takes more again.
    case writable
    case closed(AccountProblem?)
  }

  private var machine: ClientMachine
  private var reader = XMLReader(limits: AccountLimits.negotiating)
  private let password: String
  private let tls: TLSConfiguration
  private var tlsHandler: TLSHandler?
  private var context: ChannelHandlerContext?
  private var deadline: Scheduled<Void>?
  private let receive: @Sendable (Event) -> Void
  /// False once something came that cannot be read on.
  private var isReadable = true

  init(_ setting: ClientMachine.Setting, tls: TLSConfiguration, _ receive: @escaping @Sendable (Event) -> Void) {
    machine = ClientMachine(setting)
    password = setting.configuration.password
    self.tls = tls
    self.receive = receive
  }

  // MARK: From the channel

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
    if context.channel.isActive { begin(context) }
  }

  func channelActive(context: ChannelHandlerContext) {
    begin(context)
    context.fireChannelActive()
  }

  private func begin(_ context: ChannelHandlerContext) {
    guard deadline == nil else { return }
    deadline = context.eventLoop.assumeIsolated().scheduleTask(in: AccountTimes.negotiation) { [weak self] in
      guard let self else { return }
      perform(machine.timedOut())
    }
    perform(machine.connected())
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard isReadable else { return }
    receive(.heard)
    do {
      try reader.feed(unwrapInboundIn(data)) { event in
        perform(machine.received(event, unread: reader.unread))
      }
    } catch {
      isReadable = false
      perform(machine.failed(error as? XMLError ?? XMLError(.notWellFormed, "\(error)")))
    }
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    context.flush()
    context.fireChannelReadComplete()
  }

  /// Who does not read our answers is not listened to meanwhile.
  func channelWritabilityChanged(context: ChannelHandlerContext) {
    let isWritable = context.channel.isWritable
    try? context.channel.syncOptions?.setOption(.autoRead, value: isWritable)
    if isWritable { receive(.writable) }
    context.fireChannelWritabilityChanged()
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case .established(_, let version, _)? = event as? TLSEvent {
      perform(machine.secured(bindings: tlsHandler?.channelBindings ?? [:], version: version))
      context.flush()
    }
    context.fireUserInboundEventTriggered(event)
  }

  func channelInactive(context: ChannelHandlerContext) {
    perform(machine.disconnected())
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    if let error = error as? TLSError {
      perform(machine.tlsFailed(error))
    } else {
      perform(machine.disconnected("the connection broke (\(error))"))
    }
    context.close(promise: nil)
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    perform(machine.disconnected())
    deadline?.cancel()
    self.context = nil
  }

  // MARK: From the account

  var localAddress: SocketAddress? { context?.channel.localAddress }
  var isWritable: Bool { context?.channel.isWritable ?? false }

  /// Only while the stream is open.
  func write(_ bytes: ByteBuffer) {
    guard machine.isOpen, let context else { return }
    context.writeAndFlush(wrapOutboundOut(bytes), promise: nil)
  }

  func close(_ problem: AccountProblem? = nil) {
    perform(machine.close(problem))
    context?.flush()
  }

  /// Ends the connection, whose other end is not there any more.
  func abort(_ problem: AccountProblem) {
    perform(machine.close(problem))
    perform(machine.disconnected())
  }

  // MARK: What the machine decides

  /// Nearest to the socket.
  func addTLS() throws {
    let handler = try TLSHandler(tls)
    tlsHandler = handler
    try context?.pipeline.syncOperations.addHandler(handler, position: .first)
  }

  private func perform(_ actions: [ClientAction]) {
    for action in actions { perform(action) }
  }

  private func perform(_ action: ClientAction) {
    switch action {
    case .write(let bytes): context?.writeAndFlush(wrapOutboundOut(bytes), promise: nil)
    case .restart: reader = XMLReader(limits: AccountLimits.negotiating)
    case .startTLS:
      do {
        try addTLS()
      } catch {
        perform(machine.tlsFailed(error as? TLSError ?? TLSError(.unusableConfiguration, "\(error)")))
      }
    case .chose(let mechanism, let offersBinding): receive(.chose(mechanism, offersBinding: offersBinding))
    case .derive(let derivation): derive(derivation)
    case .opened(let opening, let stanzaBytes):
      deadline?.cancel()
      reader.limits = AccountLimits.established
      receive(.opened(opening, stanzaBytes: stanzaBytes))
    case .element(let element): receive(.element(element))
    case .closing: hangUp(in: AccountTimes.close)
    case .closed(let problem):
      receive(.closed(problem))
      isReadable = false
      // Behind what was said last, which the other side may not take.
      context?.flush()
      context?.close(promise: nil)
    }
  }

  private func hangUp(in time: TimeAmount) {
    deadline?.cancel()
    deadline = context?.eventLoop.assumeIsolated().scheduleTask(in: time) { [weak self] in
      guard let self else { return }
      perform(machine.disconnected())
    }
  }

  /// On another thread: it takes long, by intention.
  private func derive(_ derivation: SCRAM.KeyDerivation) {
    guard let context else { return }
    let password = password
    NIOThreadPool.singleton.runIfActive(eventLoop: context.eventLoop) { derivation.key(of: password) }
      .assumeIsolated().whenComplete { [weak self] result in
        guard let self else { return }
        switch result {
        case .success(let key): perform(machine.derived(key))
        case .failure(let error): perform(machine.disconnected("the password was not hashed (\(error))"))
        }
      }
  }
}
