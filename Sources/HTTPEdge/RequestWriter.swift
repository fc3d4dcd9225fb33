import HTTPTypes
import NIOCore

/// Writes requests to a channel, in as few writes as it takes.
struct RequestWriter {
  /// The memory of the last request.
  private var output = ByteBuffer()

  /// A head, and the body where it is all there, in one flush.
  mutating func start(_ head: HTTPRequest, _ body: ByteBuffer?, _ context: ChannelHandlerContext) {
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
}
