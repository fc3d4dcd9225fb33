import Bytestreams
import EventLoops
import NIOCore
import TLS
import Trust
import XML
import XMPP

/// Bytes ⇄ stanzas for one channel: runs what `StreamMachine` decides. When bytes are read and leave is decided here: they are
/// read at the end of the loop's tick, and leave at the end of a read, of the tick, or when there are enough.
///
/// Lives on the channel's event loop, as does the stream that it tells. More than eight properties: it is where channel, XML
/// reader, stream machine and TLS meet, and keeps what each of them has to be told.
final class StreamHandler: ChannelInboundHandler, ChannelOutboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundIn = Never
  typealias OutboundOut = ByteBuffer

  private var reader = XMLReader(limits: .negotiating)
  private var machine: StreamMachine
  private var context: ChannelHandlerContext?
  private var deadline: Scheduled<Void>?
  /// Ends the connection of a stream that is over, should the peer not do it.
  private var linger: Scheduled<Void>?
  /// Completed when the socket has room again, for those who wait for that.
  private var writability: EventLoopPromise<Void>?
  private var isFlushScheduled = false
  /// What an open stream has read in this tick, until the loop has read its other channels.
  private var arrived: [ByteBuffer] = []
  private var isReading = false
  /// Stanzas of this turn.
  private var stanzasRead = 0
  /// How much is read in a turn; nil where the peer is not known.
  private var readSize: ReadSize?
  /// False once something came that cannot be read on.
  private var isReadable = true
  /// Written, and not handed to the channel yet.
  private var output = ByteBuffer()
  /// Stanzas since the last flush.
  private var unflushed = 0
  /// Nothing is taken from the socket until then.
  private var readPause: Scheduled<Void>?
  /// Else it would have been read from meanwhile.
  private var isReadDue = false
  private var knownAddress: String?
  /// Once it is open.
  private var attributes: StreamAttributes?
  /// ` from='…' to='…'` of every stanza that is written past the machine.
  private var addresses = ByteBuffer()
  /// Let go when the channel is gone, since the stream holds this handler.
  var stream: PeerStream?

  /// What the other side has shown, once the handshake is over.
  private(set) var proof = PeerIdentity.Proof.none
  private let tls: TLSConfiguration?
  /// Once it is encrypted.
  private(set) var tlsHandler: TLSHandler?
  private let tap: StanzaTap
  /// Whether a server carries what is written.
  private let isRelayed: Bool
  /// Bytes since a space was to be written behind them, and the next one.
  private var untrailed = 0
  private var trail: Scheduled<Void>?

  /// - Parameters:
  ///   - tls: for this side's role; nil where the configuration's policy is `none`.
  ///   - tap: shows the stanzas to whoever looks.
  init(
    role: StreamMachine.Role, configuration: StreamConfiguration, tls: TLSConfiguration?, tap: StanzaTap,
    isRelayed: Bool = false
  ) {
    self.isRelayed = isRelayed
    self.tap = tap
    machine = StreamMachine(role: role, configuration: configuration)
    self.tls = tls
  }

  // MARK: From the channel

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
    if context.channel.isActive { perform(machine.connected(now: context.eventLoop.now)) }
  }

  func channelActive(context: ChannelHandlerContext) {
    perform(machine.connected(now: context.eventLoop.now))
    context.fireChannelActive()
  }

  /// What an open stream brings waits for the end of the tick. Requests of clients that the loop reads meanwhile, and answers of
  /// apps, are on their way to the peer by then, which works on them while this side works on what the peer sent: two nodes that
  /// took what comes in its order would gather all requests under way in one batch, and wait for each other in turn.
  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let bytes = unwrapInboundIn(data)
    // Before it is open, what follows may be for TLS, or for a reader that begins anew.
    if attributes == nil { read(bytes) } else { arrived.append(bytes) }
  }

  private func readArrived() {
    guard !arrived.isEmpty else { return }
    // Apart meanwhile, since what is read may end the channel.
    let taken = arrived
    arrived = []
    stanzasRead = 0
    for bytes in taken { read(bytes) }
    if let changed = readSize?.turned(taken.reduce(0) { $0 + $1.readableBytes }, stanzas: stanzasRead) {
      context?.channel.read(upTo: changed)
    }
    readCompleted()
  }

  private func read(_ bytes: ByteBuffer) {
    guard isReadable else { return }
    isReading = true
    do {
      try reader.feed(bytes) { event in
        if let stanza = machine.stanza(event) { return received(stanza) }
        perform(machine.received(event, unread: reader.unread, now: .now()))
        if machine.takesStanzas { reader.limits = .established }
      }
    } catch {
      isReadable = false
      // `receive` throws nothing, so it is the reader's own error.
      perform(machine.failed(error as? XMLError ?? XMLError(.notWellFormed, "\(error)")))
    }
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    if arrived.isEmpty { readCompleted() } else { scheduleReading(context) }
    context.fireChannelReadComplete()
  }

  private func scheduleReading(_ context: ChannelHandlerContext) {
    context.eventLoop.assumeIsolated().execute { [weak self] in
      guard let self, !isReadPaused else { return }
      readArrived()
    }
  }

  private func readCompleted() {
    // What the answers that came have set free goes on now, and not behind other tasks of the loop.
    stream?.executor.runJobs()
    isReading = false
    flush()
  }

  func read(context: ChannelHandlerContext) {
    isReadDue = isReadPaused
    if !isReadPaused { context.read() }
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    let isWritable = context.channel.isWritable
    stream?.assumeIsolated { $0.writabilityChanged(isWritable) }
    if isWritable { writability.take()?.succeed() }
    context.fireChannelWritabilityChanged()
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if event as? ChannelEvent == .inputClosed {
      readArrived()
      perform(machine.inputEnded())
    }
    if case .established(let certificate, _, _)? = event as? TLSEvent { established(certificate?.spki) }
    context.fireUserInboundEventTriggered(event)
  }

  func channelInactive(context: ChannelHandlerContext) {
    readArrived()
    perform(machine.shut())
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    readArrived()
    if let error = error as? TLSError { perform(machine.tlsFailed(error.message)) }
    // A reset behind the other side's last write is how many clients hang up; the machine knows whether it matters.
    context.close(promise: nil)
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    arrived.removeAll()
    perform(machine.shut())
    deadline?.cancel()
    linger?.cancel()
    readPause?.cancel()
    trail?.cancel()
    writability.take()?.succeed()
    self.context = nil
    stream = nil
  }

  // MARK: From the stream

  /// Without port and scope. Written as text once, since every request asks.
  var remoteAddress: String? {
    if knownAddress == nil { knownAddress = context?.channel.remoteAddress?.host }
    return knownAddress
  }

  /// Of the connection: this side's address, and the other's, with ports and scopes.
  var socketAddresses: (local: SocketAddress?, remote: SocketAddress?) {
    (context?.channel.localAddress, context?.channel.remoteAddress)
  }

  /// The peer is known: it may have its say in large pieces.
  func readFully() {
    let size = ReadSize()
    readSize = size
    context?.channel.read(upTo: size.bytes)
  }

  var isReadPaused: Bool { readPause != nil }

  /// Takes nothing from the socket until then, when the stream is told; nil: goes on.
  func pauseReading(until deadline: NIODeadline?) {
    readPause?.cancel()
    readPause = deadline.flatMap { deadline in
      context?.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) { [weak self] in
        guard let self else { return }
        readPause = nil
        stream?.assumeIsolated { $0.readPauseEnded() }
        readOn()
      }
    }
    readOn()
  }

  private func readOn() {
    guard !isReadPaused, let context else { return }
    if !arrived.isEmpty { scheduleReading(context) }
    guard isReadDue else { return }
    isReadDue = false
    context.read()
  }

  /// How far the connection is; nil where the kernel does not say.
  var connectionProgress: ConnectionProgress? { context?.channel.connectionProgress }

  /// Bytes of the stanza at hand, as it was written.
  var stanzaBytes: Int { reader.lastStanzaBytes }

  var isWritable: Bool { context?.channel.isWritable ?? false }

  /// Succeeds when the socket has sent most of what it was given, or is gone.
  var writable: EventLoopFuture<Void> {
    get throws {
      guard let context else { throw StreamFailure.closed("it is closing.") }
      let promise = writability ?? context.eventLoop.makePromise()
      writability = promise
      return promise.futureResult
    }
  }

  /// False where the stream takes no stanzas, yet or any more.
  @discardableResult
  func send(_ stanza: Stanza) -> Bool {
    switch machine.send(stanza) {
    case .write(let bytes):
      if tap.isOpen { show(bytes) }
      write(bytes)
      return true
    case .tooEarly, .tooLate: return false
    }
  }

  /// An IQ of ours whose payload is written already; false where the stream takes no stanzas.
  func request(_ payload: ByteBuffer, id: String, to device: JID?) -> Bool {
    guard machine.isOpen else { return false }
    let start = output.writerIndex
    output.writeStaticString("<iq")
    writeAddresses(from: nil, to: device)
    finishIQ(" type='set' id='", id, payload, from: start)
    return true
  }

  /// The result of an IQ of the peer's, whose payload is written already; false where the stream takes no stanzas.
  func respond(to iq: Stanza, _ payload: ByteBuffer) -> Bool {
    guard machine.isOpen else { return false }
    let start = output.writerIndex
    output.writeStaticString("<iq")
    writeAddresses(from: iq.to, to: iq.from)
    finishIQ(" type='result' id='", iq.id ?? "", payload, from: start)
    return true
  }

  private func finishIQ(_ type: StaticString, _ id: String, _ payload: ByteBuffer, from start: Int) {
    output.write(type, attributeValue: id, "'>")
    output.writeImmutableBuffer(payload)
    output.writeStaticString("</iq>")
    finishStanza(from: start)
  }

  /// A stanza was written, and begins there.
  private func finishStanza(from start: Int) {
    if tap.isOpen, let bytes = output.getSlice(at: start, length: output.writerIndex - start) { show(bytes) }
    scheduleFlush()
  }

  @inline(never) private func show(_ bytes: ByteBuffer) {
    tap.show(written: bytes, stream?.identity)
  }

  /// Those of the stream, unless others are given.
  private func writeAddresses(from local: JID?, to remote: JID?) {
    if attributes?.areUsual(local, remote) ?? true {
      output.writeImmutableBuffer(addresses)
    } else {
      writeOther(local, remote)
    }
  }

  @inline(never) private func writeOther(_ local: JID?, _ remote: JID?) {
    if let local = local ?? attributes?.local { output.write(attribute: "from", local.text) }
    if let remote = remote ?? attributes?.remote { output.write(attribute: "to", remote.text) }
  }

  /// A block in an IQ: its base64 is written straight into the outgoing bytes.
  func send(_ block: IBBBlock, id: String) {
    guard machine.isOpen else { return }
    reserve(for: block.bytes)
    let start = output.writerIndex
    output.writeString("<iq type='set' id='\(id)'")
    output.writeImmutableBuffer(addresses)
    output.writeStaticString(">")
    block.write(into: &output)
    output.writeStaticString("</iq>")
    finishStanza(from: start)
  }

  /// A chunk in a message, likewise.
  func send(_ chunk: Chunk) {
    guard machine.isOpen else { return }
    reserve(for: chunk.bytes)
    let start = output.writerIndex
    output.writeStaticString("<message")
    output.writeImmutableBuffer(addresses)
    output.writeStaticString(">")
    chunk.write(into: &output)
    output.writeStaticString("</message>")
    finishStanza(from: start)
  }

  /// Room for the payload in base64 and the markup around it, so that it is not moved while it grows.
  private func reserve(for payload: ByteBuffer) {
    output.reserveCapacity(minimumWritableBytes: payload.readableBytes / 3 * 4 + 256 + addresses.readableBytes)
  }

  func close(_ error: StreamError? = nil) {
    guard let context else { return }
    perform(machine.close(error, now: context.eventLoop.now))
  }

  /// Ends the stream without waiting for the peer.
  func abandon(_ error: StreamError) {
    close(error)
    flush()
    context?.close(promise: nil)
  }

  // MARK: Actions

  private func perform(_ actions: [StreamAction]) {
    for action in actions { perform(action) }
  }

  private func perform(_ action: StreamAction) {
    switch action {
    case .write(let bytes): write(bytes)
    case .startTLS: startTLS()
    case .restart: restart()
    case .opened(let attributes): opened(attributes)
    case .features(let features): stream?.assumeIsolated { $0.received(features) }
    case .stanza(let stanza): received(stanza)
    case .deadline(let time): schedule(time)
    case .disconnect: disconnect()
    case .closed(let end): stream?.assumeIsolated { $0.ended(end) }
    }
  }

  private func received(_ stanza: Stanza) {
    stanzasRead += 1
    if tap.isOpen { tap.show(stanza.element, isSent: false, stream?.identity) }
    stream?.assumeIsolated { $0.received(stanza) }
  }

  /// What was written so far goes out in plaintext, all that follows through TLS.
  private func startTLS() {
    restart()
    flush()
    do {
      guard let tls, let context else { return perform(machine.tlsFailed("this side has no key")) }
      let tlsHandler = try TLSHandler(tls)
      try context.pipeline.syncOperations.addHandler(tlsHandler, position: .first)
      self.tlsHandler = tlsHandler
    } catch {
      perform(machine.tlsFailed("\(error)"))
    }
  }

  /// - Parameter spki: the key that the other side has shown; nil where it is a client without one.
  private func established(_ spki: [UInt8]?) {
    let digest = spki.map(Digest.sha256)
    proof = .encrypted
    if let spki, let id = digest.flatMap(NodeID.init(digest:)) { proof = .tls(id, spki: spki) }
    perform(machine.secured(key: digest))
  }

  private func restart() {
    reader.stop()
    reader = XMLReader(limits: .negotiating)
  }

  private func opened(_ attributes: StreamAttributes) {
    self.attributes = attributes
    addresses.write(attribute: "from", attributes.local.text)
    if let remote = attributes.remote { addresses.write(attribute: "to", remote.text) }
    stream?.assumeIsolated { $0.opened(attributes) }
  }

  private func schedule(_ time: NIODeadline?) {
    deadline?.cancel()
    deadline = time.flatMap { time in
      context?.eventLoop.assumeIsolated().scheduleTask(deadline: time) { [weak self] in
        guard let self, let context = self.context else { return }
        perform(machine.timedOut(now: context.eventLoop.now))
      }
    }
  }

  /// FIN, behind all that was written; the peer's own ends the connection. Closing at once would answer what it still
  /// sends with a reset, which can overtake our last words.
  private func disconnect() {
    guard let context else { return }
    flush()
    let loop = context.eventLoop.assumeIsolated()
    linger = loop.scheduleTask(in: StreamTimes.close) { context.close(promise: nil) }
    context.close(mode: .output).assumeIsolated().whenFailure { _ in context.close(promise: nil) }
  }

  private func write(_ bytes: ByteBuffer) {
    output.writeImmutableBuffer(bytes)
    scheduleFlush()
  }

  /// Several stanzas go out in one write: at the end of a read, or of the tick, or when there are enough.
  private func scheduleFlush() {
    if output.readableBytes >= Limits.flushBytes { passOn() }
    unflushed += 1
    guard unflushed < Limits.flushStanzas else { return flush() }
    guard !isReading, !isFlushScheduled, let context else { return }
    isFlushScheduled = true
    context.eventLoop.assumeIsolated().execute { [weak self] in
      guard let self else { return }
      isFlushScheduled = false
      flush()
    }
  }

  /// Hands what was written to the channel, which may wait for its flush.
  private func passOn() {
    guard output.readableBytes > 0, let context else { return }
    if isRelayed { untrailed += output.readableBytes }
    context.write(wrapOutboundOut(output), promise: nil)
    output = ByteBuffer()
  }

  private func flush() {
    guard let context else { return }
    unflushed = 0
    let isKept = output.readableBytes > 0 && output.capacity <= Limits.keptOutput
    var spent = isKept ? output : ByteBuffer()
    passOn()
    context.flush()
    if untrailed >= Limits.trailedBytes { scheduleTrail(context) }
    // Mostly it is on its way, and its memory serves again; not where the flush led to more being written.
    if isKept, output.readableBytes == 0 {
      spent.clear()
      output = spent
    }
    guard !context.channel.isWritable, machine.isOpen, let stream else { return }
    let unsent = unsentBytes(context)
    if !stream.assumeIsolated({ $0.mayHold(unsent) }) {
      abandon(StreamError(.resourceConstraint, "more waits for you than this side can hold"))
    }
  }

  /// COMPAT(Prosody): its proxy for bytestreams (0.12) keeps the end of what it has read at once until more comes. So more does, once
  /// nothing else has for a moment: a space between stanzas (RFC 6120 §4.6.1). It may come too soon, while the proxy has not read all of
  /// what was before it, so that others follow, each later.
  private func scheduleTrail(_ context: ChannelHandlerContext, in pause: TimeAmount = Timeouts.firstTrail) {
    trail?.cancel()
    untrailed = 0
    trail = context.eventLoop.assumeIsolated().scheduleTask(in: pause) { [weak self] in
      guard let self, machine.isOpen, let context = self.context else { return }
      output.writeStaticString(" ")
      passOn()
      context.flush()
      if pause < Timeouts.lastTrail { scheduleTrail(context, in: pause * 4) }
    }
  }

  private func unsentBytes(_ context: ChannelHandlerContext) -> Int {
    (try? context.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
  }
}
