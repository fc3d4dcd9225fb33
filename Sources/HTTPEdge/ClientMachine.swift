import HTTPTypes
import NIOCore

/// The life of one connection to an upstream: idle, then one exchange after another, then closed.
///
/// A response head is held until the end of the read that brought it, so that a small answer is told as a whole.
/// Parts of a body that one read brings are joined up to 64 KiB. An exchange is over when its response has ended and its
/// request was written; a response that ends earlier stops the request, and the connection with it, unless the
/// protocol has changed: then each direction ends by itself.
struct ClientMachine {
  /// What becomes of the connection when an exchange is over.
  enum Fate: Equatable {
    case release
    case close
    /// Nothing: its other direction goes on, as the protocol has changed.
    case stay
  }

  enum Action {
    case none
    /// The whole response.
    case answer(HTTPResponse, ByteBuffer, Fate)
    /// Its head, and what came of its body.
    case open(HTTPResponse, ByteBuffer?)
    case part(ByteBuffer)
    case end(ByteBuffer?, Fate)
  }

  enum Failure {
    /// Nobody waits; close.
    case unnoticed
    /// The head is awaited. `untouched`: no byte of the response was there yet.
    case head(untouched: Bool)
    /// The body is being read.
    case body
  }

  private enum Response {
    case awaited
    case held(HTTPResponse, ByteBuffer?)
    case streaming(ByteBuffer?)
    case ended
  }

  private struct Exchange {
    var id = 0
    var uploading = false
    var response = Response.awaited
    var reusable = true
    /// The protocol has changed: each direction ends by itself.
    var isUpgraded = false
  }

  private enum State {
    case idle
    case exchanging
    case closed
  }

  private let responseTime: TimeAmount
  private let idleTime: TimeAmount
  private var state = State.idle
  /// Of the last one, where none is under way. Beside the state, so that it is changed where it is, and not copied.
  private var exchange = Exchange()
  /// When `timedOut` is to be told; nil: never.
  private(set) var deadline: NIODeadline?

  init(responseTime: TimeAmount, idleTime: TimeAmount) {
    self.responseTime = responseTime
    self.idleTime = idleTime
  }

  /// The connection can carry requests; it need not get any.
  mutating func opened(now: NIODeadline) {
    if case .idle = state { deadline = now + idleTime }
  }

  /// What is to be said when the time for a response is over.
  var noResponse: String { "no response within \(responseTime.nanoseconds / 1_000_000_000) s" }

  var isIdle: Bool {
    if case .idle = state { true } else { false }
  }

  /// False where the connection is closed: nothing may be written.
  ///
  /// - Parameters:
  ///   - uploading: more of the request is to follow its head.
  ///   - upgrading: that does so once the response has come.
  mutating func started(_ id: Int, uploading: Bool, upgrading: Bool = false, now: NIODeadline) -> Bool {
    guard case .idle = state else { return false }
    exchange = Exchange(id: id, uploading: uploading || upgrading)
    state = .exchanging
    deadline = uploading ? nil : now + responseTime
    return true
  }

  /// What is sent and received goes on until each side has ended its own.
  var isUpgraded: Bool {
    guard case .exchanging = state else { return false }
    return exchange.isUpgraded
  }

  func isUploading(_ id: Int) -> Bool {
    guard case .exchanging = state else { return false }
    return exchange.id == id && exchange.uploading
  }

  enum UploadedAction {
    case none
    /// Nothing follows in this direction: say so.
    case endOutput
    case close
  }

  /// The request is written to its end.
  mutating func uploaded(_ id: Int, now: NIODeadline) -> UploadedAction {
    guard case .exchanging = state, exchange.id == id else { return .none }
    exchange.uploading = false
    if case .awaited = exchange.response { deadline = now + responseTime }
    if case .ended = exchange.response {
      close()
      return .close
    }
    return exchange.isUpgraded ? .endOutput : .none
  }

  mutating func received(_ head: HTTPResponse, keepAlive: Bool) {
    guard case .exchanging = state, case .awaited = exchange.response else { return }
    exchange.response = .held(head, nil)
    exchange.reusable = keepAlive
    exchange.isUpgraded = head.status == .switchingProtocols
    deadline = nil
  }

  mutating func received(_ bytes: ByteBuffer) -> Action {
    guard case .exchanging = state else { return .none }
    switch exchange.response {
    case .awaited, .ended:
      return .none
    case .held(let head, let held):
      guard let full = Self.join(held, bytes, into: &exchange.response, as: { .held(head, $0) }) else { return .none }
      exchange.response = .streaming(bytes)
      return .open(head, full)
    case .streaming(let held):
      guard let full = Self.join(held, bytes, into: &exchange.response, as: { .streaming($0) }) else { return .none }
      exchange.response = .streaming(bytes)
      return .part(full)
    }
  }

  /// Adds to what is held, or gives it back where both are more than a part.
  private static func join(
    _ held: ByteBuffer?, _ bytes: ByteBuffer, into response: inout Response, as make: (ByteBuffer) -> Response
  ) -> ByteBuffer? {
    guard var all = held else {
      response = make(bytes)
      return nil
    }
    guard all.readableBytes + bytes.readableBytes <= PartSize.receive else { return all }
    response = .awaited
    all.writeImmutableBuffer(bytes)
    response = make(all)
    return nil
  }

  /// What one read brought is here.
  mutating func readCompleted() -> Action {
    guard case .exchanging = state else { return .none }
    switch exchange.response {
    case .held(let head, let bytes):
      exchange.response = .streaming(nil)
      return .open(head, bytes)
    case .streaming(let bytes?):
      exchange.response = .streaming(nil)
      return .part(bytes)
    case .awaited, .streaming(nil), .ended:
      return .none
    }
  }

  mutating func receivedEnd(now: NIODeadline) -> Action {
    guard case .exchanging = state else { return .none }
    switch exchange.response {
    case .awaited, .ended:
      return .none
    case .held(let head, let bytes):
      return .answer(head, bytes ?? ByteBuffer(), finish(now: now))
    case .streaming(let bytes):
      return .end(bytes, finish(now: now))
    }
  }

  private mutating func finish(now: NIODeadline) -> Fate {
    exchange.response = .ended
    if exchange.isUpgraded, exchange.uploading { return .stay }
    guard exchange.reusable, !exchange.uploading else {
      close()
      return .close
    }
    state = .idle
    deadline = now + idleTime
    return .release
  }

  /// Nobody reads the response any more; true: close, as it has not ended.
  mutating func left(_ id: Int) -> Bool {
    guard case .exchanging = state, exchange.id == id else { return false }
    close()
    return true
  }

  /// The connection broke, or is broken off.
  mutating func failed() -> Failure {
    guard case .exchanging = state else {
      close()
      return .unnoticed
    }
    defer { close() }
    switch exchange.response {
    case .awaited: return .head(untouched: true)
    case .held: return .head(untouched: false)
    case .streaming: return .body
    case .ended: return .unnoticed
    }
  }

  private mutating func close() {
    state = .closed
    exchange.response = .ended
    deadline = nil
  }
}
