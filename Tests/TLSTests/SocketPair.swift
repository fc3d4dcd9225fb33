import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import TLS

/// One end of a TCP connection over loopback, and what its listener was told.
final class SocketEnd: Sendable {
  let channel: any Channel
  private let events: AsyncStream<Told>
  private let told = Mutex<[Told]>([])

  fileprivate init(channel: any Channel, events: AsyncStream<Told>) {
    self.channel = channel
    self.events = events
  }

  /// All that was told from the beginning until `isEnough`, or until the connection is gone.
  @discardableResult
  func wait(until isEnough: ([Told]) -> Bool) async -> [Told] {
    var all = told.withLock { $0 }
    if isEnough(all) { return all }
    for await event in events {
      all = told.withLock { told in
        told.append(event)
        return told
      }
      if isEnough(all) { break }
    }
    return all
  }

  func waitForTheEnd() async -> [Told] {
    await wait { $0.last == .inactive }
  }

  func say(_ text: String) async throws {
    try await channel.writeAndFlush(ByteBuffer(string: text)).get()
  }
}

/// What sits behind TLS on a real channel.
struct SocketSetup: Sendable {
  var configuration: TLSConfiguration?
  var timeout = TLSTimes.handshake
  var isHalfClosable = false

  init(_ configuration: TLSConfiguration?, timeout: TimeAmount = TLSTimes.handshake, isHalfClosable: Bool = false) {
    self.configuration = configuration
    self.timeout = timeout
    self.isHalfClosable = isHalfClosable
  }

  fileprivate func add(to channel: any Channel) throws -> SocketEnd {
    let (events, continuation) = AsyncStream.makeStream(of: Told.self)
    if let configuration {
      try channel.pipeline.syncOperations.addHandler(TLSHandler(configuration, timeout: timeout))
    }
    let listener = Listener { told, _ in
      continuation.yield(told)
      if told == .inactive { continuation.finish() }
    }
    try channel.pipeline.syncOperations.addHandler(listener)
    return SocketEnd(channel: channel, events: events)
  }
}

/// Accepts connections on a free port of loopback.
struct SocketServer: Sendable {
  let port: Int
  private let channel: any Channel
  private let ends: AsyncStream<SocketEnd>

  init(_ setup: SocketSetup) async throws {
    let (ends, continuation) = AsyncStream.makeStream(of: SocketEnd.self)
    self.ends = ends
    channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .childChannelOption(.allowRemoteHalfClosure, value: setup.isHalfClosable)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture { continuation.yield(try setup.add(to: channel)) }
      }
      .bind(host: "127.0.0.1", port: 0).get()
    port = try #require(channel.localAddress?.port)
  }

  /// The next one that came in.
  func accepted() async throws -> SocketEnd {
    try #require(await ends.first { _ in true })
  }

  func close() async throws {
    try await channel.close()
  }
}

func dial(_ port: Int, _ setup: SocketSetup) async throws -> SocketEnd {
  let made = Mutex<SocketEnd?>(nil)
  _ = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
    .channelOption(.allowRemoteHalfClosure, value: setup.isHalfClosable)
    .channelInitializer { channel in
      channel.eventLoop.makeCompletedFuture {
        let end = try setup.add(to: channel)
        made.withLock { $0 = end }
      }
    }
    .connect(host: "127.0.0.1", port: port).get()
  return try #require(made.withLock { $0 })
}
