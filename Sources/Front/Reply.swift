import Codecs
import HTTPEdge
import HTTPTypes
import HTTPX
import HummingbirdCore

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
    let status = response.head.status
    let hasBody = request.method != .head && status != .noContent && status != .notModified
    try await writer.write(response.head, response.body, length: response.body.length, hasBody: hasBody)
  }
}
