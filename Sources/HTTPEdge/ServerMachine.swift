import Codecs
import DequeModule
import HTTPTypes
import NIOCore

/// The life of one connection from a client: requests come in, responses go out in their order.
///
/// For each request it is remembered what its response needs: whether it may have a body (HEAD), how that is framed for
/// this version of HTTP, whether the client still waits for `100 Continue`. A connection is open, closing (the
/// response in hand is its last) or over. A response of 101 makes it a connection of another protocol, whose two directions
/// end each by itself.
///
/// More than eight properties: three limits of time, and both directions, which end by themselves.
struct ServerMachine {
  /// What a response depends on.
  struct RequestTraits {
    var isHead: Bool
    var isHTTP10: Bool
    var keepsAlive: Bool
    /// Sent `Expect: 100-continue`, and waits.
    var expects: Bool
    /// Asks for a WebSocket.
    var upgrades = false
    /// For a request that could not be read: what to answer, whatever is written.
    var refusal: HTTPResponse.Status?
  }

  enum Write<Part> {
    case write(Part)
    /// Nothing to send, though nothing is wrong.
    case skip
    /// The last part of the last response: write it, then end the output.
    case writeLast(Part)
    /// What was promised cannot be kept any more: only a broken connection says so.
    case abort
  }

  private enum Body {
    case none
    case chunked
    /// Bytes to come.
    case counted(Int)
    case untilClose
  }

  private enum Response {
    case awaited
    case writing(Body)
  }

  private let idleTime: TimeAmount
  private let headTime: TimeAmount
  private let halfClosedTime: TimeAmount
  /// Where the protocol has changed.
  private var duplex: DuplexEnd?
  private var hasInputEnded = false
  private var requests: Deque<RequestTraits> = []
  private var response = Response.awaited
  private var isClosing = false
  /// A part of a head has come, and nothing else is under way.
  private var isInHead = false
  /// Since when no request is under way: from the first moment, whatever has come of a head. nil while one is, or a WebSocket.
  private(set) var idleSince: NIODeadline?
  /// Nothing is answered any more, and what comes is to be dropped.
  private(set) var isOver = false
  /// When `timedOut` is to be told; nil: never.
  private(set) var deadline: NIODeadline?

  init(idleTime: TimeAmount, headTime: TimeAmount, halfClosedTime: TimeAmount, now: NIODeadline) {
    self.idleTime = idleTime
    self.headTime = headTime
    self.halfClosedTime = halfClosedTime
    idleSince = now
    deadline = now + idleTime
  }

  /// More than one request waits for its response.
  var isBacklogged: Bool { requests.count > 1 }

  /// The client sends the body of the request in hand when it is told to.
  var isContinueAwaited: Bool {
    guard case .awaited = response else { return false }
    return requests.first?.expects ?? false
  }

  /// The protocol has changed.
  var isUpgraded: Bool { duplex != nil }

  /// Bytes of the other protocol have passed. Where one direction has ended, the connection is closed when nothing passes in
  /// the other one any more.
  mutating func passed(now: @autoclosure () -> NIODeadline) {
    if duplex?.isHalfClosed ?? false { deadline = now() + halfClosedTime }
  }

  /// The socket is broken, or is to be.
  mutating func broke() { _ = duplex?.broke() }

  /// The end of the connection is the client's end of the other protocol, after ours: what it sent may still be on its way.
  var closesInOrder: Bool { duplex?.endsInOrder ?? false }

  /// Nobody answers any more.
  mutating func responded() -> DuplexEnd.Action { duplex?.done() ?? .none }

  /// All that was written before the end of the output has left, or will not; nil where the protocol is still HTTP.
  mutating func outputLeft(isWhole: Bool) -> DuplexEnd.Action? { duplex?.left(isWhole) }

  /// A part of a head has come: the rest has `headTime` from its first byte.
  mutating func headBegan(now: NIODeadline) {
    guard idleSince != nil, !isInHead else { return }
    isInHead = true
    deadline = min(deadline ?? .distantFuture, now + headTime)
  }

  /// False where nothing is answered any more: drop it.
  mutating func received(_ traits: RequestTraits) -> Bool {
    guard !isOver else { return false }
    requests.append(traits)
    deadline = nil
    idleSince = nil
    isInHead = false
    return true
  }

  /// The request that came last turned out to be none, before anybody was asked to answer it.
  mutating func refuseLast(_ status: HTTPResponse.Status) {
    guard var traits = requests.popLast() else { return }
    traits.refusal = status
    traits.keepsAlive = false
    requests.append(traits)
  }

  /// The client has sent its last byte; true: nothing is left to answer, close.
  mutating func inputEnded(now: NIODeadline) -> Bool {
    isClosing = true
    hasInputEnded = true
    duplex?.inputEnded()
    passed(now: now)
    return requests.isEmpty
  }

  /// The server shuts down; true: nothing is in progress, close.
  mutating func quiesce() -> Bool {
    isClosing = true
    return requests.isEmpty
  }

  mutating func writing(_ head: HTTPResponse) -> Write<HTTPResponse> {
    guard case .awaited = response, var traits = requests.first else { return .abort }
    // Read once: it is kept as text.
    let status = head.status
    if traits.upgrades, status == .switchingProtocols { return upgrading(head) }
    if status.kind == .informational { return informational(head) }
    if traits.expects || isClosing || head.headerFields.hasConnectionOption("close") { traits.keepsAlive = false }
    var head = head
    if let refusal = traits.refusal { head.status = refusal }
    let body = Self.frame(&head, traits.refusal ?? status, for: &traits)
    Self.setConnection(&head, traits)
    requests[0] = traits
    response = .writing(body)
    return .write(head)
  }

  /// RFC 9110 §15.2.2. What follows has no framing of HTTP's.
  private mutating func upgrading(_ head: HTTPResponse) -> Write<HTTPResponse> {
    var end = DuplexEnd()
    if hasInputEnded { end.inputEnded() }
    duplex = end
    response = .writing(.untilClose)
    var head = head
    head.headerFields.removeAll { $0.name == .contentLength || $0.name == .transferEncoding }
    head.headerFields[.connection] = "Upgrade"
    head.headerFields[.upgrade] = "websocket"
    return .write(head)
  }

  /// Only `100 Continue`, and only to a client that waits for it. Others are of no use to an app behind a tunnel.
  private mutating func informational(_ head: HTTPResponse) -> Write<HTTPResponse> {
    guard head.status == .continue, requests[0].expects else { return .skip }
    requests[0].expects = false
    return .write(head)
  }

  /// RFC 9112 §6.3. A `Content-Length` is kept wherever there is one that can be understood, but in a response that must have none
  /// (RFC 9110 §8.6).
  private static func frame(
    _ head: inout HTTPResponse, _ status: HTTPResponse.Status, for traits: inout RequestTraits
  ) -> Body {
    if head.headerFields.has(.transferEncoding) { head.headerFields[.transferEncoding] = nil }
    let length = head.headerFields.normalizeContentLength()
    if length == .invalid || length != .absent && status == .noContent { head.headerFields[.contentLength] = nil }
    if !takesBody(status, traits) { return .none }
    if let count = length.value { return .counted(count) }
    if traits.isHTTP10 {
      traits.keepsAlive = false
      return .untilClose
    }
    head.headerFields.append(HTTPField(name: .transferEncoding, value: "chunked"))
    return .chunked
  }

  /// RFC 9112 §6.3: of the response to the request in hand.
  func takesBody(_ head: HTTPResponse) -> Bool {
    requests.first.map { Self.takesBody(head.status, $0) } ?? false
  }

  private static func takesBody(_ status: HTTPResponse.Status, _ traits: RequestTraits) -> Bool {
    traits.upgrades && status == .switchingProtocols || !traits.isHead && status.hasBody
  }

  private static func setConnection(_ head: inout HTTPResponse, _ traits: RequestTraits) {
    if !traits.keepsAlive {
      head.headerFields[.connection] = "close"
    } else if traits.isHTTP10 {
      head.headerFields[.connection] = "keep-alive"
    }
  }

  mutating func writing(_ bytes: ByteBuffer) -> Write<ByteBuffer> {
    guard case .writing(let body) = response else { return .abort }
    switch body {
    case .none: return .skip
    case .chunked, .untilClose: return .write(bytes)
    case .counted(let left):
      guard bytes.readableBytes <= left else { return .abort }
      response = .writing(.counted(left - bytes.readableBytes))
      return .write(bytes)
    }
  }

  /// Parts of the body go out as chunks.
  var isChunked: Bool {
    if case .writing(.chunked) = response { true } else { false }
  }

  mutating func writingEnd(now: NIODeadline) -> Write<Void> {
    guard case .writing(let body) = response else { return .abort }
    if case .counted(let left) = body, left > 0 { return .abort }
    response = .awaited
    guard !isUpgraded else {
      duplex?.wrote()
      passed(now: now)
      return .writeLast(())
    }
    let traits = requests.removeFirst()
    guard traits.keepsAlive, !isClosing || !requests.isEmpty else {
      isOver = true
      requests.removeAll()
      return .writeLast(())
    }
    if requests.isEmpty {
      idleSince = now
      deadline = now + idleTime
    }
    return .write(())
  }
}
