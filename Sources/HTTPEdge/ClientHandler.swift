import Codecs
import EventLoops
import HTTPTypes
import NIOCore

/// What an exchange gave: a head, and its body or the promise of one.
struct Answer: Sendable {
  let head: HTTPResponse
  let body: Body

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
///
/// Thirteen properties, as it stands between three parties: its channel, the exchange in hand, and the pool.
final class ClientHandler: ChannelInboundHandler, ChannelOutboundHandler, Flushable {
  typealias InboundIn = ByteBuffer
  typealias OutboundIn = Never

  private enum AnswerState {
    case none
    case awaited(CheckedContinuation<Answer, any Error>)
    /// Told before anybody waited.
    case told(Result<Answer, any Error>)
  }

  private let address: HTTPAddress
  private let executor: LoopExecutor
  private var requests = RequestWriter()
  private var responses: ResponseReader
  private var machine: ClientMachine
  private var context: ChannelHandlerContext?
  private var answer = AnswerState.none
  private var flow = BackPressure()
  /// 0 before the first.
  private var exchange = 0
  private var timer: (deadline: NIODeadline, scheduled: Scheduled<Void>)?
  /// How it ends where the protocol has changed.
  private var end = DuplexEnd()
  private var error: HTTPClientError?
  private var onRelease: @Sendable () -> Void = {}

  init(address: HTTPAddress, limits: HTTPClientLimits, executor: LoopExecutor) {
    self.address = address
    self.executor = executor
    responses = ResponseReader(limits: limits.heads)
    machine = ClientMachine(responseTime: limits.response, idleTime: limits.idle)
  }

  /// `onRelease`: the connection can carry another request.
  func opened(onRelease: @escaping @Sendable () -> Void) {
    self.onRelease = onRelease
    machine.opened(now: .now())
    armTimer()
  }

  // MARK: The request

  /// Writes the head, and the body where it is all there, in one flush.
  ///
  /// - Parameter upgrading: the request asks for a WebSocket; more is written once that is agreed.
  func start(_ id: Int, _ head: HTTPRequest, _ body: ByteBuffer?, upgrading: Bool = false) {
    answer = .none
    guard context != nil, machine.started(id, uploading: body == nil, upgrading: upgrading, now: .now()) else {
      let error = firstError ?? HTTPClientError(.closedEarly, address, "the connection was closed while it was idle")
      return tell(.failure(ExchangeFailure(error: error, untouched: true)))
    }
    exchange = id
    responses.expect(answering: head.method, upgrading: upgrading)
    requests.start(head, body)
    executor.flushLater(self)
    armTimer()
  }

  /// A part of the request's body, as it is framed.
  func write(_ bytes: ByteBuffer, of id: Int) throws {
    guard let context, machine.isUploading(id) else { throw endedFirst }
    // Not before its head.
    requests.flush(context)
    context.writeAndFlush(NIOAny(bytes), promise: nil)
  }

  func flushNow() {
    if let context { requests.flush(context) }
  }

  func finish(_ id: Int) throws {
    guard context != nil, machine.isUploading(id) else { throw endedFirst }
    switch machine.uploaded(id, now: .now()) {
    case .none: armTimer()
    case .endOutput: endOutput()
    case .close:
      endOutput()
      perform(end.done())
    }
  }

  /// Where the protocol has changed: the output ends when all that was written has left, which a server that does not read
  /// cannot put off for ever.
  private func endOutput() {
    guard let context else { return }
    end.wrote()
    let loop = context.eventLoop.assumeIsolated()
    let left = context.eventLoop.makePromise(of: Void.self)
    let limit = loop.scheduleTask(in: HTTPClientLimits.drain) { [self] in perform(end.broke()) }
    left.futureResult.assumeIsolated().whenComplete { [self] result in
      limit.cancel()
      // Not inside of the flush that this tells of: TLS has a goodbye to write.
      loop.execute { [self] in perform(end.left((try? result.get()) != nil)) }
    }
    context.writeAndFlush(NIOAny(ByteBuffer()), promise: left)
  }

  private func perform(_ action: DuplexEnd.Action) {
    switch action {
    case .none: break
    case .endOutput: context?.close(mode: .output, promise: nil)
    case .close: context?.close(promise: nil)
    }
  }

  private var endedFirst: HTTPClientError {
    error ?? HTTPClientError(.closedEarly, address, "the response ended first")
  }

  /// Resumed when the socket can take more, or nothing more is to be written.
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

  /// What ended a connection that has carried nothing: the next one will not do better. Idle ones just end.
  var firstError: HTTPClientError? { exchange == 0 ? error : nil }

  // MARK: The response

  /// Resumed with the head, or why there is none.
  func waitForAnswer(_ continuation: CheckedContinuation<Answer, any Error>) {
    guard case .told(let result) = answer else { return answer = .awaited(continuation) }
    answer = .none
    continuation.resume(with: result)
  }

  private func tell(_ result: Result<Answer, any Error>) {
    guard case .awaited(let continuation) = answer else { return answer = .told(result) }
    answer = .none
    continuation.resume(with: result)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    // What follows an end that was no end is of no use.
    guard error == nil else { return }
    responses.received(unwrapInboundIn(data))
    do throws(HTTPMessageError) {
      while let part = try responses.next() { received(part, context) }
    } catch {
      fail(HTTPClientError(exchanging: error, with: address))
    }
  }

  private func received(_ part: ResponseReader.Part, _ context: ChannelHandlerContext) {
    switch part {
    case .head(let head, let keepAlive):
      machine.received(head, keepAlive: keepAlive)
      armTimer()
    case .body(let bytes): perform(machine.received(bytes), context)
    case .end: perform(machine.receivedEnd(now: .now()), context)
    }
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    perform(machine.readCompleted(), context)
    executor.runJobs()
    context.fireChannelReadComplete()
  }

  private func perform(_ action: ClientMachine.Action, _ context: ChannelHandlerContext) {
    switch action {
    case .none:
      break
    case .answer(let head, let bytes, let fate):
      settle(fate)
      tell(.success(Answer(head: head, body: Body(bytes))))
    case .open(let head, let bytes):
      let length = ContentLength(head.headerFields).value
      let stream = makeStream(context.eventLoop)
      flow.body = stream
      if let bytes { stream.assumeIsolated { $0.append(bytes) } }
      tell(.success(Answer(head: head, body: Body(stream, length: length))))
    case .part(let bytes):
      flow.body?.assumeIsolated { $0.append(bytes) }
    case .end(let bytes, let fate):
      flow.body.take()?.assumeIsolated { body in
        if let bytes { body.append(bytes) }
        body.finish()
      }
      settle(fate)
    }
  }

  private func settle(_ fate: ClientMachine.Fate) {
    resumeReading()
    switch fate {
    case .release:
      armTimer()
      onRelease()
    case .close:
      perform(end.done())
    case .stay:
      break
    }
  }

  // MARK: Back-pressure

  private func makeStream(_ eventLoop: any EventLoop) -> BodyStream {
    let bound = NIOLoopBound(self, eventLoop: eventLoop)
    return BodyStream(on: eventLoop) { bound.value.resumeReading() }
  }

  func read(context: ChannelHandlerContext) {
    if flow.mayRead() { context.read() }
  }

  private func resumeReading() {
    if flow.resumesReading() { context?.read() }
  }

  /// The reader of the response left: whatever has not come by now is not wanted.
  func leave(_ id: Int) {
    guard machine.left(id) else { return }
    flow.body.take()?.assumeIsolated { $0.abandon() }
    tell(.failure(CancellationError()))
    resumeWriting()
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
    resumeWriting()
    if responses.receivedEnd() { perform(machine.receivedEnd(now: .now()), context) }
    fail(HTTPClientError(.closedEarly, address, "the connection ended before the response did"))
    context.fireChannelInactive()
  }

  /// The upstream has sent its last byte. That ends a connection of HTTP; of another protocol it ends one direction.
  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    guard case ChannelEvent.inputClosed = event else { return context.fireUserInboundEventTriggered(event) }
    guard machine.isUpgraded else { return context.close(promise: nil) }
    if responses.receivedEnd() { perform(machine.receivedEnd(now: .now()), context) }
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
      tell(.failure(ExchangeFailure(error: error, untouched: untouched)))
    case .body:
      flow.body.take()?.assumeIsolated { $0.finish(throwing: error) }
    }
    resumeWriting()
    timer?.scheduled.cancel()
    timer = nil
    context?.close(promise: nil)
  }

  /// One timer a connection; it looks again when the deadline has moved on meanwhile.
  private func armTimer() {
    guard let context, let deadline = machine.deadline, timer.map({ deadline < $0.deadline }) ?? true else { return }
    timer?.scheduled.cancel()
    timer = (deadline, context.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) { [self] in timerFired() })
  }

  private func timerFired() {
    timer = nil
    guard let deadline = machine.deadline else { return }
    guard deadline <= .now() else { return armTimer() }
    // A request that comes just now shall find a closed connection, and no time-out of its own.
    let code: HTTPClientError.Code = machine.isIdle ? .closedEarly : .responseTimedOut
    fail(
      HTTPClientError(code, address, machine.isIdle ? "the connection was idle for too long" : machine.noResponse))
  }
}
