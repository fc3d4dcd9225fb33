package import Codecs
package import HTTPTypes
package import NIOCore

/// Speaks HTTP/1.1 to one upstream, over connections that it keeps for later requests.
///
/// Redirects are not followed and nothing but the configured address is ever dialled. Dropping the client closes its
/// connections.
package final class HTTPClient: Sendable {
  package let address: HTTPAddress
  private let pool: ConnectionPool

  package convenience init(
    address: HTTPAddress, limits: HTTPClientLimits = .init(), eventLoopGroup: any EventLoopGroup
  ) {
    self.init(Upstream(address, limits: limits), eventLoopGroup: eventLoopGroup)
  }

  init(_ upstream: Upstream, eventLoopGroup: any EventLoopGroup) {
    address = upstream.address
    pool = ConnectionPool(upstream, group: eventLoopGroup)
  }

  deinit {
    pool.shutDown()
  }

  /// Sends a request and calls `receive` with the response, whose body streams while the request's body still does, in
  /// parts of at most 64 KiB.
  ///
  /// `head.authority` becomes `Host`, `head.path` is the request target as it stands. Framing fields are set from the
  /// body's length (nil: chunked). A response that ends before the request does stops the request. When `receive` leaves
  /// without having read the whole body, the connection is closed. Fields that concern the connection are gone (`HopByHop`). 1xx responses are
  /// swallowed, but for 101 where it was asked for.
  ///
  /// An idempotent request whose body is small or empty is sent once more when an idle connection turned out to be closed
  /// (RFC 9112 §9.3.1).
  ///
  /// One that asks for a WebSocket is sent without a body. Where the response agrees, by 101, `body` and the response's body
  /// are what each side sends from then on, as it comes; each ends by itself, and this returns when both have.
  ///
  /// - Parameter caller: whose share of the connections it takes. Where that is taken, it waits for its turn, and none of
  ///   its body is read until then.
  /// - Throws: `HTTPClientError`, `CancellationError`, or what `receive` or `body` throws.
  package func send<Result>(
    _ head: HTTPRequest, body: Body = .empty, for caller: UpstreamCaller = .own,
    receive: (HTTPResponse, Body) async throws -> Result
  ) async throws -> Result {
    let request = try ClientRequest(head, length: body.length, to: address)
    if request.upgrades { return try await upgrade(request, body, caller, receive) }
    guard request.isSmall(body) else { return try await stream(request, body, caller, receive) }
    if case .bytes(let bytes) = body.content { return try await whole(request, bytes, caller, receive) }
    let bytes = try await collect(body, of: request, caller)
    return try await whole(request, bytes, caller, isInPlace: true, receive)
  }

  /// A small body that comes in parts. While it does it takes a place, and no connection, for which an app might keep others
  /// waiting.
  @inline(never) private func collect(
    _ body: Body, of request: ClientRequest, _ caller: UpstreamCaller
  ) async throws -> ByteBuffer {
    try await pool.enter(caller)
    do {
      return try await request.whole(body)
    } catch {
      pool.leave(caller)
      throw error
    }
  }

  /// A request that is sent in one write, and again where it met a closed connection and may be repeated.
  private func whole<Result>(
    _ request: ClientRequest, _ bytes: ByteBuffer, _ caller: UpstreamCaller, isInPlace: Bool = false,
    _ receive: (HTTPResponse, Body) async throws -> Result
  ) async throws -> Result {
    let exchange = pool.nextID()
    var connection = try await pool.lease(fresh: !request.isIdempotent, for: caller, isInPlace: isInPlace)
    let answer: Answer
    do {
      answer = try await connection.exchange(exchange, request.head, body: bytes)
    } catch let failure as ExchangeFailure {
      guard failure.untouched, failure.isStale, request.isIdempotent else { throw failure.error }
      connection = try await pool.lease(fresh: true, for: caller)
      answer = try await Self.unwrapping { try await connection.exchange(exchange, request.head, body: bytes) }
    }
    defer {
      if answer.isOpen { connection.leave(exchange) }
    }
    return try await receive(answer.head, answer.body)
  }

  private func stream<Result>(
    _ request: ClientRequest, _ body: Body, _ caller: UpstreamCaller,
    _ receive: (HTTPResponse, Body) async throws -> Result
  ) async throws -> Result {
    let exchange = pool.nextID()
    let connection = try await pool.lease(fresh: true, for: caller)
    let upload = Upload(connection: connection, exchange: exchange, length: body.length, address: address)
    return try await withThrowingTaskGroup(of: Void.self) { group in
      defer {
        connection.leave(exchange)
        group.cancelAll()
      }
      await connection.start(exchange, request.head)
      group.addTask { await upload.run(body) }
      do {
        let answer = try await Self.unwrapping { try await connection.answer(to: exchange) }
        return try await receive(answer.head, answer.body)
      } catch {
        throw upload.failure ?? error
      }
    }
  }

  private func upgrade<Result>(
    _ request: ClientRequest, _ body: Body, _ caller: UpstreamCaller,
    _ receive: (HTTPResponse, Body) async throws -> Result
  ) async throws -> Result {
    guard pool.mayUpgrade(caller) else {
      throw HTTPClientError(.limit, address, "too many WebSockets are open at it")
    }
    defer { pool.upgradeEnded(caller) }
    let exchange = pool.nextID()
    let connection = try await pool.lease(fresh: true, for: caller)
    defer { connection.leave(exchange) }
    let answer = try await Self.unwrapping { try await connection.upgrade(exchange, request.head) }
    guard answer.head.status == .switchingProtocols else { return try await receive(answer.head, answer.body) }
    let upload = Upload(connection: connection, exchange: exchange, length: nil, isFramed: false, address: address)
    return try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { await upload.run(body) }
      let result = try await receive(answer.head, answer.body)
      for try await _ in group {}
      return result
    }
  }

  /// Opens a connection, without TLS, and closes it at once: whether something listens there. Throws `HTTPClientError`.
  package func checkConnection() async throws(HTTPClientError) {
    try await pool.checkConnection()
  }

  private static func unwrapping<Result>(_ operation: () async throws -> Result) async throws -> Result {
    do {
      return try await operation()
    } catch let failure as ExchangeFailure {
      throw failure.error
    }
  }
}

extension ExchangeFailure {
  /// What an idle connection does that the upstream has closed meanwhile.
  fileprivate var isStale: Bool { error.code == .reset || error.code == .closedEarly }
}
