import HTTPTypes
import HummingbirdCore
import NIOCore
import NIOHTTPTypes

extension Request {
  /// The same request without its `Expect`; the client is told to go on when the body is first read, and the connection
  /// ends with the response where it never is (RFC 9110 §10.1.1).
  func answeringExpectation(on channel: any Channel) -> Request {
    guard headers[.expect]?.lowercased() == "100-continue" else { return self }
    var head = head
    head.headerFields[.expect] = nil
    return Request(head: head, body: RequestBody(asyncSequence: ExpectedBody(body: body, channel: channel)))
  }
}

/// A body that its client sends when it is asked for.
private struct ExpectedBody: AsyncSequence, Sendable {
  let body: RequestBody
  let channel: any Channel

  struct AsyncIterator: AsyncIteratorProtocol {
    var parts: RequestBody.AsyncIterator
    var channel: (any Channel)?

    mutating func next() async throws -> ByteBuffer? {
      channel?.writeAndFlush(HTTPResponsePart.head(HTTPResponse(status: .continue)), promise: nil)
      channel = nil
      return try await parts.next(isolation: #isolation)
    }
  }

  func makeAsyncIterator() -> AsyncIterator {
    AsyncIterator(parts: body.makeAsyncIterator(), channel: channel)
  }
}
