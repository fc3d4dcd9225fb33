import Codecs
import HTTPEdge
import HTTPTypes
import Hummingbird
import Logging
import NIOCore

/// Lets the responder of a Hummingbird router answer requests of our server.
struct RouterAdapter<Responder: HTTPResponder>: Sendable where Responder.Context == BasicRequestContext {
  let responder: Responder
  let logger: Logger

  /// Throws what the responder throws.
  func respond(to request: HTTPEdge.Request) async throws -> Hummingbird.Response {
    let context = BasicRequestContext(
      source: ApplicationRequestContextSource(channel: request.channel, logger: logger))
    let body: RequestBody =
      switch request.body.content {
      case .bytes(let bytes): RequestBody(buffer: bytes)
      case .stream: RequestBody(asyncSequence: request.body)
      }
    return try await responder.respond(to: Hummingbird.Request(head: request.head, body: body), context: context)
  }
}

extension HTTPEdge.ResponseWriter {
  func write(_ response: Hummingbird.Response) async throws {
    try await begin(response.head)
    try await response.body.write(RoutedBodyWriter(writer: self))
  }
}

/// Passes the parts of a body on as Hummingbird writes them.
private struct RoutedBodyWriter: ResponseBodyWriter {
  let writer: HTTPEdge.ResponseWriter

  func write(_ buffer: ByteBuffer) async throws {
    try await writer.write(buffer)
  }

  /// Trailers are not carried.
  func finish(_ trailingHeaders: HTTPFields?) async throws {
    try await writer.finish()
  }
}
