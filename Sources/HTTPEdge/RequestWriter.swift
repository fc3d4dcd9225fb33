import HTTPTypes
import NIOCore
import NIOHTTP1

/// Writes requests towards the socket, past the decoder of their responses, which is only told whether a response can have a
/// body: the one thing that it needs to know of a request (RFC 9112 §6.3).
struct RequestWriter {
  private let decoder: HTTPResponseDecoder
  /// The decoder's: what is written here goes on below it.
  private let context: ChannelHandlerContext
  /// The memory of the last request.
  private var output = ByteBuffer()

  private static let head = HTTPRequestHead(version: .http1_1, method: .HEAD, uri: "/")
  private static let get = HTTPRequestHead(version: .http1_1, method: .GET, uri: "/")

  /// Adds a decoder with these limits at the end of the pipeline.
  init(_ pipeline: ChannelPipeline.SynchronousOperations, limits: HTTPHeadLimits) throws {
    decoder = HTTPResponseDecoder(limitConfiguration: NIOHTTPDecoderLimitConfiguration(limits))
    let handler = ByteToMessageHandler(decoder)
    try pipeline.addHandler(handler)
    context = try pipeline.context(handler: handler)
  }

  /// A head, and the body where it is all there, in one flush.
  mutating func start(_ head: HTTPRequest, _ body: ByteBuffer?) {
    decoder.write(data: .head(head.method == .head ? Self.head : Self.get))
    let length = body?.readableBytes ?? 0
    let isCopied = length <= PartSize.copied
    output.clear(minimumCapacity: PartSize.head + (isCopied ? length : 0))
    output.write(head)
    if let body, isCopied { output.writeImmutableBuffer(body) }
    context.write(NIOAny(output), promise: nil)
    if let body, !isCopied { context.write(NIOAny(body), promise: nil) }
    context.flush()
    if output.capacity > PartSize.kept { output = ByteBuffer() }
  }

  /// A part of the body, as it is framed.
  func write(_ bytes: ByteBuffer) {
    context.writeAndFlush(NIOAny(bytes), promise: nil)
  }
}
