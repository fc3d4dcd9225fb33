import HTTPTypes
import NIOCore
import NIOHTTP1
import NIOHTTPTypesHTTP1

/// What an exchange gave: a head, and its body or the promise of one.
struct Answer: Sendable {
  let head: HTTPResponse
  let body: HTTPClientBody

  /// The exchange was not over when this was told.
  var isOpen: Bool {
    if case .stream = body.content { true } else { false }
  }
}

/// Why an exchange gave no head; `untouched`: nothing of a response had come.
struct ExchangeFailure: Error {
  let error: HTTPClientError
  let untouched: Bool
}

/// Runs the actions of one connection's machine on its event loop.
final class ClientHandler: ChannelInboundHandler, ChannelOutboundHandler {
  typealias InboundIn = HTTPClientResponsePart
  typealias OutboundIn = HTTPClientRequestPart
  typealias OutboundOut = HTTPClientRequestPart

  private let address: HTTPAddress
  private let loop: any EventLoop
  private var machine: ClientMachine
  private var reading = ReadingGate()
  private var context: ChannelHandlerContext?
  private var answer: EventLoopPromise<Answer>?
  private var source: HTTPClientBody.Producer.Source?
  /// 0 before the first.
  private var exchange = 0
  private var timer: (deadline: NIODeadline, scheduled: Scheduled<Void>)?
  private var error: HTTPClientError?
  /// The connection can carry another request.
  var onRelease: () -> Void = {}

  init(address: HTTPAddress, limits: HTTPClientLimits, eventLoop: any EventLoop) {
    loop = eventLoop
    self.address = address
    machine = ClientMachine(responseTime: limits.response, idleTime: limits.idle)
  }

  // MARK: The request

  /// Writes the head, and the body where it is all there, in one flush. The promise is told of head or failure.
  func start(_ id: Int, _ head: HTTPRequestHead, _ body: ByteBuffer?, answer: EventLoopPromise<Answer>) {
    guard let context, machine.started(id, uploading: body == nil, now: .now()) else {
      let error = firstError ?? HTTPClientError(.closedEarly, address, "the connection was closed while it was idle")
      return answer.fail(ExchangeFailure(error: error, untouched: true))
    }
    self.answer = answer
    exchange = id
    context.write(wrapOutboundOut(.head(head)), promise: nil)
    if let body {
      if body.readableBytes > 0 { context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil) }
      context.write(wrapOutboundOut(.end(nil)), promise: nil)
    }
    context.flush()
    armTimer()
  }

  /// A part of the request's body; fulfilled when the socket has taken it.
  func write(_ bytes: ByteBuffer, of id: Int) -> EventLoopFuture<Void> {
    writeAndFlush(.body(.byteBuffer(bytes)), of: id)
  }

  func finish(_ id: Int) -> EventLoopFuture<Void> {
    let written = writeAndFlush(.end(nil), of: id)
    machine.uploaded(id, now: .now())
    armTimer()
    return written
  }

  /// What ended a connection that has carried nothing: the next one will not do better. Idle ones just end.
  var firstError: HTTPClientError? { exchange == 0 ? error : nil }

  private func writeAndFlush(_ part: HTTPClientRequestPart, of id: Int) -> EventLoopFuture<Void> {
    guard let context, machine.isUploading(id) else {
      return loop.makeFailedFuture(error ?? HTTPClientError(.closedEarly, address, "the response ended first"))
    }
    let written = context.eventLoop.makePromise(of: Void.self)
    context.writeAndFlush(wrapOutboundOut(part), promise: written)
    return written.futureResult
  }

  // MARK: The response

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head):
      guard let response = try? HTTPResponse(head), machine.received(response, keepAlive: head.isKeepAlive) else {
        return fail(HTTPClientError(.malformed, address, "a response head out of place"))
      }
      armTimer()
    case .body(let bytes): perform(machine.received(bytes))
    case .end: perform(machine.receivedEnd(now: .now()))
    }
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    perform(machine.readCompleted())
    context.fireChannelReadComplete()
  }

  private func perform(_ action: ClientMachine.Action) {
    switch action {
    case .none:
      break
    case .answer(let head, let bytes, let fate):
      let body = HTTPClientBody(content: .bytes(bytes), length: bytes.readableBytes)
      settle(fate)
      tell(Answer(head: head, body: body))
    case .open(let head, let bytes):
      let length = head.headerFields[.contentLength].flatMap { Int($0) }
      let producer = makeProducer()
      if let bytes { yield(bytes) }
      tell(Answer(head: head, body: HTTPClientBody(content: .stream(producer), length: length)))
    case .part(let bytes):
      yield(bytes)
    case .end(let bytes, let fate):
      if let bytes { yield(bytes) }
      source?.finish()
      source = nil
      settle(fate)
    }
  }

  private func makeProducer() -> HTTPClientBody.Producer {
    let delegate = HTTPClientBody.Delegate(
      handler: NIOLoopBound(self, eventLoop: loop), eventLoop: loop, exchange: exchange)
    let made = HTTPClientBody.Producer.makeSequence(
      backPressureStrategy: .init(lowWatermark: PartsInFlight.low, highWatermark: PartsInFlight.high),
      finishOnDeinit: false, delegate: delegate)
    source = made.source
    return made.sequence
  }

  private func yield(_ bytes: ByteBuffer) {
    if case .stopProducing = source?.yield(bytes) { reading.pause() }
  }

  private func tell(_ answer: Answer) {
    self.answer?.succeed(answer)
    self.answer = nil
  }

  private func settle(_ fate: ClientMachine.Fate) {
    if reading.resume() { context?.read() }
    switch fate {
    case .release:
      armTimer()
      onRelease()
    case .close:
      context?.close(promise: nil)
    }
  }

  // MARK: Back-pressure

  func read(context: ChannelHandlerContext) {
    if reading.wanted() { context.read() }
  }

  /// The reader of the body has taken what was there.
  func resumeReading(for id: Int) {
    if id == exchange, reading.resume() { context?.read() }
  }

  /// The reader of the response left: whatever has not come by now is not wanted.
  func leave(_ id: Int) {
    guard machine.left(id) else { return }
    source?.finish()
    source = nil
    answer?.fail(CancellationError())
    answer = nil
    context?.close(promise: nil)
  }

  // MARK: Endings

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    self.context = nil
  }

  func channelInactive(context: ChannelHandlerContext) {
    fail(HTTPClientError(.closedEarly, address, "the connection ended before the response did"))
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    fail(HTTPClientError(exchanging: error, with: address))
  }

  /// Breaks the exchange off; whoever waits is told why.
  func fail(_ error: HTTPClientError) {
    self.error = self.error ?? error
    switch machine.failed() {
    case .unnoticed:
      break
    case .head(let untouched):
      answer?.fail(ExchangeFailure(error: error, untouched: untouched))
      answer = nil
    case .body:
      source?.finish(error)
      source = nil
    }
    timer?.scheduled.cancel()
    timer = nil
    context?.close(promise: nil)
  }

  /// One timer a connection; it looks again when the deadline has moved on meanwhile.
  private func armTimer() {
    guard let deadline = machine.deadline, timer.map({ deadline < $0.deadline }) ?? true else { return }
    timer?.scheduled.cancel()
    let handler = NIOLoopBound(self, eventLoop: loop)
    timer = (deadline, loop.scheduleTask(deadline: deadline) { handler.value.timerFired() })
  }

  private func timerFired() {
    timer = nil
    guard let deadline = machine.deadline else { return }
    guard deadline <= .now() else { return armTimer() }
    fail(HTTPClientError(.responseTimedOut, address, "no response in time"))
  }
}

/// Reading from a socket, held back while its consumer has enough.
struct ReadingGate {
  private var isPaused = false
  private var isWanted = false

  mutating func pause() { isPaused = true }

  /// Somebody wants to read: true where that may be now.
  mutating func wanted() -> Bool {
    if isPaused { isWanted = true }
    return !isPaused
  }

  /// True: read now, as that was held back.
  mutating func resume() -> Bool {
    defer { (isPaused, isWanted) = (false, false) }
    return isPaused && isWanted
  }
}
