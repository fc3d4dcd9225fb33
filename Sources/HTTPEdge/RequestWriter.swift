import HTTPTypes
import NIOCore

/// Writes requests to a channel, in as few writes as it takes. `flush` has to follow.
struct RequestWriter {
  private var output = ByteBuffer()
  /// A body that is too large to be copied behind its head.
  private var body: ByteBuffer?

  /// A head, and the body where it is all there.
  mutating func start(_ head: HTTPRequest, _ body: ByteBuffer?) {
    let length = body?.readableBytes ?? 0
    let isCopied = length <= PartSize.copied
    output.clear(minimumCapacity: PartSize.head + (isCopied ? length : 0))
    output.write(head)
    if let body, isCopied { output.writeImmutableBuffer(body) } else { self.body = body }
  }

  mutating func flush(_ context: ChannelHandlerContext) {
    if output.readableBytes > 0 { context.write(NIOAny(output), promise: nil) }
    if let body = body.take() { context.write(NIOAny(body), promise: nil) }
    context.flush()
    // Mostly it is on its way, and its memory serves again.
    if output.capacity > PartSize.kept { output = ByteBuffer() } else { output.clear() }
  }
}
