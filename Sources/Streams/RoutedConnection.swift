import EventLoops
package import NIOCore
import Synchronization
import XML
package import XMPP

/// A connection to one address on a server, which routes stanzas between it and an address of this node (RFC 6120 §10), for a
/// `PeerStream`: to that it is a peer on the link, with a stream header and without TLS.
///
/// The kernel has a pair of sockets for it: one has the stream, and at the other stanzas are sent, and received. No more is read from the
/// stream than was sent: that is the back-pressure. Who the peer is, the server says.
package final class RoutedConnection: Sendable {
  /// Begins the ids of IQs that such streams send, so that no other request over the same server has one of them.
  package static let idPrefix = "s-"

  package let remote: JID
  private let eventLoop: any EventLoop
  private let handler: NIOLoopBoundBox<RoutedHandler?>
  /// What came before the sockets were there; nil once they are.
  private let waiting = Mutex<[Stanza]?>([])
  private let hasEnded = Atomic(false)
  private let outgoing = AsyncStream<[Stanza]>.makeStream()

  package init(to remote: JID, eventLoop: any EventLoop) {
    (self.remote, self.eventLoop) = (remote, eventLoop)
    handler = .makeEmptyBox(eventLoop: eventLoop)
  }

  /// The end for the stream: connected, and not read from by itself. To be called once.
  ///
  /// - Throws: `IOError` where there are no descriptors left.
  package func open() async throws -> any Channel {
    let (remote, outgoing) = (remote, outgoing.continuation)
    let bound = try await eventLoop.submit { [eventLoop, handler] in
      let new = RoutedHandler(to: remote) { outgoing.yield($0) }
      handler.value = new
      return NIOLoopBound(new, eventLoop: eventLoop)
    }.value()
    let channel = try await SocketPair.connect(bound, readingUpTo: Limits.routedRead, eventLoop: eventLoop)
    channel.closeFuture.whenComplete { _ in self.end() }
    // What comes meanwhile comes behind.
    waiting.withLock { waiting in
      for stanza in waiting ?? [] { deliver(stanza) }
      waiting = nil
    }
    if hasEnded.load(ordering: .sequentiallyConsistent) { channel.close(promise: nil) }
    return channel
  }

  /// Sends what the stream says, one stanza after the other, until it has ended.
  ///
  /// - Parameter send: to `remote`. Throws `StanzaError` where the server does not take this one, all else where it takes none.
  package func run(send: (Stanza) async throws -> Void) async {
    do {
      for await stanzas in outgoing.stream {
        for stanza in stanzas { try await self.send(stanza, by: send) }
        eventLoop.execute { [handler] in handler.value?.readOn() }
      }
    } catch {
      end()
    }
  }

  private func send(_ stanza: Stanza, by send: (Stanza) async throws -> Void) async throws {
    do {
      try await send(stanza)
    } catch let error as StanzaError {
      guard stanza.kind == .iq else { return }
      // Somebody waits for it, at the other end or at this one.
      var answer = stanza.error(error)
      if stanza.isAnswer {
        answer.to = remote
        try await send(answer)
      } else {
        answer.from = remote
        received(answer)
      }
    }
  }

  /// A stanza from `remote`.
  package func received(_ stanza: Stanza) {
    let (isWaiting, hasRoom) = waiting.withLock { waiting in
      guard let count = waiting?.count else { return (false, true) }
      guard count < Limits.routedWaiting else { return (true, false) }
      waiting?.append(stanza)
      return (true, true)
    }
    if !isWaiting { deliver(stanza) }
    if !hasRoom { end() }
  }

  private func deliver(_ stanza: Stanza) {
    eventLoop.execute { [handler] in handler.value?.received(stanza) }
  }

  /// Nobody is there any more, or nothing can be sent: the stream is lost.
  package func end() {
    hasEnded.store(true, ordering: .sequentiallyConsistent)
    outgoing.continuation.finish()
    eventLoop.execute { [handler] in handler.value?.end() }
  }
}

/// What a stream writes ⇄ stanzas of one address. On its channel's event loop.
private final class RoutedHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private let remote: JID
  private let send: @Sendable ([Stanza]) -> Void
  private let reader = XMLReader(limits: .established)
  private var context: ChannelHandlerContext?
  private var unsent: [Stanza] = []
  /// What came before the stream did; nil once it has.
  private var early: [Stanza]? = []
  /// Bytes that came, and that the stream has not taken.
  private var held = 0

  init(to remote: JID, _ send: @escaping @Sendable ([Stanza]) -> Void) {
    (self.remote, self.send) = (remote, send)
  }

  func channelActive(context: ChannelHandlerContext) {
    self.context = context
    context.read()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    do {
      try reader.feed(unwrapInboundIn(data), said)
    } catch {
      context.close(promise: nil)
    }
  }

  private func said(_ event: XMLEvent) {
    switch event {
    case .opened: greet()
    case .element(let element):
      guard var stanza = Stanza(element) else { return }
      (stanza.from, stanza.to) = (nil, remote)
      if stanza.wantsAnswer { stanza.id = stanza.id.map { RoutedConnection.idPrefix + $0 } }
      unsent.append(stanza)
    case .closed: context?.close(promise: nil)
    }
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    guard !unsent.isEmpty else { return context.read() }
    send(unsent)
    unsent = []
  }

  func readOn() { context?.read() }

  func channelInactive(context: ChannelHandlerContext) { self.context = nil }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

  /// The header and features of whoever is there, as far as this side can know them: what the server lets pass.
  private func greet() {
    var bytes = ByteBuffer()
    bytes.write(StreamHeader(from: remote, id: "1"))
    let limits = StreamLimits(maxBytes: Limits.routedStanza)
    bytes.write(StreamFeatures(limits: limits).element)
    write(bytes)
    let early = early ?? []
    self.early = nil
    for stanza in early { received(stanza) }
  }

  func received(_ stanza: Stanza) {
    if let count = early?.count {
      if count < Limits.routedWaiting { early?.append(stanza) } else { end() }
      return
    }
    var stanza = stanza
    (stanza.from, stanza.to) = (nil, nil)
    if stanza.isAnswer {
      guard let id = stanza.id, id.hasPrefix(RoutedConnection.idPrefix) else { return }
      stanza.id = String(id.dropFirst(RoutedConnection.idPrefix.count))
    }
    var bytes = ByteBuffer()
    bytes.write(stanza.element)
    guard held + bytes.readableBytes <= Limits.routedHeld else { return end() }
    write(bytes)
  }

  private func write(_ bytes: ByteBuffer) {
    guard let context else { return }
    let count = bytes.readableBytes
    held += count
    context.writeAndFlush(wrapOutboundOut(bytes)).assumeIsolated().whenComplete { [weak self] _ in self?.held -= count }
  }

  func end() { context?.close(promise: nil) }
}
