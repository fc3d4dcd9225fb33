import Codecs
import EventLoops
import HTTPTypes
import NIOCore

/// Between a socket and a connection: runs the actions of its machines, and encodes responses.
///
/// Ten properties, as both directions meet in it, and the channel with the connection.
final class ServerHandler: ChannelDuplexHandler, Flushable {
  typealias InboundIn = ByteBuffer
  typealias OutboundIn = Never
  typealias OutboundOut = ByteBuffer

  private let limits: HTTPServerLimits
  private var machine: ServerMachine
  private var requests: RequestReader
  private var assembler = RequestAssembler()
  /// Something came that is no request: nothing behind it is read.
  private var isUnreadable = false
  private var context: ChannelHandlerContext?
  /// Whom requests are handed to, until the channel is closed.
  var connection: ServerConnection?
  private var flow = BackPressure()
  private var timer: (deadline: NIODeadline, scheduled: Scheduled<Void>)?
  /// What one flush is to write.
  private var output = ByteBuffer()

  init(limits: HTTPServerLimits) {
    self.limits = limits
    requests = RequestReader(limits: limits.heads)
    machine = ServerMachine(
      idleTime: limits.idle, headTime: limits.head, halfClosedTime: limits.halfClosed, now: .now())
  }

  /// Nothing is answered any more.
  var isOver: Bool { machine.isOver }

  var isClosed: Bool { context == nil }

  /// No request is under way.
  var isIdle: Bool { machine.idleSince != nil }

  /// The protocol has changed: nothing of HTTP follows.
  var isUpgraded: Bool { machine.isUpgraded }

  // MARK: Requests

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard !isUnreadable, !machine.isOver else { return }
    requests.received(unwrapInboundIn(data))
    do throws(HTTPMessageError) {
      while !machine.isOver, let part = try requests.next() { received(part, context) }
    } catch {
      refuse(error)
    }
    if isIdle, requests.isInside { waitForHead() }
  }

  /// A part of a head has come.
  private func waitForHead() {
    machine.headBegan(now: .now())
    armTimer()
  }

  private func received(_ part: RequestReader.Part, _ context: ChannelHandlerContext) {
    switch part {
    case .head(let head):
      guard machine.received(head.traits) else { return }
      noteIdle()
      perform(assembler.received(head.request, isHeldBack: head.traits.expects || head.traits.upgrades), context)
    case .body(let bytes):
      machine.passed(now: .now())
      perform(assembler.received(bytes), context)
    // Trailers are not carried on.
    case .end: perform(assembler.receivedEnd(), context)
    }
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    perform(assembler.readCompleted(), context)
    connection?.executor.runJobs()
    context.fireChannelReadComplete()
  }

  private func perform(_ action: RequestAssembler.Action, _ context: ChannelHandlerContext) {
    switch action {
    case .none:
      break
    case .whole(let head, let bytes):
      handOver(head, Body(bytes), nil)
    case .open(let head, let bytes):
      let stream = makeStream(context.eventLoop)
      flow.body = stream
      if let bytes { stream.assumeIsolated { $0.append(bytes) } }
      let length = ContentLength(head.headerFields).value
      handOver(head, Body(stream, length: length), stream)
    case .part(let bytes):
      flow.body?.assumeIsolated { $0.append(bytes) }
    case .end:
      flow.body.take()?.assumeIsolated { $0.finish() }
    }
  }

  private func handOver(_ head: HTTPRequest, _ body: Body, _ stream: BodyStream?) {
    connection?.assumeIsolated {
      $0.received(.request(Request(head: head, body: body, channel: $0.channel), stream))
    }
  }

  /// What cannot be read is a last request as well: it is answered when its turn comes, with 400, or where it is beyond the
  /// limits with 414 or 431 (RFC 6585 §5). One whose body turns out to be none before anybody was told of it is that request.
  private func refuse(_ error: HTTPMessageError) {
    isUnreadable = true
    let refusal = HTTPResponse.Status(refusing: error)
    if assembler.isHolding {
      machine.refuseLast(refusal)
    } else {
      flow.body.take()?.assumeIsolated { $0.finish(throwing: error) }
      guard machine.received(.unreadable(refusal)) else { return }
      noteIdle()
    }
    assembler = RequestAssembler()
    connection?.assumeIsolated { $0.received(.unreadable(error)) }
  }

  /// NIO closes a broken socket itself.
  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    machine.broke()
  }

  // MARK: Reading

  private func makeStream(_ eventLoop: any EventLoop) -> BodyStream {
    let bound = NIOLoopBound(self, eventLoop: eventLoop)
    return BodyStream(on: eventLoop) { bound.value.bodyWanted() }
  }

  private func bodyWanted() {
    if machine.isContinueAwaited { try? begin(HTTPResponse(status: .continue)) }
    resumeReading()
  }

  /// Not while requests wait behind another one, either.
  func read(context: ChannelHandlerContext) {
    if flow.mayRead(isHeldBack: machine.isBacklogged) { context.read() }
  }

  func resumeReading() {
    if flow.resumesReading(isHeldBack: machine.isBacklogged) { context?.read() }
  }

  // MARK: Responses

  /// Whether the response to the request in hand has a body.
  func takesBody(_ head: HTTPResponse) -> Bool { machine.takesBody(head) }

  /// A whole response, in one write.
  func write(_ head: HTTPResponse, _ body: ByteBuffer) throws {
    output.reserveCapacity(PartSize.head + min(body.readableBytes, PartSize.copied))
    try encode(head)
    if body.readableBytes > 0 { try encode(body) }
    try end()
  }

  func begin(_ head: HTTPResponse) throws {
    try encode(head)
    flush()
    machine.passed(now: .now())
    armTimer()
  }

  func write(_ bytes: ByteBuffer) throws {
    machine.passed(now: .now())
    try encode(bytes)
    flush()
  }

  func finish() throws {
    try end()
  }

  private func encode(_ head: HTTPResponse) throws {
    guard !isClosed else { throw ChannelError.ioOnClosedChannel }
    switch machine.writing(head) {
    case .write(let head), .writeLast(let head): output.write(head)
    case .skip: break
    case .abort: try abort()
    }
  }

  private func encode(_ bytes: ByteBuffer) throws {
    guard !isClosed else { throw ChannelError.ioOnClosedChannel }
    switch machine.writing(bytes) {
    case .write(let bytes), .writeLast(let bytes):
      guard machine.isChunked else { return append(bytes) }
      guard bytes.readableBytes > 0 else { return }
      output.writeChunkStart(bytes.readableBytes)
      append(bytes)
      output.writeChunkEnd()
    case .skip: break
    case .abort: try abort()
    }
  }

  /// A large part is not copied behind what is there, but written after it.
  private func append(_ bytes: ByteBuffer) {
    guard bytes.readableBytes > PartSize.copied else {
      output.writeImmutableBuffer(bytes)
      return
    }
    passOn()
    context?.write(wrapOutboundOut(bytes), promise: nil)
  }

  private func end() throws {
    guard !isClosed else { throw ChannelError.ioOnClosedChannel }
    if machine.isChunked { output.writeImmutableBuffer(.lastChunk) }
    switch machine.writingEnd(now: .now()) {
    case .write: flush()
    case .writeLast: flushLast()
    case .skip: break
    case .abort: try abort()
    }
    if machine.idleSince != nil {
      noteIdle()
      if requests.isInside { machine.headBegan(now: .now()) }
    }
    armTimer()
    resumeReading()
  }

  private func noteIdle() {
    connection?.isIdle(since: machine.idleSince)
  }

  private func abort() throws -> Never {
    close()
    throw ChannelError.ioOnClosedChannel
  }

  private func flush() {
    connection?.executor.flushLater(self)
  }

  func flushNow() {
    var spent = output
    passOn()
    context?.flush()
    if spent.readableBytes > 0, spent.capacity <= PartSize.kept, output.readableBytes == 0 {
      // Mostly it is on its way, and its memory serves again; not where the flush led to more being written.
      spent.clear()
      output = spent
    }
  }

  private func flushLast() {
    guard let context else { return }
    let written = context.eventLoop.makePromise(of: Void.self)
    written.futureResult.assumeIsolated().whenComplete { [self] result in outputLeft(result) }
    // An empty buffer where all is on its way: its promise is kept behind the others.
    context.writeAndFlush(wrapOutboundOut(takeOutput()), promise: written)
  }

  private func passOn() {
    if output.readableBytes > 0 { context?.write(wrapOutboundOut(takeOutput()), promise: nil) }
  }

  private func takeOutput() -> ByteBuffer {
    defer { output = ByteBuffer() }
    return output
  }

  /// Ends the output. Of HTTP it was the last message: the client has some time to read it before the socket goes.
  private func outputLeft(_ result: Result<Void, any Error>) {
    guard let context else { return }
    switch machine.outputLeft(isWhole: (try? result.get()) != nil) {
    case .none?: break
    case .endOutput?: context.close(mode: .output, promise: nil)
    case .close?: close()
    case nil:
      context.close(mode: .output, promise: nil)
      schedule(at: .now() + limits.linger) { $0.close() }
    }
  }

  /// Nobody answers any more; what was written leaves before the socket goes.
  func responded() {
    if case .close = machine.responded() { close() }
  }

  // MARK: Writing

  /// Resumed when the socket can take more, or the channel is closed.
  func whenWritable(_ continuation: CheckedContinuation<Void, Never>) {
    flow.wait(for: context?.channel, continuation)
  }

  func resumeWriting() {
    flow.resumeWriting()
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    if context.channel.isWritable { resumeWriting() }
    context.fireChannelWritabilityChanged()
  }

  // MARK: Endings

  func close() {
    machine.broke()
    flushNow()
    context?.close(promise: nil)
  }

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
    noteIdle()
    armTimer()
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    if !isClosed { closed() }
  }

  func channelInactive(context: ChannelHandlerContext) {
    // NIO tells of no end of the input where the output has ended before.
    if machine.closesInOrder { return endInOrder(context) }
    closed()
    context.fireChannelInactive()
  }

  /// Lets what has come be passed on, for as long as a connection that is half closed would have.
  private func endInOrder(_ context: ChannelHandlerContext) {
    flow.body.take()?.assumeIsolated { $0.finish() }
    schedule(at: .now() + limits.halfClosed) { $0.closed() }
    self.context = nil
    context.fireChannelInactive()
  }

  /// Nobody responds any more.
  func released() {
    timer?.scheduled.cancel()
    connection = nil
  }

  private func closed() {
    timer?.scheduled.cancel()
    context = nil
    resumeWriting()
    flow.body.take()?.assumeIsolated { $0.finish(throwing: ChannelError.inputClosed) }
    connection.take()?.assumeIsolated { $0.closed() }
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    switch event {
    case is ChannelShouldQuiesceEvent:
      if machine.quiesce() { close() }
    case ChannelEvent.inputClosed:
      inputClosed(context)
    default:
      context.fireUserInboundEventTriggered(event)
    }
  }

  private func inputClosed(_ context: ChannelHandlerContext) {
    if requests.receivedEnd() { perform(assembler.receivedEnd(), context) }
    if requests.isInside, !isUnreadable, !machine.isOver {
      refuse(HTTPMessageError(.endedEarly, "it broke off"))
    }
    guard !machine.inputEnded(now: .now()) else { return close() }
    armTimer()
    context.eventLoop.assumeIsolated().scheduleTask(in: limits.halfCloseGrace) { [self] in
      if !machine.isUpgraded { connection?.assumeIsolated { $0.cancel() } }
    }
  }

  /// One timer a connection; it looks again when the deadline has moved on meanwhile.
  private func armTimer() {
    guard let deadline = machine.deadline, timer.map({ deadline < $0.deadline }) ?? true else { return }
    schedule(at: deadline) { $0.timerFired() }
  }

  private func schedule(at deadline: NIODeadline, _ action: @escaping (ServerHandler) -> Void) {
    guard let context else { return }
    timer?.scheduled.cancel()
    timer = (deadline, context.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) { [self] in action(self) })
  }

  private func timerFired() {
    timer = nil
    guard let deadline = machine.deadline else { return }
    if deadline <= .now() { close() } else { armTimer() }
  }
}

extension HTTPResponse.Status {
  fileprivate init(refusing error: HTTPMessageError) {
    switch error.code {
    case .malformed, .endedEarly: self = .badRequest
    case .headTooLarge: self = .requestHeaderFieldsTooLarge
    case .targetTooLong: self = .uriTooLong
    }
  }
}

extension ServerMachine.RequestTraits {
  fileprivate static func unreadable(_ refusal: HTTPResponse.Status) -> Self {
    Self(isHead: false, isHTTP10: false, keepsAlive: false, expects: false, refusal: refusal)
  }
}
