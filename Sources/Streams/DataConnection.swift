import Bytestreams
import NIOCore
import TLS

/// One TCP connection beside a stream, for one body: TLS to the stream's peer, unless the stream has none, and then the bytes as they
/// are.
///
/// May be used from any thread. What it tells comes on its own event loop.
final class DataConnection: Sendable {
  enum Event: Sendable {
    case bytes(ByteBuffer)
    /// The other side sends no more, and said so.
    case ended
    /// It broke, in one sentence for a log.
    case failed(String)
  }

  private let channel: any Channel
  private let handler: NIOLoopBound<DataHandler>
  /// Its handshake went by the stream's own secret, and not by certificates.
  let isShared: Bool

  fileprivate init(_ channel: any Channel, _ handler: DataHandler, isShared: Bool) {
    self.channel = channel
    self.isShared = isShared
    self.handler = NIOLoopBound(handler, eventLoop: channel.eventLoop)
  }

  /// Of the other side.
  var remote: SocketAddress? { channel.remoteAddress }

  /// From now on bytes are read, `Limits.dataAhead` ahead of what is taken.
  func start(_ receive: @escaping @Sendable (Event) -> Void) { onLoop { $0.start(receive) } }

  /// So many of the bytes that came are of no more concern.
  func take(_ count: Int) { onLoop { $0.take(count) } }

  /// `isSent` is told whether the socket has taken them.
  func write(_ bytes: ByteBuffer, _ isSent: @escaping @Sendable (Bool) -> Void) {
    let channel = self.channel
    onLoop { _ in channel.writeAndFlush(bytes).whenComplete { isSent((try? $0.get()) != nil) } }
  }

  /// Behind what was written: nothing follows. The other side has a moment to say the same, then the connection is closed.
  func finish() { onLoop { $0.finish() } }

  /// At once.
  func close() { channel.close(promise: nil) }

  private func onLoop(_ body: @escaping @Sendable (DataHandler) -> Void) {
    let handler = self.handler
    if channel.eventLoop.inEventLoop { return body(handler.value) }
    channel.eventLoop.execute { body(handler.value) }
  }
}

/// Why there is no connection.
struct NoDataConnection: Error {
  let reason: String
}

/// The end of a data connection's pipeline, behind TLS.
final class DataHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  /// DER SubjectPublicKeyInfo of whom it has to be, where the handshake is a whole one; nil where there is none.
  private let key: [UInt8]?
  private let ready: EventLoopPromise<DataConnection>
  private var context: ChannelHandlerContext?
  private var receive: (@Sendable (DataConnection.Event) -> Void)?
  /// What came before anybody wanted it: no more than was read together with the end of the handshake.
  private var early: [DataConnection.Event] = []
  /// Bytes that were told and not taken.
  private var untaken = 0
  /// The end was told.
  private var isOver = false
  private var hasFinished = false

  private init(_ key: [UInt8]?, _ ready: EventLoopPromise<DataConnection>) {
    self.key = key
    self.ready = ready
  }

  /// Adds TLS behind the handler of `context`, and whoever knows what to do then. On the channel's event loop.
  ///
  /// - Returns: succeeds once the other side has proved who it is; fails where it does not within `Timeouts.dataHandshake`.
  static func secure(
    _ context: ChannelHandlerContext, _ tls: TLSConfiguration, _ proof: DataProof
  ) throws -> EventLoopFuture<DataConnection> {
    let ready = context.eventLoop.makePromise(of: DataConnection.self)
    let channel = context.channel
    channel.shortenPauses()
    let handler = DataHandler(proof.key, ready)
    let pipeline = context.pipeline.syncOperations
    do {
      try pipeline.addHandler(handler)
      try pipeline.addHandler(TLSHandler(tls.sharing(proof.shared)), position: .before(handler))
    } catch {
      ready.fail(error)
      throw error
    }
    let timer = context.eventLoop.assumeIsolated().scheduleTask(in: Timeouts.dataHandshake) {
      channel.close(promise: nil)
    }
    ready.futureResult.assumeIsolated().whenComplete { _ in timer.cancel() }
    return ready.futureResult
  }

  /// The same without TLS, beside a stream that has none.
  static func plain(_ context: ChannelHandlerContext) throws -> EventLoopFuture<DataConnection> {
    let ready = context.eventLoop.makePromise(of: DataConnection.self)
    context.channel.shortenPauses()
    let handler = DataHandler(nil, ready)
    do {
      try context.pipeline.syncOperations.addHandler(handler)
    } catch {
      ready.fail(error)
      throw error
    }
    handler.begin(context, isShared: false)
    return ready.futureResult
  }

  // MARK: From the connection

  fileprivate func start(_ receive: @escaping @Sendable (DataConnection.Event) -> Void) {
    self.receive = receive
    for event in early { receive(event) }
    early = []
    readOn()
  }

  fileprivate func take(_ count: Int) {
    untaken -= count
    readOn()
  }

  fileprivate func finish() {
    guard !hasFinished, let context else { return }
    hasFinished = true
    let closing = context.close(mode: .output).assumeIsolated()
    closing.whenFailure { _ in context.close(promise: nil) }
    guard !isOver else { return context.close(promise: nil) }
    // What nobody takes any more may still come, and must not be answered with a reset.
    readOn()
    context.eventLoop.assumeIsolated().scheduleTask(in: Timeouts.dataClose) { context.close(promise: nil) }
  }

  private func readOn() {
    if receive != nil, !isOver, untaken < Limits.dataAhead { context?.read() }
  }

  private func tell(_ event: DataConnection.Event) {
    if let receive { receive(event) } else { early.append(event) }
  }

  private func end(_ event: DataConnection.Event) {
    guard !isOver else { return }
    isOver = true
    tell(event)
    if hasFinished { context?.close(promise: nil) }
  }

  // MARK: From the channel

  func handlerAdded(context: ChannelHandlerContext) { self.context = context }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let bytes = unwrapInboundIn(data)
    untaken += bytes.readableBytes
    tell(.bytes(bytes))
  }

  func channelReadComplete(context: ChannelHandlerContext) { readOn() }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    switch event as? TLSEvent {
    case .established(let certificate, _, _)?: established(certificate, context)
    case .shared?: begin(context, isShared: true)
    case nil: break
    }
    if event as? ChannelEvent == .inputClosed { end(.ended) }
  }

  private func established(_ certificate: PeerCertificate?, _ context: ChannelHandlerContext) {
    guard let key, certificate?.spki == key else {
      ready.fail(NoDataConnection(reason: "it has another key than the stream's peer"))
      return context.close(promise: nil)
    }
    begin(context, isShared: false)
  }

  private func begin(_ context: ChannelHandlerContext, isShared: Bool) {
    // Read is what is asked for.
    try? context.channel.syncOptions?.setOption(.autoRead, value: false)
    ready.succeed(DataConnection(context.channel, self, isShared: isShared))
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    ready.fail(error)
    end(.failed("\(error)"))
    context.close(promise: nil)
  }

  func channelInactive(context: ChannelHandlerContext) {
    ready.fail(NoDataConnection(reason: "it was closed"))
    end(.failed("it was closed"))
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    ready.fail(NoDataConnection(reason: "it was closed"))
    self.context = nil
    receive = nil
  }
}
