import HTTPEdge
import HTTPTypes
import HTTPX
package import HummingbirdCore
package import Logging
package import Mesh
package import XMPP

/// One HTTP request of this machine → the device → its answer, streaming both ways.
///
/// Shared by the front and by the control socket, which differ in how they name the device.
package struct Gateway: Sendable {
  private let node: Node
  private let logger: Logger

  package init(node: Node, logger: Logger) {
    self.node = node
    self.logger = logger
  }

  /// Asks `device` for `path`, and writes its answer, or a page that says why there is none.
  ///
  /// Returns when the answer has been written. Throws when the client went away or the answer broke off; the
  /// connection has to be closed then, since only that tells the client that the body is incomplete.
  package func forward(
    _ request: Request, to device: JID, path: String, writer: consuming ResponseWriter
  ) async throws {
    let reply = Reply(writer, to: request.head)
    do {
      try await node.send(Self.outgoing(request, to: device, path: path), to: device) { response in
        try await reply.write(response)
      }
    } catch let error as MeshError where !reply.isBegun {
      logger.info(
        "request failed",
        metadata: ["device": "\(device)", "error": "\(error.code.rawValue)", "reason": "\(error.message)"])
      try await reply.write(Failure(error).response(accept: request.headers[.accept]))
    }
  }

  /// The same for a request whose target is an `httpx` URI in absolute form; 400 for any other.
  package func forward(_ request: Request, writer: consuming ResponseWriter) async throws {
    let uri: HTTPXURI
    do throws(HTTPXError) {
      uri = try HTTPXURI(request.head.path ?? "")
    } catch {
      let refusal = Response.own(.badRequest, type: "text/plain; charset=utf-8", error.message + "\n")
      return try await Reply(writer, to: request.head).write(refusal)
    }
    try await forward(request, to: uri.jid, path: uri.path, writer: writer)
  }

  /// The request as the device gets it: hop-by-hop fields end here (RFC 9110 §7.6.1), and `Expect`, which the server
  /// side of this hop has answered.
  private static func outgoing(_ request: Request, to device: JID, path: String) -> HTTPXRequest {
    var head = request.head
    let length = head.headerFields[.contentLength].flatMap { Int($0) }
    let hasBody = length.map { $0 > 0 } ?? (head.headerFields[.transferEncoding] != nil)
    HopByHop.strip(&head.headerFields)
    head.headerFields[.expect] = nil
    head.path = path
    // The device knows itself by its address, not by the name that this machine's browsers use.
    head.authority = HTTPXURI(jid: device).authority
    return HTTPXRequest(head, body: hasBody ? Body(request.body, length: length) : .empty)
  }
}

/// The one answer to a request, written once.
///
/// Not Sendable: it lives and ends with the task of its request.
final class Reply {
  private var writer: ResponseWriter?
  private let request: HTTPRequest

  init(_ writer: consuming ResponseWriter, to request: HTTPRequest) {
    self.writer = consume writer
    self.request = request
  }

  /// True once a head went out, after which nothing else can be said.
  var isBegun: Bool { writer == nil }

  func write(_ response: Response) async throws {
    let body = request.method == .head ? ResponseBody() : response.body
    try await writer.take()?.write(response: response.head, body: body)
  }

  func write(_ response: HTTPXResponse) async throws {
    guard let writer = writer.take() else { return }
    var head = response.head
    HopByHop.strip(&head.headerFields)
    let hasBody = request.method != .head && head.status.code != 204 && head.status.code != 304
    try await writer.write(head, response.body, length: response.body.length, hasBody: hasBody)
  }
}
