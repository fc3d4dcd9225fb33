import Codecs
import HTTPTypes
import NIOCore
import NIOEmbedded
import Testing

@testable import HTTPEdge

/// What a socket is told by one response.
struct OneWriteTests {
  /// Counts the flushes that reach the socket.
  private final class FlushCounter: ChannelOutboundHandler {
    typealias OutboundIn = ByteBuffer

    var count = 0

    func flush(context: ChannelHandlerContext) {
      count += 1
      context.flush()
    }
  }

  /// All that is written, and in how many flushes.
  private func answer(
    to request: String, _ responder: @escaping HTTPServer.Responder
  ) throws -> (text: String, flushes: Int) {
    let (channel, counter) = (EmbeddedChannel(), FlushCounter())
    try channel.pipeline.syncOperations.addHandler(counter)
    try HTTPServer.prepare(channel, HTTPServerLimits(), responder, OpenConnections())
    try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
    try channel.writeInbound(ByteBuffer(string: request))
    channel.embeddedEventLoop.run()
    var text = ""
    while let bytes = try channel.readOutbound(as: ByteBuffer.self) { text += String(buffer: bytes) }
    let flushes = counter.count
    _ = try channel.finish()
    return (text, flushes)
  }

  @Test func aSmallAnswerIsOne() throws {
    let (text, flushes) = try answer(to: "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi") {
      request, writer in
      if case .stream = request.body.content { Issue.record("the body did not come whole") }
      try await writer.write(HTTPResponse(status: .ok, headerFields: [.contentLength: "2"]), request.body)
    }
    #expect(text == "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
    #expect(flushes == 1)
  }

  @Test func aSmallStreamOfKnownLengthIsOne() throws {
    let (text, flushes) = try answer(to: "GET / HTTP/1.1\r\nHost: h\r\n\r\n") { _, writer in
      let head = HTTPResponse(status: .ok, headerFields: [.contentLength: "3"])
      try await writer.write(head, Body(Body("abc"), length: 3))
    }
    #expect(text == "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc")
    #expect(flushes == 1)
  }

  @Test func aBodyThatGoesOnIsHandedOverAtTheEndOfTheRead() throws {
    let (text, _) = try answer(to: "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nhi") { request, writer in
      if case .bytes = request.body.content { Issue.record("the body came whole") }
      #expect(request.body.length == 9)
      try await writer.write(HTTPResponse(status: .accepted, headerFields: [.contentLength: "0"]), .empty)
    }
    #expect(text == "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")
  }
}
