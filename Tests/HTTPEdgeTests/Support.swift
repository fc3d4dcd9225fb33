import Codecs
import HTTPEdge
import Logging
import NIOCore
import NIOPosix
import TLS
import TestKit
import Testing

/// Keeps a connection that nobody took until its channel is closed, as NIO wants it.
private final class Accepted: Sendable {
  let raw: NIOAsyncChannel<ByteBuffer, ByteBuffer>

  init(_ raw: NIOAsyncChannel<ByteBuffer, ByteBuffer>) { self.raw = raw }

  deinit {
    raw.channel.closeFuture.whenComplete { [raw] _ in withExtendedLifetime(raw) {} }
    raw.channel.close(promise: nil)
  }
}

/// An upstream that follows a script for each connection: the first closure serves the first one, the last all others.
func withRawServer(
  tls: TLSConfiguration? = nil, _ scripts: [@Sendable (RawConnection) async throws -> Void],
  _ body: (HTTPAddress) async throws -> Void
) async throws {
  let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
    .childChannelOption(.allowRemoteHalfClosure, value: true)
    .bind(host: "127.0.0.1", port: 0) { channel in
      channel.eventLoop.makeCompletedFuture {
        if let tls { try channel.pipeline.syncOperations.addHandler(TLSHandler(tls)) }
        return Accepted(try rawBytes(channel))
      }
    }
  let address = HTTPAddress.tcp(host: "127.0.0.1", port: server.channel.localAddress!.port!)
  try await withThrowingTaskGroup(of: Void.self) { group in
    group.addTask {
      try await withThrowingDiscardingTaskGroup { connections in
        try await server.executeThenClose { inbound in
          var count = 0
          for try await connection in inbound {
            let script = scripts[min(count, scripts.count - 1)]
            count += 1
            connections.addTask {
              try? await connection.raw.executeThenClose { inbound, outbound in
                try await script(RawConnection(inbound, outbound, connection.raw.channel))
              }
            }
          }
        }
      }
    }
    defer { group.cancelAll() }
    try await body(address)
  }
}

let quiet = Logger(label: "tests", factory: { _ in SwiftLogNoOpLogHandler() })

/// Runs a server on loopback while `body` runs.
func withServer(
  at address: HTTPServer.Address = .loopback(port: 0), limits: HTTPServerLimits = .init(),
  _ responder: @escaping HTTPServer.Responder, _ body: ([SocketAddress]) async throws -> Void
) async throws {
  let (listening, source) = AsyncStream.makeStream(of: [SocketAddress].self)
  let server = HTTPServer(
    address, limits: limits, eventLoopGroup: MultiThreadedEventLoopGroup.singleton, logger: quiet,
    listening: { source.yield($0) }, responder: responder)
  try await withThrowingTaskGroup(of: Void.self) { group in
    group.addTask {
      defer { source.finish() }
      try await server.run()
    }
    var addresses = listening.makeAsyncIterator()
    guard let bound = await addresses.next(isolation: #isolation) else { return try await group.waitForAll() }
    try await body(bound)
    group.cancelAll()
    try await group.waitForAll()
  }
}

extension HTTPClient {
  convenience init(_ address: HTTPAddress, limits: HTTPClientLimits = .init()) {
    self.init(address: address, limits: limits, eventLoopGroup: MultiThreadedEventLoopGroup.singleton)
  }
}

extension Body {
  func text() async throws -> String {
    var all = ""
    for try await part in self { all += String(buffer: part) }
    return all
  }
}

/// A body that tests feed; `nil` content never comes.
func parts(_ texts: [String], length: Int? = nil) -> Body {
  let stream = AsyncThrowingStream<ByteBuffer, any Error> { continuation in
    for text in texts { continuation.yield(ByteBuffer(string: text)) }
    continuation.finish()
  }
  return Body(stream, length: length)
}
