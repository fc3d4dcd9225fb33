import NIOCore
import XML
import XMPP

/// Bytes ⇄ elements for one connection of a component to its server (XEP-0114 §3): the handshake, then stanzas. On the channel's event loop,
/// as is whoever is told.
final class ComponentHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  enum Event {
    case heard
    case opened
    /// In the namespace of clients.
    case stanza(Stanza)
    case writable
    case closed(AccountProblem)
  }

  private enum State { case greeting, shakingHands, open, closed }

  private let configuration: ComponentConfiguration
  private let receive: @Sendable (ObjectIdentifier, Event) -> Void
  private let reader = XMLReader(limits: AccountLimits.established)
  private var state = State.greeting
  private var context: ChannelHandlerContext?
  private var deadline: Scheduled<Void>?

  init(_ configuration: ComponentConfiguration, _ receive: @escaping @Sendable (ObjectIdentifier, Event) -> Void) {
    (self.configuration, self.receive) = (configuration, receive)
  }

  // MARK: From the channel

  func channelActive(context: ChannelHandlerContext) {
    self.context = context
    deadline = context.eventLoop.assumeIsolated().scheduleTask(in: AccountTimes.negotiation) { [weak self] in
      self?.end(AccountProblem(.timedOut, "the server did not take the component in time"))
    }
    var bytes = ByteBuffer()
    bytes.writeStaticString("<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept'")
    bytes.write(attribute: "xmlns:stream", Namespace.streams)
    bytes.write(attribute: "to", configuration.domain.text)
    bytes.writeStaticString(">")
    context.writeAndFlush(wrapOutboundOut(bytes), promise: nil)
    context.fireChannelActive()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard state != .closed else { return }
    receive(ObjectIdentifier(self), .heard)
    do {
      try reader.feed(unwrapInboundIn(data)) { event in
        received(event)
        if state == .closed { reader.stop() }
      }
    } catch {
      end(AccountProblem(.violation, "the server says what cannot be read: \(error)"))
    }
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    let isWritable = context.channel.isWritable
    try? context.channel.syncOptions?.setOption(.autoRead, value: isWritable)
    if isWritable { receive(ObjectIdentifier(self), .writable) }
    context.fireChannelWritabilityChanged()
  }

  func channelInactive(context: ChannelHandlerContext) {
    end(AccountProblem(.lost, "the server closed the connection"))
    self.context = nil
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    end(AccountProblem(.lost, "the connection broke (\(error))"))
  }

  // MARK: What the server says

  private func received(_ event: XMLEvent) {
    switch event {
    case .opened(let root):
      guard state == .greeting, root.is("stream", Namespace.streams), let id = root["id"] else {
        return end(AccountProblem(.violation, "the server opens no stream for a component"))
      }
      state = .shakingHands
      let digest = SHA1.hexadecimal((id + configuration.secret).utf8)
      write(Element("handshake", namespace: Namespace.client, text: digest))
    case .element(let element) where element.is("error", Namespace.streams): end(Self.problem(StreamError(element)))
    case .element(let element):
      let element = element.moved(from: Namespace.component, to: Namespace.client)
      switch state {
      case .shakingHands where element.is("handshake", Namespace.client):
        state = .open
        deadline?.cancel()
        receive(ObjectIdentifier(self), .opened)
      case .open:
        if let stanza = Stanza(element) { receive(ObjectIdentifier(self), .stanza(stanza)) }
      case .greeting, .shakingHands, .closed:
        end(AccountProblem(.violation, "the server says <\(element.name.prefix(40))> before the handshake is over"))
      }
    case .closed: end(AccountProblem(.refused, "the server ended the stream"))
    }
  }

  private static func problem(_ error: StreamError) -> AccountProblem {
    switch error.condition {
    case .notAuthorized: AccountProblem(.password, "the server does not take this secret for the component")
    case .hostUnknown: AccountProblem(.refused, "the server has no such component: name it in its configuration")
    case .conflict: AccountProblem(.conflict, "another program is this component already")
    default: AccountProblem(.refused, "the server ended the stream: \(error.text ?? error.condition.rawValue)")
    }
  }

  // MARK: From the component

  var isWritable: Bool { context?.channel.isWritable ?? false }

  /// Only while the stream is open.
  func write(_ stanza: Stanza) { if state == .open { write(stanza.element) } }

  /// The stream's namespace is the one that is not declared again.
  private func write(_ element: Element) {
    guard let context else { return }
    var bytes = ByteBuffer()
    bytes.write(element)
    context.writeAndFlush(wrapOutboundOut(bytes), promise: nil)
  }

  func end(_ problem: AccountProblem) {
    guard state != .closed else { return }
    state = .closed
    deadline?.cancel()
    if let context {
      var bytes = ByteBuffer()
      bytes.writeStreamEnd()
      context.writeAndFlush(wrapOutboundOut(bytes), promise: nil)
      context.close(promise: nil)
    }
    receive(ObjectIdentifier(self), .closed(problem))
  }
}

extension Element {
  /// With all inside that has the one namespace in the other: what stanzas are in on a component's stream, they are in `jabber:client` elsewhere.
  fileprivate func moved(from old: String, to new: String) -> Element {
    var element = self
    if element.namespace == old { element.namespace = new }
    if !element.elements.isEmpty {
      element.children = element.children.map { child in
        if case .element(let inner) = child { .element(inner.moved(from: old, to: new)) } else { child }
      }
    }
    return element
  }
}
