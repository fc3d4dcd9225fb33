package import NIOCore

/// Ciphertext ⇄ plaintext on a channel: runs what `TLSMachine` decides on a `TLSSession`.
///
/// It may be added to a channel that is active already, nearest to the socket and behind a flush of what goes in the clear
/// (STARTTLS, RFC 6120 §5); the handshake begins when both are there. `TLSEvent.established` tells its end, and a
/// `TLSError` by `errorCaught`, followed by the end of the channel, that there is none. Writes are kept until the
/// handshake is done, without a bound: wait for `established` before writing more than a greeting.
///
/// `close_notify` goes out before the channel or its output is closed. The other side's ends the input (`ChannelEvent`
/// `inputClosed`) where the channel allows half-closure, and the channel otherwise. An end without it is told as
/// `TLSError.truncated`, before the channel's own event; what that means is for the reader to decide.
package final class TLSHandler: ChannelDuplexHandler {
  package typealias InboundIn = ByteBuffer
  package typealias InboundOut = ByteBuffer
  package typealias OutboundIn = ByteBuffer
  package typealias OutboundOut = ByteBuffer

  private let session: TLSSession
  private let timeout: TimeAmount
  private var machine = TLSMachine.idle
  private var deadline: Scheduled<Void>?
  private var writes = PendingWrites()
  /// Used again and again; empty between two reads.
  private var plaintext = ByteBuffer()
  /// Whether plaintext has been handed on since the last `channelReadComplete`.
  private var hasDelivered = false
  /// Whether the other side has said goodbye, and the channel cannot be half open: it is closed once the answers to what
  /// came before are written.
  private var isOver = false

  /// - Throws: `TLSError` with `unusableConfiguration`, see `TLSConfiguration`.
  package convenience init(_ configuration: TLSConfiguration) throws(TLSError) {
    try self.init(configuration, timeout: TLSTimes.handshake)
  }

  init(_ configuration: TLSConfiguration, timeout: TimeAmount) throws(TLSError) {
    session = try TLSSession(configuration)
    self.timeout = timeout
  }

  /// For a login over this connection; on its event loop, once `TLSEvent.established` was told.
  package var channelBindings: [ChannelBinding: [UInt8]] { session.channelBindings }

  /// What both sides of this connection have, for one other connection between them that both know by this name. nil before the
  /// handshake is done, and with TLS 1.2.
  package func sharedKey(for name: String) -> SharedKey? {
    machine.isWritable || machine.isReadable ? session.sharedKey(for: Array(name.utf8)) : nil
  }

  // MARK: From the channel

  package func handlerAdded(context: ChannelHandlerContext) {
    if context.channel.isActive { begin(context) }
  }

  package func channelActive(context: ChannelHandlerContext) {
    context.fireChannelActive()
    begin(context)
  }

  package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard machine.isHandshaking || machine.isReadable else { return }
    session.receive(unwrapInboundIn(data))
    if machine.isHandshaking { shakeHands(context) } else { read(context) }
  }

  package func channelReadComplete(context: ChannelHandlerContext) {
    // Whoever reads on demand has asked for plaintext, and would not ask again.
    if !hasDelivered, machine.isHandshaking || machine.isReadable { context.read() }
    hasDelivered = false
    context.fireChannelReadComplete()
    if isOver { close(context: context, mode: .all, promise: nil) }
  }

  package func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    guard case ChannelEvent.inputClosed = event else {
      context.fireUserInboundEventTriggered(event)
      return
    }
    if end(machine.inputEnded(), context) { context.fireUserInboundEventTriggered(event) }
  }

  package func channelInactive(context: ChannelHandlerContext) {
    _ = end(machine.disconnected(), context)
    release(ChannelError.ioOnClosedChannel)
    context.fireChannelInactive()
  }

  package func handlerRemoved(context: ChannelHandlerContext) {
    release(ChannelError.ioOnClosedChannel)
  }

  // MARK: From the other handlers

  package func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    guard machine.takesWrites else {
      promise?.fail(machine == .closed ? ChannelError.ioOnClosedChannel : ChannelError.outputClosed)
      return
    }
    writes.append(unwrapOutboundIn(data), promise)
  }

  package func flush(context: ChannelHandlerContext) {
    writes.markFlush()
    if machine.isWritable { drain(context) }
  }

  package func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
    let action: TLSCloseAction
    switch mode {
    case .all: action = machine.close()
    case .output: action = machine.closeOutput()
    case .input:
      promise?.fail(ChannelError.operationUnsupported)
      return
    }
    if action == .sayGoodbye {
      session.sayGoodbye()
      send(context)
    }
    release(ChannelError.ioOnClosedChannel)
    context.close(mode: action == .giveUp ? .all : mode, promise: promise)
  }
}

extension TLSHandler {
  // MARK: The handshake

  private func begin(_ context: ChannelHandlerContext) {
    guard machine.connected() else { return }
    deadline = context.eventLoop.assumeIsolated().scheduleTask(in: timeout) { [self] in
      if machine.deadlinePassed() { tell(.handshakeTimeout, context) }
    }
    shakeHands(context)
    if machine.isHandshaking { context.read() }
  }

  private func shakeHands(_ context: ChannelHandlerContext) {
    do {
      let isDone = try session.handshake()
      send(context)
      if isDone { established(context) }
    } catch {
      fail(error, context)
    }
  }

  private func established(_ context: ChannelHandlerContext) {
    machine.established()
    deadline?.cancel()
    deadline = nil
    context.fireUserInboundEventTriggered(
      session.isShared
        ? TLSEvent.shared : .established(session.peer, protocol: session.version, cipher: session.cipher))
    read(context)
    if machine.isWritable { drain(context) }
  }

  // MARK: Reading

  private func read(_ context: ChannelHandlerContext) {
    // Whoever is handed plaintext may close the channel.
    while machine.isReadable {
      if plaintext.capacity == 0 { plaintext.reserveCapacity(TLSLimits.plaintextBytes) }
      do {
        let outcome = try session.read(into: &plaintext)
        deliver(context)
        switch outcome {
        case .full: continue
        case .dry: send(context)
        case .ended: receivedGoodbye(context)
        }
      } catch {
        deliver(context)
        fail(error, context)
      }
      return
    }
  }

  private func deliver(_ context: ChannelHandlerContext) {
    guard plaintext.readableBytes > 0 else { return }
    hasDelivered = true
    context.fireChannelRead(wrapInboundOut(plaintext))
    // Whoever kept a slice of it keeps it; we go on with a new one.
    plaintext.clear(minimumCapacity: TLSLimits.plaintextBytes)
  }

  private func receivedGoodbye(_ context: ChannelHandlerContext) {
    let isHalfClosable = try? context.channel.syncOptions?.getOption(.allowRemoteHalfClosure)
    if machine.receivedGoodbye(isHalfClosable: isHalfClosable ?? false) {
      context.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
    } else {
      isOver = true
    }
  }

  // MARK: Writing

  /// Encrypts all that was flushed and gives it to the socket in one piece.
  private func drain(_ context: ChannelHandlerContext) {
    var promise: EventLoopPromise<Void>?
    do {
      try encrypt(&promise)
      send(context, promise)
    } catch {
      promise?.fail(error)
      fail(error, context)
    }
  }

  /// Small writes share records.
  private func encrypt(_ promise: inout EventLoopPromise<Void>?) throws(TLSError) {
    var record = ByteBuffer()
    while let write = writes.next() {
      promise.setOrCascade(to: write.promise)
      if record.readableBytes + write.bytes.readableBytes > TLSLimits.recordBytes {
        try session.write(record)
        record.clear()
      }
      if record.readableBytes == 0 {
        record = write.bytes
      } else {
        record.writeImmutableBuffer(write.bytes)
      }
    }
    try session.write(record)
  }

  private func send(_ context: ChannelHandlerContext, _ promise: EventLoopPromise<Void>? = nil) {
    guard let bytes = session.takeOutgoing() else {
      // A write of nothing is done when those before it are.
      if let promise { context.writeAndFlush(wrapOutboundOut(ByteBuffer()), promise: promise) }
      return
    }
    context.writeAndFlush(wrapOutboundOut(bytes), promise: promise)
  }

  // MARK: The end

  /// Whether the channel's own event is to be passed on.
  private func end(_ action: TLSEndAction, _ context: ChannelHandlerContext) -> Bool {
    switch action {
    case .passOn: return true
    case .ignore: return false
    case .report(let error):
      release(error)
      context.fireErrorCaught(error)
      return true
    case .fail(let error):
      tell(error, context)
      return true
    }
  }

  private func fail(_ error: TLSError, _ context: ChannelHandlerContext) {
    if machine.failed() { tell(error, context) }
  }

  private func tell(_ error: TLSError, _ context: ChannelHandlerContext) {
    send(context)
    release(error)
    context.fireErrorCaught(error)
    context.close(promise: nil)
  }

  private func release(_ error: any Error) {
    deadline?.cancel()
    deadline = nil
    writes.fail(error)
  }
}
