import Codecs
import HTTPTypes
import NIOCore
import NIOPosix
import Synchronization
import TLS
import TestKit
import Testing

@testable import HTTPEdge

/// Connections that are kept, and those that are not.
@Suite(.timeLimit(.minutes(1))) struct PoolTests {
  private static let get = HTTPRequest(method: .get, scheme: "http", authority: "h", path: "/")

  /// Lets nobody pass before all are there.
  private final class Barrier: Sendable {
    private let size: Int
    private let waiting = Mutex<[CheckedContinuation<Void, Never>]>([])

    init(_ size: Int) { self.size = size }

    func pass() async {
      await withCheckedContinuation { continuation in
        let all = waiting.withLock { waiting in
          waiting.append(continuation)
          guard waiting.count == size else { return [] as [CheckedContinuation<Void, Never>] }
          defer { waiting = [] }
          return waiting
        }
        for continuation in all { continuation.resume() }
      }
    }
  }

  @Test func parallelClientsFindTheirConnectionsAgain() async throws {
    let clients = 32
    let ports = Mutex<Set<Int>>([])
    let barrier = Barrier(clients)
    try await withServer({ request, writer in
      ports.withLock { _ = $0.insert(request.channel.remoteAddress?.port ?? 0) }
      await barrier.pass()
      try await writer.write(HTTPResponse(status: .noContent), .empty)
    }) { addresses in
      let client = HTTPClient(.tcp(host: "127.0.0.1", port: addresses[0].port!))
      for _ in 1...3 {
        try await withThrowingTaskGroup(of: Void.self) { group in
          for _ in 0..<clients { group.addTask { try await client.send(Self.get) { _, _ in } } }
          try await group.waitForAll()
        }
      }
      #expect(ports.withLock { $0.count } == clients)
    }
  }

  @Test func aConnectionThatNobodyUsesIsClosed() async throws {
    let (ended, end) = AsyncStream.makeStream(of: String.self)
    try await withRawServer([{ connection in end.yield(try await connection.readToEnd()) }]) { address in
      var limits = HTTPClientLimits()
      limits.idle = .milliseconds(50)
      let loop = MultiThreadedEventLoopGroup.singleton.next()
      let connection = try await ClientConnection.dial(Upstream(address, limits: limits), id: 1, on: loop).get()
      await connection.opened {}
      #expect(await ended.first { _ in true } == "")
    }
  }

  /// An app that takes one connection after the other, each to its end, waits on none that carries no request; and whoever
  /// stops waiting for a connection leaves none behind.
  @Test func noConnectionStaysThatNobodyUses() async throws {
    let (ended, end) = AsyncStream.makeStream(of: Void.self)
    let begun = Mutex(0)
    try await withRawServer([
      { app in
        begun.withLock { $0 += 1 }
        defer { end.yield() }
        while try await app.read(to: "\r\n\r\n").hasSuffix("\r\n\r\n") {
          try await app.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
        }
      }
    ]) { address in
      var limits = HTTPClientLimits()
      limits.idle = .milliseconds(100)
      limits.connections = 8
      let client = HTTPClient(address, limits: limits)
      await withTaskGroup(of: Void.self) { group in
        for number in 0..<64 {
          let task = Task { try await client.send(Self.get) { _, body in try await body.text() } }
          if number % 3 == 0 { task.cancel() }
          group.addTask { _ = try? await task.value }
        }
      }
      // The client lives on, and its connections end by themselves.
      try await client.send(Self.get) { _, _ in }
      var count = 0
      for await _ in ended {
        count += 1
        if count == begun.withLock({ $0 }) { break }
      }
      withExtendedLifetime(client) {}
    }
  }

  /// Nobody waits any more, and the other side never says a word of TLS.
  @Test func aHandshakeWithoutEndIsEndedThoughNobodyWaits() async throws {
    let (begun, begin) = AsyncStream.makeStream(of: Void.self)
    let (ended, end) = AsyncStream.makeStream(of: Void.self)
    try await withRawServer([
      { app in
        _ = try await app.read(bytes: 1)
        begin.yield()
        _ = try? await app.readToEnd()
        end.yield()
      }
    ]) { address in
      guard case .tcp(let host, let port) = address else { return }
      var limits = HTTPClientLimits()
      limits.connect = .milliseconds(200)
      let client = HTTPClient(.tls(host: host, port: port, trust: .insecure), limits: limits)
      let task = Task { try await client.send(Self.get) { _, _ in } }
      for await _ in begun { break }
      task.cancel()
      await #expect(throws: CancellationError.self) { try await task.value }
      for await _ in ended { break }
      withExtendedLifetime(client) {}
    }
  }

  @Test func addressesNeedNoResolver() throws {
    #expect(
      HTTPAddress.tcp(host: "127.0.0.1", port: 80).literal == (try SocketAddress(ipAddress: "127.0.0.1", port: 80)))
    #expect(HTTPAddress.tls(host: "::1", port: 443, trust: .insecure).literal?.ipAddress == "::1")
    for address in [
      HTTPAddress.tcp(host: "localhost", port: 80), .tcp(host: "1.2.3", port: 80), .unix(path: "/1.2.3.4"),
    ] {
      #expect(address.literal == nil)
    }
  }

  /// A request within a request: nothing of it leaves the event loop.
  @Test func anExchangeStaysOnTheLoopOfItsTask() async throws {
    try await withServer({ _, writer in try await writer.write(Response(status: .ok, body: Body("x"))) }) { apps in
      let client = HTTPClient(.tcp(host: "127.0.0.1", port: apps[0].port!))
      try await withServer({ request, writer in
        let loop = request.channel.eventLoop
        #expect(loop.inEventLoop)
        for _ in 1...2 {
          try await client.send(Self.get) { _, body in
            #expect(loop.inEventLoop)
            for try await _ in body { #expect(loop.inEventLoop) }
          }
        }
        try await writer.write(HTTPResponse(status: .ok), Body("y"))
      }) { addresses in
        let outer = HTTPClient(.tcp(host: "127.0.0.1", port: addresses[0].port!))
        let text = try await outer.send(Self.get) { _, body in try await body.text() }
        #expect(text == "y")
      }
    }
  }
}
