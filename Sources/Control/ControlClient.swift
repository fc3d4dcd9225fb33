package import Codecs
import FoundationEssentials
import HTTPEdge
package import HTTPTypes
package import NIOCore

/// Asks the daemon on its unix socket. Every method throws `ControlError`, or `CancellationError`.
package struct ControlClient: Sendable {
  package let socket: String
  private let http: HTTPClient

  package init(socket: String, eventLoopGroup: any EventLoopGroup) {
    self.socket = socket
    http = HTTPClient(address: .unix(path: socket), eventLoopGroup: eventLoopGroup)
  }

  /// Sorted by address; with those that are gone where `all`.
  package func devices(all: Bool = false) async throws -> [DeviceResource] {
    try await ask(.get, "/v1/devices\(all ? "?all" : "")", for: DeviceList.self).devices
  }

  /// Every device known now, that these were all, then each one that changes, until the daemon ends or `receive` throws.
  package func watchDevices(all: Bool = false, receive: (DeviceEvent) async throws -> Void) async throws {
    try await exchange(Self.request(.get, "/v1/devices?watch\(all ? "&all" : "")"), body: nil) { response, body in
      guard response.status == .ok else { throw try await Self.failure(response, body) }
      try await Self.lines(body, of: DeviceEvent.self, receive: receive)
    }
  }

  /// What the node of a device sees of the way to it.
  package func report(of device: String) async throws -> ReportResource {
    try await ask(
      .get, "/v1/devices/\(PercentEncoding.encode(device, except: .authority))/report", for: ReportResource.self)
  }

  static func lines<Value: Decodable>(
    _ body: Body, of type: Value.Type, receive: (Value) async throws -> Void
  ) async throws {
    var lines = LineSplitter(limit: ControlLimits.lineBytes)
    for try await part in body {
      for line in try lines.feed(part) { try await receive(try decode(type, from: line)) }
    }
  }

  package func status() async throws -> StatusResource {
    try await ask(.get, "/v1/status", for: StatusResource.self)
  }

  /// Announces and serves, at once and over restarts; replaces what was served under this name before.
  package func serve(_ name: String, _ service: ServiceResource) async throws -> ServedResource {
    let body = ByteBuffer(bytes: try ControlJSON.encode(service))
    return try await ask(
      .put, "/v1/services/\(PercentEncoding.encode(name, except: .authority))", body: body, for: ServedResource.self)
  }

  package func unserve(_ name: String) async throws {
    try await tell(.delete, "/v1/services/\(PercentEncoding.encode(name, except: .authority))")
  }

  /// By port.
  package func forwards() async throws -> ForwardList {
    try await ask(.get, "/v1/forwards", for: ForwardList.self)
  }

  /// Makes a port a device's, at once and over restarts.
  package func openForward(_ request: ForwardRequest) async throws -> OpenedForwardResource {
    let body = ByteBuffer(bytes: try ControlJSON.encode(request))
    return try await ask(.post, "/v1/forwards", body: body, for: OpenedForwardResource.self)
  }

  package func closeForward(_ port: Int) async throws {
    try await tell(.delete, "/v1/forwards/\(port)")
  }

  package func account() async throws -> AccountResource {
    try await ask(.get, "/v1/account", for: AccountResource.self)
  }

  /// Tries the login, which takes some seconds, and uses it from then on.
  package func logIn(_ login: AccountLogin) async throws -> AccountResource {
    try await ask(
      .put, "/v1/account", body: ByteBuffer(bytes: try ControlJSON.encode(login)), for: AccountResource.self)
  }

  /// What the owner says to an account that wants to be a contact.
  package func answer(contact: String, accepting isAccepted: Bool) async throws {
    try await tell(.post, "/v1/account/requests/\(try Self.segment(contact))/\(isAccepted ? "accept" : "reject")")
  }

  package func logOut() async throws {
    try await tell(.delete, "/v1/account")
  }

  /// A request to a device: `head.path` is an `httpx` URI. Errors on the way are responses with `Proxy-Status`.
  package func fetch<Result>(
    _ head: HTTPRequest, body: Body = .empty, receive: (HTTPResponse, Body) async throws -> Result
  ) async throws -> Result {
    try await translating { try await http.send(head, body: body, receive: receive) }
  }

  static func request(_ method: HTTPRequest.Method, _ path: String) -> HTTPRequest {
    HTTPRequest(method: method, scheme: "http", authority: "localhost", path: path)
  }

  func ask<Value: Decodable>(
    _ method: HTTPRequest.Method, _ path: String, body: ByteBuffer? = nil, for type: Value.Type
  ) async throws -> Value {
    try await exchange(Self.request(method, path), body: body) { response, body in
      guard response.status == .ok else { throw try await Self.failure(response, body) }
      return try Self.decode(type, from: try await Self.collect(body))
    }
  }

  func tell(_ method: HTTPRequest.Method, _ path: String, body: ByteBuffer? = nil) async throws {
    try await exchange(Self.request(method, path), body: body) {
      guard $0.status == .noContent else { throw try await Self.failure($0, $1) }
    }
  }

  func exchange<Result>(
    _ head: HTTPRequest, body: ByteBuffer?, receive: (HTTPResponse, Body) async throws -> Result
  ) async throws -> Result {
    try await translating { try await http.send(head, body: body.map { Body($0) } ?? .empty, receive: receive) }
  }

  /// Says what to do where the daemon cannot be reached.
  private func translating<Result>(_ operation: () async throws -> Result) async throws -> Result {
    do {
      return try await operation()
    } catch let error as HTTPClientError {
      switch error.code {
      case .refused, .unresolved, .connectTimedOut: throw SocketFile.reason(socket)
      case .responseTimedOut: throw ControlError(.timedOut, "No answer came in time.")
      default: throw ControlError(.failed, "The daemon broke off: \(error.message).")
      }
    }
  }

  private static func collect(_ body: Body) async throws -> ByteBuffer {
    do {
      return try await body.collect(upTo: ControlLimits.answerBytes)
    } catch is NIOTooManyBytesError {
      throw ControlError(.failed, "The daemon's answer is larger than \(ControlLimits.answerBytes) bytes.")
    }
  }

  private static func decode<Value: Decodable>(_ type: Value.Type, from bytes: ByteBuffer) throws -> Value {
    do {
      return try ControlJSON.decode(type, from: Data(bytes.readableBytesView))
    } catch {
      throw ControlError(.failed, "The daemon's answer cannot be read: is it another version than this program?")
    }
  }

  static func failure(_ response: HTTPResponse, _ body: Body) async throws -> ControlError {
    let bytes = try await collect(body)
    guard let problem = try? ControlJSON.decode(ErrorResource.self, from: Data(bytes.readableBytesView)) else {
      return ControlError(.failed, "The daemon answered \(response.status).")
    }
    return ControlError(problem.code, problem.error, nextStep: problem.nextStep?.nextStep)
  }
}
