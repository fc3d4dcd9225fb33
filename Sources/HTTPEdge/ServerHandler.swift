import HTTPTypes
import NIOCore
import NIOHTTP1
import NIOHTTPTypes
import NIOHTTPTypesHTTP1

/// Between NIO's HTTP/1 codec and the task of a connection: runs the actions of its machine.
///
/// Request targets are passed on as they were sent, absolute form included; a request without exactly one `Host` is
/// refused (RFC 9112 §3.2).
final class ServerHandler: ChannelDuplexHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias InboundOut = HTTPRequestPart
  typealias OutboundIn = HTTPResponsePart
  typealias OutboundOut = HTTPServerResponsePart

  private let limits: HTTPServerLimits
  private var machine: ServerMachine
  private var timer: Scheduled<Void>?
  /// Fulfilled when the client went away, or the connection is over.
  private let gone: EventLoopPromise<Void>

  init(limits: HTTPServerLimits, gone: EventLoopPromise<Void>) {
    self.limits = limits
    self.gone = gone
    machine = ServerMachine(idleTime: limits.idle, now: .now())
  }

  // MARK: Requests

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head):
      read(head, context)
    case .body(let bytes):
      if machine.takesBodies { context.fireChannelRead(wrapInboundOut(.body(bytes))) }
    case .end(let trailers):
      guard machine.takesBodies else { return }
      context.fireChannelRead(wrapInboundOut(.end(trailers.map { HTTPFields($0, splitCookie: false) })))
    }
  }

  private func read(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
    guard let request = HTTPRequest(asSent: head) else {
      return errorCaught(context: context, error: HTTPParserError.invalidHeaderToken)
    }
    guard machine.received(ServerMachine.RequestTraits(head, keepsAlive: request.keepsAlive)) else { return }
    context.fireChannelRead(wrapInboundOut(.head(request)))
  }

  /// What cannot be read is a last request as well: HummingbirdCore's loop answers it with 400 when its turn comes, which
  /// for a head beyond the limits becomes 431 (RFC 6585 §5).
  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    if let error = error as? HTTPParserError {
      let refusal = error == .headerOverflow ? HTTPResponse.Status.requestHeaderFieldsTooLarge : .badRequest
      _ = machine.received(.unreadable(refusal))
    }
    context.fireErrorCaught(error)
  }

  // MARK: Responses

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    switch unwrapOutboundIn(data) {
    case .head(let head):
      perform(machine.writing(head), context, promise) { .head(HTTPResponseHead($0)) }
    case .body(let bytes):
      perform(machine.writing(bytes), context, promise) { .body(.byteBuffer($0)) }
    case .end(let trailers):
      perform(machine.writingEnd(trailers, now: .now()), context, promise) { .end($0.map(HTTPHeaders.init)) }
      armTimer(context)
    }
  }

  private func perform<Part>(
    _ action: ServerMachine.Write<Part>, _ context: ChannelHandlerContext, _ promise: EventLoopPromise<Void>?,
    _ wrap: (Part) -> HTTPServerResponsePart
  ) {
    switch action {
    case .write(let part):
      context.write(wrapOutboundOut(wrap(part)), promise: promise)
    case .skip:
      promise?.succeed()
    case .writeLast(let part):
      let written = promise ?? context.eventLoop.makePromise()
      let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
      written.futureResult.whenComplete { _ in bound.value.0.endOutput(bound.value.1) }
      context.writeAndFlush(wrapOutboundOut(wrap(part)), promise: written)
    case .abort:
      promise?.fail(ChannelError.ioOnClosedChannel)
      context.close(promise: nil)
    }
  }

  /// Ends the output, and leaves the client some time to read it before the socket goes.
  private func endOutput(_ context: ChannelHandlerContext) {
    context.close(mode: .output, promise: nil)
    timer?.cancel()
    let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
    timer = context.eventLoop.scheduleTask(in: limits.linger) { bound.value.close(promise: nil) }
  }

  // MARK: Endings

  func handlerAdded(context: ChannelHandlerContext) {
    armTimer(context)
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    timer?.cancel()
    gone.succeed()
  }

  func channelInactive(context: ChannelHandlerContext) {
    gone.succeed()
    context.fireChannelInactive()
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    switch event {
    case is ChannelShouldQuiesceEvent:
      if machine.quiesce() { context.close(promise: nil) }
    case ChannelEvent.inputClosed:
      inputClosed(context)
      context.fireUserInboundEventTriggered(event)
    default:
      context.fireUserInboundEventTriggered(event)
    }
  }

  private func inputClosed(_ context: ChannelHandlerContext) {
    guard !machine.inputEnded() else { return context.close(promise: nil) }
    context.eventLoop.scheduleTask(in: limits.halfCloseGrace) { [gone] in gone.succeed() }
  }

  /// One timer a connection; it looks again when the deadline has moved on meanwhile.
  private func armTimer(_ context: ChannelHandlerContext) {
    guard timer == nil, let deadline = machine.deadline else { return }
    let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
    timer = context.eventLoop.scheduleTask(deadline: deadline) { bound.value.0.timerFired(bound.value.1) }
  }

  private func timerFired(_ context: ChannelHandlerContext) {
    timer = nil
    guard let deadline = machine.deadline else { return }
    if deadline <= .now() { context.close(promise: nil) } else { armTimer(context) }
  }
}

extension ServerMachine.RequestTraits {
  fileprivate static func unreadable(_ refusal: HTTPResponse.Status) -> Self {
    Self(isHead: false, isHTTP10: false, keepsAlive: false, expects: false, refusal: refusal)
  }

  fileprivate init(_ head: HTTPRequestHead, keepsAlive: Bool) {
    isHead = head.method == .HEAD
    isHTTP10 = head.version.minor == 0
    self.keepsAlive = keepsAlive
    expects = !isHTTP10 && head.headers.first(name: "expect")?.lowercased() == "100-continue"
  }
}

extension HTTPRequest {
  /// Nil where it names no host, or more than one (HTTP/1.0 may name none).
  fileprivate init?(asSent head: HTTPRequestHead) {
    let hosts = head.headers["host"]
    guard hosts.count == 1 || hosts.isEmpty && head.version.minor == 0,
      let method = try? HTTPRequest.Method(head.method)
    else { return nil }
    self.init(
      method: method, scheme: "http", authority: hosts.first, path: head.uri,
      headerFields: HTTPFields(head.headers, splitCookie: false))
    // This very value is what HummingbirdCore's loop goes by.
    if !head.isKeepAlive { headerFields[.connection] = "close" }
  }

  /// NIO's parser stops behind a request that could change the protocol, so nothing can follow it.
  fileprivate var keepsAlive: Bool {
    headerFields[.connection] != "close" && !headerFields.contains(.upgrade) && method != .connect
  }
}
