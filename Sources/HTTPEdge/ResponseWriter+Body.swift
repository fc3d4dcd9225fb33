package import HTTPTypes
package import HummingbirdCore
package import NIOCore

/// All that it holds is a `NIOAsyncChannelOutboundWriter`, which is Sendable; HummingbirdCore does not say so. Needed
/// where the response is written by a closure that a response is handed to.
extension ResponseWriter: @unchecked @retroactive Sendable {}

extension ResponseWriter {
  /// Writes a whole response, its parts as they come; returns when all was handed to the socket.
  ///
  /// `length` in bytes, nil where it is not known: then the head goes out before the first part is there. A small
  /// response takes one write. `hasBody` is false for responses to HEAD and for 204 and 304, whose body is not read. What
  /// `body` throws is thrown on, and the connection is then broken off: a client must not take a part for the whole.
  @concurrent package consuming func write(
    _ head: HTTPResponse, _ body: some AsyncSequence<ByteBuffer, any Error> & Sendable, length: Int?,
    hasBody: Bool = true
  ) async throws {
    guard hasBody, length != 0 else { return try await writeResponse(head) }
    var parts = body.makeAsyncIterator()
    if let length, length <= PartSize.small {
      var all = ByteBuffer()
      while let part = try await parts.next(isolation: nil) {
        if all.readableBytes == 0 { all = part } else { all.writeImmutableBuffer(part) }
      }
      return try await write(response: head, body: ResponseBody(byteBuffer: all))
    }
    var writer = try await writeHead(head)
    while let part = try await parts.next(isolation: nil) {
      try await writer.write(part)
    }
    try await writer.finish(nil)
  }
}
