import Codecs
package import Bytestreams
package import HTTPTypes
package import NIOCore
package import XML
package import XMPP

/// The requests and responses of one stream, both ways (XEP-0332 §4): what the other side can do, how many are under way,
/// by which route each body goes, and what an answer says.
///
/// It has no clock and sends nothing: whoever sends stanzas to the other side's address gives it what comes, and sends what
/// it gives back.
///
/// More than eight properties: both directions, and what each request asks of the other side's abilities, which is noted once.
package struct ExchangeMachine: ~Copyable, Sendable {
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

  /// A request of the other side, as far as its answer depends on it. A reference, since it is large, and passed on a few times.
  package final class Answerable: Sendable {
    /// The IQ to answer, without its content, which may be large while others are answered.
    package let iq: Stanza
    /// Without its body.
    package let request: RequestStanza
    package let asksForWebSocket: Bool
    /// Takes `<xml/>`, and loses nothing of it.
    let readsDocuments: Bool

    init(_ iq: borrowing Stanza, _ request: consuming RequestStanza, readsDocuments: Bool) {
      self.readsDocuments = readsDocuments
      // A request with a body asks for none, and who takes no bytestream cannot have one.
      asksForWebSocket =
        request.data == .none && request.head.asksForWebSocket && request.dialect == .xep && request.allows.ibb != false
      request.data = .none
      self.iq = Stanza(iq.kind, from: iq.from, to: iq.to, type: iq.type, id: iq.id)
      self.request = request
    }
  }

  /// Requests of the other side that are answered, or wait to be.
  private let limit: Int
  private let preference: [BodyMechanism]
  /// What the other side told unasked.
  private var features: StreamFeatures? { didSet { noteExtensions() } }
  /// What the other side said last that it is and can do; nil outside where it has not been asked, nil inside where it gave
  /// no answer.
  package private(set) var info: DiscoInfo?? {
    didSet {
      offersHTTP = (info ?? nil)?.features.contains(Namespace.http) ?? false
      noteExtensions()
    }
  }
  private var offersHTTP = false
  /// Whether extensions of ours may be used. Noted, since each request asks.
  package private(set) var isHearth = false
  /// Whether it serves bodies beside the stream (XEP-0260).
  private var servesDirect = false
  /// Where this side can be reached for such bodies; nil while none are to go so.
  package var direct: S5BOffer?
  /// When it was asked last.
  private var asked: NIODeadline?
  /// Its answer is awaited.
  private var isAsked = false
  /// Requests of ours without a response.
  package private(set) var requesting = 0
  /// What was written last: its memory serves again once that was passed on.
  private var payload = ByteBuffer()
  /// Requests of the other side without a whole answer.
  package private(set) var answering = 0
  private var documentNames = DocumentNames()
  /// Those that became WebSockets, which are no requests any more: they may last for days, and take nobody's turn.
  package private(set) var upgraded = 0

  /// - Parameters:
  ///   - limit: requests of the other side that are answered, or wait to be.
  ///   - preference: how bodies go beside their stanzas, the first that the other side allows.
  package init(limit: Int, preference: [BodyMechanism] = BodyMechanism.standard) {
    self.preference = preference
    self.limit = limit
  }

  // MARK: What the other side can do

  package mutating func received(_ features: StreamFeatures) {
    self.features = features
    if let info = features.info { self.info = info }
  }

  /// It is asked; `learned` has to follow.
  package mutating func asks(now: NIODeadline) {
    asked = now
    isAsked = true
  }

  /// - Parameter info: nil where it gave no answer, which takes nothing back of what it said before.
  package mutating func learned(_ info: DiscoInfo?) {
    isAsked = false
    if info != nil || self.info == nil { self.info = .some(info) }
  }

  /// Whether a request can be judged by what is known. What the other side said may be over (XEP-0115 §5): a service that it
  /// did not have is there by now. So one without HTTP is asked again, and not too often; nothing is judged while it is asked.
  package func knowsSupport(now: NIODeadline) -> Bool {
    guard let info else { return false }
    guard !offersHTTP else { return true }
    guard !isAsked else { return false }
    return asked.map { now < $0 + (info == nil ? HTTPXLimits.silentAgain : HTTPXLimits.askAgain) } ?? false
  }

  private mutating func noteExtensions() {
    isHearth = features?.isHearth ?? info??.features.contains(Namespace.hearth) ?? false
    servesDirect = (info ?? nil)?.features.contains(Namespace.jingleS5B) ?? false
  }

  /// Whether it carries WebSockets.
  private var upgrades: Bool { (info ?? nil)?.features.contains(Namespace.upgrade) ?? false }

  private var stanzaLimit: Int? { features?.limits?.maxBytes }

  /// Where bodies may go beside the stream, both ways.
  private var mutualDirect: S5BOffer? { isHearth && servesDirect ? direct : nil }

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
    let stanza = RequestStanza(head, allows: mutualDirect == nil ? .own : .ownDirect)
    emptyPayload()
    stanza.writeStart(into: &payload)
    let contentType = head.headerFields.value(of: .contentType)
    let length = whole?.readableBytes ?? ContentLength(head.headerFields).value
    let plan = BodyPlan.choose(
      whole, length: length, contentType: contentType, headSize: payload.readableBytes,
      for: .responder(stanzaLimit: stanzaLimit, isHearth: isHearth, direct: mutualDirect, preference: preference))
    guard let route = BodyRoute(plan, file: (SIFile(name: "body", size: length, mimeType: contentType), nil)) else {
      throw HTTPXError(.malformed, "the request is too large for it.")
    }
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
      let bodyLength = try Self.settle(stanza.data, length, &head.headerFields)
      return Received(head: head, data: stanza.data, length: bodyLength)
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
    let data = stanza.data
    let length = try head.headerFields.takeContentLength()
    // One without a body may still say how long it would be (RFC 9110 §9.3.2).
    let bodyLength = data == .none ? nil : try Self.settle(data, length, &head.headerFields)
    answering += 1
    // COMPAT(IoTGateway): speaks of SOCKS5, as nobody else but we do, and takes of `<xml/>` the text alone.
    let readsDocuments = stanza.dialect == .xep && (isHearth || payload["s5"] == nil)
    let answerable = Answerable(iq, stanza, readsDocuments: readsDocuments)
    // What is not carried out goes no further (RFC 9110 §7.8).
    if !answerable.asksForWebSocket, head.headerFields.has(.upgrade) { head.headerFields[.upgrade] = nil }
    return (answerable, Received(head: head, data: data, length: bodyLength))
  }

  /// The answer to a request, as the payload of the result.
  ///
  /// - Parameters:
  ///   - whole: the body, where all of it is at hand; nil where it streams.
  ///   - prefersXML: a document goes as `<xml>` where it survives that.
  /// - Throws: `StanzaError`: what to answer instead.
  package mutating func answer(
    _ head: HTTPResponse, _ whole: ByteBuffer?, prefersXML: Bool = false, to answerable: Answerable
  ) throws(StanzaError) -> Outgoing {
    let isUpgrade = answerable.asksForWebSocket && head.status == .switchingProtocols
    guard isUpgrade || (200...999).contains(head.status.code) else {
      throw StanzaError(.internalServerError, "The service gave no final status.")
    }
    var stanza = ResponseStanza(head, dialect: answerable.request.dialect)
    emptyPayload()
    stanza.writeStart(into: &payload)
    let body = head.hasBody(answering: answerable.request.head.method) ? whole : ByteBuffer()
    let receiver = BodyReceiver.requester(
      answerable.request, stanzaLimit: stanzaLimit, isHearth: isHearth, direct: mutualDirect, preference: preference)
    let plan = BodyPlan.choose(
      body, length: body == nil ? ContentLength(head.headerFields).value : nil,
      contentType: head.headerFields.value(of: .contentType),
      document: prefersXML && answerable.readsDocuments ? document(body, head) : nil, headSize: payload.readableBytes,
      for: receiver)
    if case .inline(.xml) = plan {
      // Whoever reads the document counts the bytes that it makes of it.
      stanza.head.headerFields[.contentLength] = nil
      emptyPayload()
      stanza.writeStart(into: &payload)
    }
    let usual = BodyRoute(plan, file: Self.file(head, whole, answerable))
    guard let route = isUpgrade ? usual.map({ _ in BodyRoute(session: receiver.transferSize) }) : usual else {
      throw StanzaError(.resourceConstraint, "The response is larger than what you take.")
    }
    payload.write(route.data)
    stanza.writeEnd(into: &payload)
    return Outgoing(payload: payload, route: route)
  }

  /// What a body is published as: the last part of its path, and nothing is said of its time.
  private static func file(
    _ head: HTTPResponse, _ whole: ByteBuffer?, _ answerable: Answerable
  ) -> (SIFile, from: String?) {
    let path = (answerable.request.head.path ?? "").prefix { $0 != "?" }
    let name = path.split(separator: "/").last.map { String($0.prefix(HTTPXLimits.fileNameCharacters)) } ?? "body"
    var size = whole?.readableBytes
    if size == nil { size = ContentLength(head.headerFields).value }
    let file = SIFile(name: name, size: size, mimeType: head.headerFields.value(of: .contentType))
    return (file, answerable.iq.to?.text)
  }

  @inline(never) private mutating func document(_ body: ByteBuffer?, _ head: HTTPResponse) -> Element? {
    guard let root = body.flatMap({ XMLDocument.root(of: $0, head) }), documentNames.admit(root) else { return nil }
    return root
  }

  /// The answer went out whole, or broke off.
  package mutating func answered() { answering -= 1 }

  /// The answer was 101; `closed` follows instead of `answered`.
  package mutating func upgrade() {
    answering -= 1
    upgraded += 1
  }

  package mutating func closed() { upgraded -= 1 }

  /// The body's length. Throws where the body cannot be had, or is not as long as its Content-Length says (RFC 9110 §8.6).
  private static func settle(
    _ data: BodyData, _ length: Int?, _ fields: inout HTTPFields
  ) throws(StanzaError) -> Int? {
    if case .unsupported(let name) = data {
      throw StanzaError(.featureNotImplemented, "Bodies by “\(name)” are not understood.")
    }
    let file: SIFile? =
      switch data {
      case .sipub(let publication): publication.file
      case .jingle(let session): session.file
      default: nil
      }
    if let size = file?.size {
      guard length ?? size == size
      else { throw StanzaError(.badRequest, "The file has \(size) bytes, its Content-Length says otherwise.") }
      return size
    }
    guard let bytes = data.bytes else { return length }
    // As it was written before it was embedded, it had other bytes.
    if case .xml = data {
      fields.describe(document: bytes)
      return bytes.readableBytes
    }
    guard let length, bytes.readableBytes != length else { return length }
    throw StanzaError(.badRequest, "The body has \(bytes.readableBytes) bytes, its Content-Length says otherwise.")
  }
}

extension HTTPFields {
  /// The value of `Content-Length`, which is said once from now on; throws where it is not one number (RFC 9110 §8.6).
  fileprivate mutating func takeContentLength() throws(StanzaError) -> Int? {
    switch normalizeContentLength() {
    case .absent: return nil
    case .bytes(let length): return length
    case .invalid: throw StanzaError(.badRequest, "Content-Length is not one number.")
    }
  }
}
