package import Bytestreams
import EventLoops
package import NIOCore
package import XMPP

/// A connection to a peer inside of an in-band bytestream over a server (XEP-0047), for whatever runs on TCP.
///
/// The kernel has a pair of sockets for it: one is `channel`, and what is written to it goes out in blocks; what blocks bring can be read
/// from it. A block is acknowledged once the reader's socket has taken it, which is the back-pressure.
package final class InBandConnection: Sendable {
  /// Bytes of a block: with base64 and all around it a stanza of 10,000 bytes, which every server takes (RFC 6120 §13.12).
  package static let blockSize = 6144

  /// Connected, and not read from by itself.
  package let channel: any Channel
  private let handler: NIOLoopBound<InBandHandler>

  /// Sends what is given, in the order of the calls, and calls back whether it was taken.
  package typealias Sender = @Sendable (IBBElement, _ answered: @escaping @Sendable (Bool) -> Void) -> Void

  /// - Throws: `IOError` where there are no descriptors left.
  package static func make(
    sid: String, blockSize: Int, eventLoop: any EventLoop, send: @escaping Sender
  ) async throws -> InBandConnection {
    let handler = try await eventLoop.submit {
      NIOLoopBound(InBandHandler(sid: sid, blockSize: blockSize, send: send), eventLoop: eventLoop)
    }.value()
    let channel = try await SocketPair.connect(
      handler, readingUpTo: Limits.inBandWindow * blockSize, eventLoop: eventLoop)
    return InBandConnection(channel, handler)
  }

  private init(_ channel: any Channel, _ handler: NIOLoopBound<InBandHandler>) {
    (self.channel, self.handler) = (channel, handler)
  }

  /// A block came. `answer` is called with nil once its bytes are taken, or with why it was not.
  package func received(_ block: IBBBlock, answer: @escaping @Sendable (StanzaError?) -> Void) {
    channel.eventLoop.execute { [handler] in handler.value.received(block, answer: answer) }
  }

  /// The other side has closed it, or is not there any more: what came before is read still.
  package func ended() {
    channel.eventLoop.execute { [handler] in handler.value.peerEnded() }
  }
}

/// Bytes of one socket ⇄ blocks. On its channel's event loop.
///
/// More than eight properties: the blocks of both directions, and how far each is.
private final class InBandHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private let sid: String
  private let blockSize: Int
  private let send: InBandConnection.Sender
  private var context: ChannelHandlerContext?
  private var unsent = ByteBuffer()
  private var next: UInt16 = 0
  private var inFlight = 0
  private var expected: UInt16 = 0
  /// Bytes that came, and that the socket has not taken.
  private var held = 0
  /// Nothing more is written to this end.
  private var hasEnded = false
  /// Nothing more is said to the peer, nor heard of it.
  private var isOver = false

  init(sid: String, blockSize: Int, send: @escaping InBandConnection.Sender) {
    (self.sid, self.blockSize, self.send) = (sid, blockSize, send)
  }

  func channelActive(context: ChannelHandlerContext) {
    self.context = context
    context.read()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    unsent.writeImmutableBuffer(unwrapInboundIn(data))
  }

  func channelReadComplete(context: ChannelHandlerContext) { sendOn() }

  func channelInactive(context: ChannelHandlerContext) {
    hasEnded = true
    self.context = nil
    sendOn()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

  private func sendOn() {
    guard !isOver else { return }
    while inFlight < Limits.inBandWindow, let bytes = unsent.readSlice(length: min(blockSize, unsent.readableBytes)),
      bytes.readableBytes > 0
    {
      inFlight += 1
      let block = IBBBlock(sid: sid, seq: next, bytes: bytes)
      next &+= 1
      say(.data(block)) { $0.answered($1) }
    }
    guard unsent.readableBytes == 0 else { return }
    unsent.clear()
    if !hasEnded {
      if inFlight < Limits.inBandWindow { context?.read() }
    } else if inFlight == 0 {
      isOver = true
      say(.close(sid: sid)) { _, _ in }
    }
  }

  private func say(_ element: IBBElement, _ answered: @escaping @Sendable (InBandHandler, Bool) -> Void) {
    guard let eventLoop else { return }
    let this = NIOLoopBound(self, eventLoop: eventLoop)
    send(element) { isTaken in eventLoop.execute { answered(this.value, isTaken) } }
  }

  /// Of the channel, also once that has ended.
  private var eventLoop: (any EventLoop)?

  func handlerAdded(context: ChannelHandlerContext) { eventLoop = context.eventLoop }

  private func answered(_ isTaken: Bool) {
    inFlight -= 1
    if isTaken { sendOn() } else { end() }
  }

  func received(_ block: IBBBlock, answer: @escaping @Sendable (StanzaError?) -> Void) {
    guard !isOver, let context else { return answer(StanzaError(.itemNotFound, "there is no such bytestream")) }
    // What a server repeats after it resumed a stream has been taken already.
    if (1...UInt16(Limits.inBandWindow)).contains(expected &- block.seq) { return answer(nil) }
    guard block.seq == expected else { return refuse(.unexpectedRequest, "seq is not \(expected)", answer) }
    guard block.bytes.readableBytes <= blockSize else {
      return refuse(.badRequest, "a block has more than \(blockSize) bytes", answer)
    }
    guard held + block.bytes.readableBytes <= Limits.inBandHeld else {
      return refuse(.resourceConstraint, "blocks are to be answered before more are sent", answer)
    }
    expected &+= 1
    let count = block.bytes.readableBytes
    held += count
    context.writeAndFlush(wrapOutboundOut(block.bytes)).assumeIsolated().whenComplete { [weak self] result in
      self?.held -= count
      if case .success = result { answer(nil) } else { answer(StanzaError(.itemNotFound, "the bytestream has ended")) }
    }
  }

  private func refuse(
    _ condition: StanzaError.Condition, _ text: String, _ answer: @Sendable (StanzaError?) -> Void
  ) {
    answer(StanzaError(condition, text))
    say(.close(sid: sid)) { _, _ in }
    end()
  }

  func peerEnded() { end() }

  private func end() {
    isOver = true
    unsent.clear()
    context?.close(promise: nil)
  }
}
