import Codecs
import Bytestreams
package import HTTPTypes
package import NIOCore
package import XML
package import XMPP

/// The requests and responses of one stream, both ways (XEP-0332 §4): what the other side can do, how many are under way,
/// by which route each body goes, and what an answer says.
///
/// It has no clock and sends nothing: whoever sends stanzas to the other side's address gives it what comes, and sends what
/// it gives back.
package struct ExchangeMachine: Sendable {
  /// What a stanza carries or announces, read.
  package struct Received<Head: Sendable>: Sendable {
    package let head: Head
    package let data: BodyData
    /// Bytes of the body, where the message says so.
    package let length: Int?
  }

  /// A message to be sent as the payload of an IQ, and where its body goes.
  package struct Outgoing: Sendable {
    /// As it is written.
    package let payload: ByteBuffer
    package let route: BodyRoute
  }

  /// A request of the other side, as far as its answer depends on it.
  package struct Answerable: Sendable {
    /// The IQ to answer, without its content, which may be large while others are answered.
    package let iq: Stanza
    /// Without its body.
    package let request: RequestStanza
    package let asksForWebSocket: Bool

    init(_ iq: Stanza, _ request: RequestStanza) {
      var (iq, request) = (iq, request)
      iq.children = []
      // A request with a body asks for none, and who takes no bytestream cannot have one.
      asksForWebSocket =
        request.data == .none && request.head.asksForWebSocket && request.dialect == .xep && request.allows.ibb != false
      request.data = .none
      (self.iq, self.request) = (iq, request)
    }
  }

  /// Requests of the other side that are answered, or wait to be.
  private let limit: Int
  /// What the other side told unasked.
  private var features: StreamFeatures?
  /// What the other side said last that it is and can do; nil outside where it has not been asked, nil inside where it gave
  /// no answer.
  package private(set) var info: DiscoInfo?? {
    didSet { offersHTTP = (info ?? nil)?.features.contains(Namespace.http) ?? false }
  }
  private var offersHTTP = false
  /// When it was asked last.
  private var asked: NIODeadline?
  /// Requests of ours without a response.
  package private(set) var requesting = 0
  /// What was written last: its memory serves again once that was passed on.
  private var payload = ByteBuffer()
  /// Requests of the other side without a whole answer.
  package private(set) var answering = 0
  /// Those that became WebSockets, which are no requests any more: they may last for days, and take nobody's turn.
  package private(set) var upgraded = 0

  package init(limit: Int) {
    self.limit = limit
  }

  // MARK: What the other side can do

  package mutating func received(_ features: StreamFeatures) {
    self.features = features
    if let info = features.info { self.info = info }
  }

  /// It is asked; `learned` has to follow.
  package mutating func asks(now: NIODeadline) { asked = now }

  /// - Parameter info: nil where it gave no answer, which takes nothing back of what it said before.
  package mutating func learned(_ info: DiscoInfo?) {
    if info != nil || self.info == nil { self.info = .some(info) }
  }

  /// Whether a request can be judged by what is known. What the other side said may be over (XEP-0115 §5): a service that it
  /// did not have is there by now. So one without HTTP is asked again, and not too often.
  package func knowsSupport(now: NIODeadline) -> Bool {
    guard let info else { return false }
    guard !offersHTTP else { return true }
    return asked.map { now < $0 + (info == nil ? HTTPXLimits.silentAgain : HTTPXLimits.askAgain) } ?? false
  }

  /// Whether extensions of ours may be used.
  package var isHearth: Bool {
    features?.isHearth ?? info??.features.contains(Namespace.hearth) ?? false
  }

  /// Whether it carries WebSockets.
  private var upgrades: Bool { (info ?? nil)?.features.contains(Namespace.upgrade) ?? false }

  private var stanzaLimit: Int? { features?.limits?.maxBytes }

  /// - Throws: `HTTPXError` (`notHTTP`) where the other side does not offer HTTP.
  package func checkSupport() throws(HTTPXError) {
    guard !offersHTTP else { return }
    let isSilent = (info ?? nil) == nil
    throw HTTPXError(
      .notHTTP, isSilent ? "it answers no queries, as chat programs do." : "it does not offer HTTP over XMPP.")
  }

  // MARK: Requests of ours

  /// A request is sent; `ended` has to follow.
  ///
  /// One that asks for a WebSocket has no body: what is sent after the upgrade is none of the request's.
  ///
  /// - Parameter whole: the body, where all of it is at hand; nil where it streams.
  /// - Throws: `HTTPXError` (`malformed`) where it is larger than what the other side takes, `noUpgrade` where it asks for a
  ///   WebSocket, which the other side cannot carry.
  package mutating func request(_ head: HTTPRequest, _ whole: ByteBuffer?) throws(HTTPXError) -> Outgoing {
    var whole = whole
    if head.asksForWebSocket {
      guard upgrades else { throw HTTPXError(.noUpgrade, "it carries no WebSockets.") }
      whole = ByteBuffer()
    }
    let stanza = RequestStanza(head)
    emptyPayload()
    stanza.writeStart(into: &payload)
    let plan = BodyPlan.choose(
      whole, contentType: head.headerFields.value(of: .contentType), headSize: payload.readableBytes,
      for: .responder(stanzaLimit: stanzaLimit, isHearth: isHearth))
    guard let route = BodyRoute(plan) else { throw HTTPXError(.malformed, "the request is too large for it.") }
    payload.write(route.data)
    stanza.writeEnd(into: &payload)
    requesting += 1
    return Outgoing(payload: payload, route: route)
  }

  private mutating func emptyPayload() {
    if payload.capacity > HTTPXLimits.keptBytes { payload = ByteBuffer() }
    payload.clear(minimumCapacity: HTTPXLimits.usualStanzaBytes)
  }

  /// The response came, or none will.
  package mutating func ended() { requesting -= 1 }

  /// Reads the answer to a request with this method.
  ///
  /// - Parameter upgrading: the request asked for a WebSocket; 101 names the session then, in which both sides send.
  /// - Throws: `HTTPXError` where it is none.
  package func response(
    _ iq: Stanza, to method: HTTPRequest.Method, upgrading: Bool = false
  ) throws(HTTPXError) -> Received<HTTPResponse> {
    guard let payload = iq.payload else { throw HTTPXError(.notHTTP, "its answer has no HTTP in it.") }
    guard let stanza = try ResponseStanza(payload, upgrading: upgrading) else {
      throw HTTPXError(.notHTTP, "its answer is not HTTP.")
    }
    if upgrading, stanza.head.status == .switchingProtocols {
      guard case .ibb = stanza.data else {
        throw HTTPXError(.malformed, "it changed the protocol, and names no bytestream.")
      }
      return Received(head: stanza.head, data: stanza.data, length: nil)
    }
    var head = stanza.head
    do throws(StanzaError) {
      // Also of one without a body: the field goes on.
      let length = try head.headerFields.takeContentLength()
      guard head.hasBody(answering: method) else { return Received(head: head, data: .none, length: nil) }
      try Self.check(stanza.data, length)
      return Received(head: head, data: stanza.data, length: length)
    } catch {
      throw HTTPXError(.malformed, error.text ?? error.condition.rawValue)
    }
  }

  // MARK: Requests of the other side

  /// A request came; `answered` has to follow where this does not throw.
  ///
  /// - Throws: `StanzaError`: what to answer where it cannot be read, or is one too many.
  package mutating func received(
    _ iq: Stanza, _ payload: Element
  ) throws(StanzaError) -> (Answerable, Received<HTTPRequest>) {
    guard let stanza = try RequestStanza(payload) else { throw StanzaError(.badRequest) }
    guard answering < limit else {
      throw StanzaError(.resourceConstraint, "Too many requests are under way on this stream.")
    }
    var head = stanza.head
    let length = try head.headerFields.takeContentLength()
    // One without a body may still say how long it would be (RFC 9110 §9.3.2).
    if stanza.data != .none { try Self.check(stanza.data, length) }
    answering += 1
    let answerable = Answerable(iq, stanza)
    // What is not carried out goes no further (RFC 9110 §7.8).
    if !answerable.asksForWebSocket, head.headerFields.contains(.upgrade) { head.headerFields[.upgrade] = nil }
    return (answerable, Received(head: head, data: stanza.data, length: stanza.data == .none ? nil : length))
  }

  /// The answer to a request, as the payload of the result.
  ///
  /// - Parameter whole: the body, where all of it is at hand; nil where it streams.
  /// - Throws: `StanzaError`: what to answer instead.
  package mutating func answer(
    _ head: HTTPResponse, _ whole: ByteBuffer?, to answerable: Answerable
  ) throws(StanzaError) -> Outgoing {
    let request = answerable.request
    let isUpgrade = answerable.asksForWebSocket && head.status == .switchingProtocols
    guard isUpgrade || (200...999).contains(head.status.code) else {
      throw StanzaError(.internalServerError, "The service gave no final status.")
    }
    let stanza = ResponseStanza(head, dialect: request.dialect)
    emptyPayload()
    stanza.writeStart(into: &payload)
    let receiver = BodyReceiver.requester(request, stanzaLimit: stanzaLimit, isHearth: isHearth)
    let plan = BodyPlan.choose(
      head.hasBody(answering: request.head.method) ? whole : ByteBuffer(),
      contentType: head.headerFields.value(of: .contentType), headSize: payload.readableBytes, for: receiver)
    let usual = BodyRoute(plan)
    guard let route = isUpgrade ? usual.map({ _ in BodyRoute(session: receiver.transferSize) }) : usual else {
      throw StanzaError(.resourceConstraint, "The response is larger than what you take.")
    }
    payload.write(route.data)
    stanza.writeEnd(into: &payload)
    return Outgoing(payload: payload, route: route)
  }

  /// The answer went out whole, or broke off.
  package mutating func answered() { answering -= 1 }

  /// The answer was 101; `closed` follows instead of `answered`.
  package mutating func upgrade() {
    answering -= 1
    upgraded += 1
  }

  package mutating func closed() { upgraded -= 1 }

  /// Whether the body can be had, and is as long as its Content-Length says (RFC 9110 §8.6).
  private static func check(_ data: BodyData, _ length: Int?) throws(StanzaError) {
    if case .unsupported(let name) = data {
      throw StanzaError(.featureNotImplemented, "Bodies by “\(name)” are not understood.")
    }
    guard let length, let bytes = data.bytes, bytes.readableBytes != length else { return }
    throw StanzaError(.badRequest, "The body has \(bytes.readableBytes) bytes, its Content-Length says otherwise.")
  }
}

extension HTTPFields {
  /// The value of `Content-Length`, which is said once from now on; throws where it is not one number (RFC 9110 §8.6).
  fileprivate mutating func takeContentLength() throws(StanzaError) -> Int? {
    switch ContentLength(self) {
    case .absent: return nil
    case .bytes(let length):
      sayContentLengthOnce(length)
      return length
    case .invalid: throw StanzaError(.badRequest, "Content-Length is not one number.")
    }
  }
}
