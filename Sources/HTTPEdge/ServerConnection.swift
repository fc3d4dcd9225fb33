import Codecs
import DequeModule
import EventLoops
import HTTPTypes
import NIOCore
import Synchronization

/// One connection from a client, on its event loop: hands its requests to the responder, one after the other.
///
/// More than eight properties: the channel with its handler, the responder, and the request that is under way.
actor ServerConnection {
  enum Incoming {
    case request(Request, BodyStream?)
    /// What came cannot be read, and why.
    case unreadable(HTTPMessageError)
  }

  nonisolated let channel: any Channel
  nonisolated let executor: LoopExecutor
  private let handler: NIOLoopBound<ServerHandler>
  private let responder: HTTPServer.Responder
  private let heads: HeadLog?
  /// Called once, when the channel is closed and no responder runs for it.
  private let onEnd: @Sendable (ServerConnection) -> Void
  private var waiting: Deque<Incoming> = []
  private var task: Task<Void, Never>?
  private var isResponding = false
  /// In nanoseconds of uptime; 0 while a request is under way.
  private let idle = Atomic<UInt64>(0)

  init(
    _ channel: any Channel, handler: NIOLoopBound<ServerHandler>, responder: @escaping HTTPServer.Responder,
    heads: HeadLog?, onEnd: @escaping @Sendable (ServerConnection) -> Void
  ) {
    self.channel = channel
    executor = .of(channel.eventLoop)
    self.handler = handler
    self.responder = responder
    self.heads = heads
    self.onEnd = onEnd
  }

  nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

  /// nil while a request is under way. From whatever thread.
  nonisolated var idleSince: NIODeadline? {
    let idle = idle.load(ordering: .relaxed)
    return idle == 0 ? nil : .uptimeNanoseconds(idle)
  }

  nonisolated func isIdle(since: NIODeadline?) {
    idle.store(since?.uptimeNanoseconds ?? 0, ordering: .relaxed)
  }

  /// Makes room for another one, unless a request has come meanwhile. From whatever thread.
  nonisolated func closeIfIdle() {
    executor.eventLoop.execute {
      self.assumeIsolated { if $0.handler.value.isIdle { $0.handler.value.close() } }
    }
  }

  // MARK: Told by the handler

  func received(_ incoming: Incoming) {
    waiting.append(incoming)
    guard !isResponding else { return }
    isResponding = true
    // Unstructured, as it starts from an event of the channel, where there is no task that it could be a child of. It
    // ends with the channel: `closed` cancels it, and the server waits for `onEnd`.
    task = Task.immediate(executorPreference: executor) { await respond() }
  }

  /// The client waits no longer for what it asked.
  func cancel() {
    task?.cancel()
  }

  /// From whatever thread.
  nonisolated func cut() {
    channel.close(promise: nil)
    // One whose channel is closed may still pass on what came before.
    executor.eventLoop.execute { self.assumeIsolated { $0.cancel() } }
  }

  func closed() {
    cancel()
    waiting.removeAll()
    if !isResponding { onEnd(self) }
  }

  // MARK: Responding

  private func respond() async {
    while !handler.value.isOver, let incoming = waiting.popFirst() {
      switch incoming {
      case .request(let request, let body): await respond(to: request, body)
      case .unreadable(let error): refuse(error)
      }
    }
    isResponding = false
    guard handler.value.isClosed else { return }
    handler.value.released()
    onEnd(self)
  }

  private func respond(to request: Request, _ body: BodyStream?) async {
    heads?.received(request.head, on: channel)
    let writer = ResponseWriter(to: self)
    do {
      try await responder(request, writer)
      if writer.is(.ended) { handler.value.responded() } else { handler.value.close() }
    } catch let error as HTTPMessageError where !writer.isBegun {
      refuse(error)
    } catch {
      // In another protocol what was said to its end may leave, whatever became of the other direction.
      if writer.is(.ended), handler.value.isUpgraded { handler.value.responded() } else { handler.value.close() }
    }
    writer.enter(.ended)
    if let body {
      await body.abandon()
      handler.value.resumeReading()
    }
  }

  private func refuse(_ error: HTTPMessageError) {
    let text = ByteBuffer(string: "This request cannot be read: \(error.message).\n")
    let head = HTTPResponse(
      status: .badRequest,
      headerFields: [
        .connection: "close", .contentType: "text/plain; charset=utf-8", .contentLength: "\(text.readableBytes)",
      ])
    heads?.sent(head, on: channel)
    try? handler.value.write(head, text)
  }

  // MARK: Told by the writer

  func write(_ head: HTTPResponse, _ body: Body, by writer: ResponseWriter) async throws {
    let isLeftOut = body.isEmpty || !handler.value.takesBody(head)
    guard let bytes = isLeftOut ? ByteBuffer() : try await body.whole(upTo: PartSize.small) else {
      try begin(head, by: writer)
      for try await part in body { try await write(part, by: writer) }
      return try finish(by: writer)
    }
    try check(writer, is: .awaited)
    writer.enter(.begun)
    heads?.sent(head, on: channel)
    try handler.value.write(head, bytes)
    writer.enter(.ended)
  }

  func begin(_ head: HTTPResponse, by writer: ResponseWriter) throws {
    try check(writer, is: .awaited)
    writer.enter(.begun)
    heads?.sent(head, on: channel)
    try handler.value.begin(head)
  }

  func write(_ bytes: ByteBuffer, by writer: ResponseWriter) async throws {
    try check(writer, is: .begun)
    try handler.value.write(bytes)
    guard !channel.isWritable else { return }
    await withTaskCancellationHandler {
      await withCheckedContinuation { handler.value.whenWritable($0) }
    } onCancel: {
      channel.eventLoop.execute { [handler] in handler.value.resumeWriting() }
    }
    try Task.checkCancellation()
  }

  func finish(by writer: ResponseWriter) throws {
    try check(writer, is: .begun)
    try handler.value.finish()
    writer.enter(.ended)
  }

  private func check(_ writer: ResponseWriter, is state: ResponseWriter.State) throws {
    guard writer.is(state) else {
      handler.value.close()
      throw ChannelError.ioOnClosedChannel
    }
  }
}
