import NIOCore
import NIOEmbedded
import Testing

@testable import TLS

/// What a reader behind `TLSHandler` is told, in order.
enum Told: Equatable, Sendable {
  case active
  case established(PeerCertificate?, TLSVersion, String)
  case shared
  case read(ByteBuffer)
  case inputClosed
  case error(TLSError)
  case otherError(String)
  case inactive

  var isEstablished: Bool {
    if case .established = self { true } else { false }
  }

  var error: TLSError.Code? {
    if case .error(let error) = self { error.code } else { nil }
  }
}

extension [Told] {
  /// All that was read, in one.
  var bytes: ByteBuffer {
    reduce(into: ByteBuffer()) { all, told in
      if case .read(let bytes) = told { all.writeImmutableBuffer(bytes) }
    }
  }
  var hasEstablished: Bool { contains { $0.isEstablished } }
  var errors: [TLSError.Code] { compactMap(\.error) }
}

/// Hands on nothing, and remembers all.
final class Listener: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  var told: [Told] = []
  private let hear: (Told, any Channel) -> Void

  init(_ hear: @escaping (Told, any Channel) -> Void = { _, _ in }) {
    self.hear = hear
  }

  private func tell(_ event: Told, _ context: ChannelHandlerContext) {
    told.append(event)
    hear(event, context.channel)
  }

  func channelActive(context: ChannelHandlerContext) { tell(.active, context) }
  func channelInactive(context: ChannelHandlerContext) { tell(.inactive, context) }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    tell(.read(unwrapInboundIn(data)), context)
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    switch event {
    case TLSEvent.established(let peer, let version, let cipher):
      tell(.established(peer, version, cipher), context)
    case TLSEvent.shared: tell(.shared, context)
    case ChannelEvent.inputClosed: tell(.inputClosed, context)
    default: break
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    tell((error as? TLSError).map { .error($0) } ?? .otherError("\(error)"), context)
  }
}

/// A channel in memory with TLS and a listener behind it.
struct End {
  let channel: EmbeddedChannel
  let listener: Listener

  init(
    _ configuration: TLSConfiguration, outermost: (any ChannelHandler)? = nil,
    hear: @escaping (Told, any Channel) -> Void = { _, _ in }
  ) throws {
    channel = EmbeddedChannel()
    listener = Listener(hear)
    if let outermost { try channel.pipeline.syncOperations.addHandler(outermost) }
    try channel.pipeline.syncOperations.addHandler(TLSHandler(configuration))
    try channel.pipeline.syncOperations.addHandler(listener)
  }

  /// The handshake begins.
  func connect() throws {
    try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
  }

  /// All that goes out, in one.
  func sent() throws -> ByteBuffer {
    var all = ByteBuffer()
    while let bytes = try channel.readOutbound(as: ByteBuffer.self) { all.writeImmutableBuffer(bytes) }
    return all
  }

  func receive(_ bytes: ByteBuffer, piece: Int = .max) throws {
    var bytes = bytes
    while bytes.readableBytes > 0 {
      try channel.writeInbound(bytes.readSlice(length: min(piece, bytes.readableBytes)))
    }
  }

  func close() {
    _ = try? channel.finish(acceptAlreadyClosed: true)
  }
}

/// Carries what either sends to the other until both are silent, in pieces of so many bytes.
func carry(_ one: End, _ other: End, piece: Int = .max) throws {
  while true {
    let (there, back) = (try one.sent(), try other.sent())
    if there.readableBytes == 0, back.readableBytes == 0 { return }
    try other.receive(there, piece: piece)
    try one.receive(back, piece: piece)
  }
}
