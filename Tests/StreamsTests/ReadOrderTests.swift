import NIOCore
import NIOEmbedded
import Streams
import TestKit
import Testing

/// When an open stream looks at what it has read, on a loop that a test turns by hand.
struct ReadOrderTests {
  private let channel = EmbeddedChannel()

  /// Juliet, to whom Romeo has spoken already, in the clear: his first stanza opened the stream.
  private func open() throws -> PeerStream {
    let stream = try PeerStream.accepted(channel, host: .juliet(), logger: .silent)
    try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
    try channel.writeInbound(ByteBuffer(string: Romeo.header + Self.ping("first")))
    #expect(try written().contains("id='first'"), "the stream is not open")
    return stream
  }

  private static func ping(_ id: String) -> String { "<iq type='get' id='\(id)'><ping xmlns='urn:xmpp:ping'/></iq>" }

  private func written() throws -> String {
    channel.embeddedEventLoop.run()
    var text = ""
    while let bytes = try channel.readOutbound(as: ByteBuffer.self) { text += String(buffer: bytes) }
    return text
  }

  @Test func whatTheLoopReadsMeanwhileIsDoneFirst() throws {
    let stream = try open()
    try channel.writeInbound(ByteBuffer(string: Self.ping("second")))
    // As the loop does with what other channels have read in the same tick.
    let isUntouched = try channel.readOutbound(as: ByteBuffer.self) == nil
    #expect(isUntouched)
    #expect(try written().contains("id='second'"))
    stream.close()
    _ = try channel.finish(acceptAlreadyClosed: true)
  }

  @Test func allThatCameIsReadInItsOrder() throws {
    let stream = try open()
    let pings = Self.ping("second") + Self.ping("third")
    let middle = pings.index(pings.startIndex, offsetBy: 20)
    for part in [pings[..<middle], pings[middle...]] {
      channel.pipeline.fireChannelRead(ByteBuffer(substring: part))
    }
    channel.pipeline.fireChannelReadComplete()
    let text = try written()
    let (second, third) = (
      try #require(text.firstRange(of: "id='second'")), try #require(text.firstRange(of: "id='third'"))
    )
    #expect(second.lowerBound < third.lowerBound)
    stream.close()
    _ = try channel.finish(acceptAlreadyClosed: true)
  }

  /// The end of the input is told in the same tick, before it is over.
  @Test func whatCameBeforeTheEndIsRead() throws {
    _ = try open()
    channel.pipeline.fireChannelRead(ByteBuffer(string: Self.ping("last")))
    channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
    let text = try written()
    let (answer, end) = (
      try #require(text.firstRange(of: "id='last'")), try #require(text.firstRange(of: "</stream:stream>"))
    )
    #expect(answer.lowerBound < end.lowerBound)
    _ = try channel.finish(acceptAlreadyClosed: true)
  }
}
