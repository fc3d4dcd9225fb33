import Codecs
import FoundationEssentials
import HTTPEdge
import HTTPTypes
import NIOCore

/// Which handler answers a request, by its method and the segments of its path (RFC 9110 §9, RFC 3986 §3.3).
struct Router: Sendable {
  typealias Handler = @Sendable (RoutedRequest) async throws -> RoutedResponse

  enum Match {
    case handler(Handler, RoutedRequest)
    /// There is such a resource, and these are its methods.
    case otherMethods([HTTPRequest.Method])
    case nothing
  }

  struct Route: Sendable {
    let method: HTTPRequest.Method
    let segments: [Substring]
    let handler: Handler
  }

  private(set) var routes: [Route] = []

  /// - Parameter path: a segment that begins with `:` stands for any one, whose text is the request's parameter of that name.
  mutating func on(_ method: HTTPRequest.Method, _ path: String, _ handler: @escaping Handler) {
    routes.append(Route(method: method, segments: path.split(separator: "/"), handler: handler))
  }

  func match(_ request: HTTPEdge.Request) -> Match {
    let target = RequestTarget(request.head.path ?? "")
    let segments = Self.segments(of: target?.path ?? "")
    var methods: [HTTPRequest.Method] = []
    for route in routes {
      guard let parameters = Self.parameters(route.segments, segments) else { continue }
      guard route.method == request.method else {
        methods.append(route.method)
        continue
      }
      return .handler(
        route.handler,
        RoutedRequest(body: request.body, parameters: parameters, query: Self.items(of: target?.query ?? "")))
    }
    return methods.isEmpty ? .nothing : .otherMethods(methods)
  }

  /// Decoded; nil for one that is not percent-encoded UTF-8. Empty ones count for nothing.
  static func segments(of path: some StringProtocol) -> [String?] {
    path.split(separator: "/").map { PercentEncoding.decodeText($0) }
  }

  /// nil where the path is another one.
  private static func parameters(_ route: [Substring], _ path: [String?]) -> [Substring: String]? {
    guard route.count == path.count else { return nil }
    var parameters: [Substring: String] = [:]
    for (expected, segment) in zip(route, path) {
      if expected.first == ":" {
        parameters[expected.dropFirst()] = segment
      } else if segment != String(expected) {
        return nil
      }
    }
    return parameters
  }

  /// `name=value` pairs; one without a value has an empty one.
  private static func items(of query: Substring) -> [String: String] {
    var items: [String: String] = [:]
    for item in query.dropFirst().split(separator: "&") {
      let parts = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard let name = PercentEncoding.decodeText(parts[0]) else { continue }
      items[name] = parts.count > 1 ? PercentEncoding.decodeText(parts[1]) ?? String(parts[1]) : ""
    }
    return items
  }
}

/// A request for a resource of the control socket.
struct RoutedRequest: Sendable {
  let body: Body
  fileprivate let parameters: [Substring: String]
  let query: [String: String]

  /// What stands in the path for `:name`; nil where it is not percent-encoded UTF-8.
  func parameter(_ name: String) -> String? { parameters[Substring(name)] }

  /// The same, where it has to be there; `what` begins the sentence that says that it is not.
  func parameter(_ name: String, called what: String) throws(ControlError) -> String {
    guard let value = parameter(name) else { throw ControlError(.invalid, "\(what) is not percent-encoded UTF-8.") }
    return value
  }

  /// What its body says.
  ///
  /// - Parameters:
  ///   - example: what a good one looks like.
  ///   - empty: what no body stands for; nil where there has to be one.
  /// - Throws: `ControlError`; what the body throws.
  func json<Value: Decodable>(like example: String, empty: Value? = nil) async throws -> Value {
    do {
      let bytes = try await body.collect(upTo: ControlLimits.requestBytes)
      if let empty, bytes.readableBytes == 0 { return empty }
      return try ControlJSON.decode(Value.self, from: Data(bytes.readableBytesView))
    } catch is DecodingError {
      throw ControlError(.invalid, "The body must be JSON like \(example).")
    } catch is NIOTooManyBytesError {
      throw ControlError(.invalid, "The body is larger than \(ControlLimits.requestBytes) bytes.")
    }
  }
}

/// What a resource of the control socket answers.
struct RoutedResponse: Sendable {
  enum Content: Sendable {
    case whole(ByteBuffer)
    /// Line after line, for as long as this runs.
    case lines(@Sendable (HTTPEdge.ResponseWriter) async throws -> Void)
  }

  let status: HTTPResponse.Status
  let contentType: String?
  let content: Content

  static let noContent = RoutedResponse(status: .noContent, contentType: nil, content: .whole(ByteBuffer()))

  /// A whole JSON document on one line.
  static func json(_ value: some Encodable, status: HTTPResponse.Status = .ok) throws -> RoutedResponse {
    RoutedResponse(status: status, contentType: "application/json", content: .whole(try .line(value)))
  }

  /// NDJSON, until what writes it ends.
  static func lines(_ write: @escaping @Sendable (HTTPEdge.ResponseWriter) async throws -> Void) -> RoutedResponse {
    RoutedResponse(status: .ok, contentType: "application/x-ndjson", content: .lines(write))
  }

  var head: HTTPResponse {
    HTTPResponse(status: status, headerFields: contentType.map { [.contentType: $0] } ?? [:])
  }
}

extension ByteBuffer {
  /// A JSON document on one line, as NDJSON has it.
  static func line(_ value: some Encodable) throws -> ByteBuffer {
    ByteBuffer(bytes: try ControlJSON.encode(document: value) + [0x0A])
  }
}
