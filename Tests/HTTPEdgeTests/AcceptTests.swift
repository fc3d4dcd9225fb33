import Codecs
import HTTPEdge
import HTTPTypes
import NIOCore
import NIOPosix
import Synchronization
import TestKit
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Servers that have no room, or no descriptor, for one more connection.
@Suite(.timeLimit(.minutes(1))) struct AcceptTests {
  private static let ask = "GET /a HTTP/1.1\r\nHost: h\r\n\r\n"
  private static let answer = "HTTP/1.1 204"

  @Sendable private static func respond(_ request: Request, _ writer: ResponseWriter) async throws {
    if request.head.path == "/slow" { try await untilCancelled() }
    try await writer.write(HTTPResponse(status: .noContent), .empty)
  }

  private func asks(_ address: SocketAddress) async throws {
    try await withRawClient(address) { client in
      try await client.write(Self.ask)
      let text = try await client.read(to: "\r\n\r\n")
      #expect(text.hasPrefix(Self.answer))
    }
  }

  /// Silent ones, and those with half a head: the longest idle one goes for each that comes.
  @Test(arguments: ["", "GET /half HTTP/1.1\r\nHo"]) func idleConnectionsMakeRoom(_ beginning: String) async throws {
    var limits = HTTPServerLimits()
    limits.connections = 8
    try await withServer(limits: limits, Self.respond) { addresses in
      let idle = try Self.open(8, to: addresses[0], saying: beginning)
      defer { for socket in idle { close(socket) } }
      for _ in 1...4 { try await asks(addresses[0]) }
      #expect(Self.firstEnded(of: idle) < 4, "those that have been idle for the longest time, on some loop")
    }
  }

  /// One limit for all addresses of a server.
  @Test func idleConnectionsMakeRoomOnTheOtherAddress() async throws {
    var limits = HTTPServerLimits()
    limits.connections = 8
    try await withServer(limits: limits, Self.respond) { addresses in
      try #require(addresses.count == 2, "this machine has no ::1")
      let idle = try Self.open(8, to: addresses[0])
      defer { for socket in idle { close(socket) } }
      try await asks(addresses[1])
    }
  }

  @Test func aRequestUnderWayIsNotClosedForAnother() async throws {
    var limits = HTTPServerLimits()
    limits.connections = 2
    let (begun, begin) = AsyncStream.makeStream(of: Void.self)
    let (gate, opened) = AsyncStream.makeStream(of: Void.self)
    try await withServer(
      limits: limits,
      { request, writer in
        if request.head.path == "/slow" {
          begin.yield()
          for await _ in gate {}
        }
        try await writer.write(HTTPResponse(status: .noContent), .empty)
      }
    ) { addresses in
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 1...2 {
          group.addTask {
            try await withRawClient(addresses[0]) { client in
              try await client.write("GET /slow HTTP/1.1\r\nHost: h\r\n\r\n")
              let text = try await client.read(to: "\r\n\r\n")
              #expect(text.hasPrefix(Self.answer))
            }
          }
        }
        var count = 0
        for await _ in begun {
          count += 1
          if count == 2 { break }
        }
        // It waits in the kernel until one of the two is answered.
        group.addTask { try await asks(addresses[0]) }
        let waiting = try Self.open(1, to: addresses[0])
        defer { close(waiting[0]) }
        opened.finish()
        try await group.waitForAll()
      }
    }
  }

  @Test func halfAHeadHasItsTime() async throws {
    var limits = HTTPServerLimits()
    limits.head = .milliseconds(50)
    limits.idle = .hours(1)
    try await withServer(limits: limits, Self.respond) { addresses in
      try await withRawClient(addresses[0]) { client in
        try await client.write(Self.ask)
        _ = try await client.read(to: "\r\n\r\n")
        try await client.write("GET /half HTTP/1.1\r\n")
        let rest = try await client.readToEnd()
        #expect(rest == "")
      }
    }
  }

  /// Out of descriptors a server rests, and serves who waits once there are some.
  @Test func withoutDescriptorsAServerRests() async throws {
    try await withServer(Self.respond) { addresses in
      try await asks(addresses[0])
      OutOfDescriptors.whileWaiting(addresses[0].port!) { client in
        #expect(send(client, Self.ask, Self.ask.utf8.count, 0) == Self.ask.utf8.count)
        return "HTTP/1.1 204"
      }
    }
  }

  // MARK: Sockets

  /// What waits in the kernel comes in one burst once it is read, and small answers on the same stream wait behind it.
  @Test func theKernelKeepsLittleOfABodyForAClientThatStopsReading() async throws {
    let written = Mutex(0)
    let zeros = AsyncThrowingStream<ByteBuffer, any Error> {
      written.withLock { $0 += 1 << 16 }
      return ByteBuffer(repeating: 0, count: 1 << 16)
    }
    try await withServer({ _, writer in try await writer.write(HTTPResponse(status: .ok), Body(zeros)) }) { addresses in
      let client = try Self.open(1, to: addresses[0])[0]
      defer { close(client) }
      // The kernel takes this twice.
      var room: Int32 = 1 << 20
      setsockopt(client, SOL_SOCKET, SO_RCVBUF, &room, socklen_t(MemoryLayout<Int32>.size))
      _ = send(client, Self.ask, Self.ask.utf8.count, 0)
      // So much that the kernel finds more room worth while.
      let read = Self.read(64 << 20, from: client)
      try await standstill { written.withLock { $0 } }
      let waiting = written.withLock { $0 } - read
      #expect(waiting < 3 << 20, "2 MiB at the client's side, 512 KiB at the server's, a few parts in between")
    }
  }

  /// At least so many bytes; returns how many.
  private static func read(_ count: Int, from socket: Int32) -> Int {
    var (memory, done) = ([UInt8](repeating: 0, count: 1 << 16), 0)
    while done < count {
      let part = recv(socket, &memory, memory.count, 0)
      guard part > 0 else { break }
      done += part
    }
    return done
  }

  private static func open(
    _ count: Int, to address: SocketAddress, saying text: String = ""
  ) throws -> [Int32] {
    var sockets: [Int32] = []
    for _ in 0..<count {
      let descriptor = socket(Int32(address.protocol == .inet6 ? AF_INET6 : AF_INET), Int32(SOCK_STREAM.rawValue), 0)
      let result = address.withSockAddr { connect(descriptor, $0, socklen_t($1)) }
      #expect(result == 0)
      _ = send(descriptor, text, text.utf8.count, 0)
      sockets.append(descriptor)
    }
    return sockets
  }

  /// The first of these whose other side has closed it, which is waited for.
  private static func firstEnded(of sockets: [Int32]) -> Int {
    var polled = sockets.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
    poll(&polled, nfds_t(polled.count), 10_000)
    return polled.firstIndex { $0.revents != 0 } ?? Int.max
  }
}
