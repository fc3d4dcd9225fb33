import Dispatch
import Glibc
import NIOCore
import NIOPosix
import Synchronization
import TestKit
import Testing

@testable import Daemon

struct ServiceNotifierTests {
  @Test func theWatchdogIsAsked() {
    let own = ["NOTIFY_SOCKET": "/n", "WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "\(getpid())"]
    #expect(ServiceNotifier(environment: own).watchdog == .seconds(60))
    #expect(ServiceNotifier(environment: own.merging(["WATCHDOG_PID": "1"]) { $1 }).watchdog == nil)
    #expect(ServiceNotifier(environment: own.merging(["WATCHDOG_USEC": "x"]) { $1 }).watchdog == nil)
    #expect(ServiceNotifier(environment: [:]).watchdog == nil)
  }

  /// As long as every event loop answers, and no longer.
  @Test(.timeLimit(.minutes(1))) func whatHangsSaysNothing() async throws {
    try await TemporaryFolder.with { folder in
      let path = "\(folder)/notify"
      let manager = try Self.listen(at: path)
      defer { close(manager) }
      let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
      let looks = Mutex(0)
      let watchdog = Watchdog(
        notifier: ServiceNotifier(address: path, watchdog: Self.interval), eventLoopGroup: group
      ) { looks.withLock { $0 += 1 } }
      let task = Task { await watchdog.run() }
      while Self.receive(manager) != "WATCHDOG=1" { await Task.yield() }
      // One of the loops hangs until it is let go.
      let hang = DispatchSemaphore(value: 0)
      let hangs = group.next().makePromise(of: Void.self)
      let loop = group.next()
      loop.execute {
        hangs.succeed()
        hang.wait()
      }
      try await hangs.futureResult.get()
      // What was under way when it began to hang has come by now, and nothing comes any more.
      while !Self.receive(manager).isEmpty {}
      let before = looks.withLock { $0 }
      try await Self.tenTurns()
      #expect(looks.withLock { $0 } <= before + 1)
      while !Self.receive(manager).isEmpty {}
      hang.signal()
      while Self.receive(manager) != "WATCHDOG=1" { await Task.yield() }
      task.cancel()
      await task.value
      try await group.shutdownGracefully()
    }
  }

  private static let interval = Duration.milliseconds(20)

  /// Returns when another watchdog, whose loop answers, has looked ten times.
  private static func tenTurns() async throws {
    let notifier = ServiceNotifier(address: nil, watchdog: interval)
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let (turns, turn) = AsyncStream.makeStream(of: Void.self)
    let watchdog = Watchdog(notifier: notifier, eventLoopGroup: group) { turn.yield() }
    let task = Task { await watchdog.run() }
    for await _ in turns.prefix(10) {}
    task.cancel()
    await task.value
    try await group.shutdownGracefully()
  }

  private static func listen(at path: String) throws -> Int32 {
    let manager = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
    var name = sockaddr_un()
    name.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &name.sun_path) { $0.copyBytes(from: path.utf8) }
    let size = socklen_t(MemoryLayout<sa_family_t>.size + path.utf8.count)
    let bound = withUnsafePointer(to: &name) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(manager, $0, size) }
    }
    try #require(bound == 0)
    return manager
  }

  @Test(arguments: [false, true]) func theServiceManagerIsTold(abstract: Bool) async throws {
    try TemporaryFolder.with { folder in
      let path = "\(folder)/notify"
      let manager = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
      defer { close(manager) }
      var name = sockaddr_un()
      name.sun_family = sa_family_t(AF_UNIX)
      let size = socklen_t(MemoryLayout<sa_family_t>.size + path.utf8.count + (abstract ? 1 : 0))
      withUnsafeMutableBytes(of: &name.sun_path) { bytes in
        bytes.copyBytes(from: "\(abstract ? "\0" : "")\(path)".utf8)
      }
      let bound = withUnsafePointer(to: &name) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(manager, $0, size) }
      }
      try #require(bound == 0)
      let notifier = ServiceNotifier(address: abstract ? "@\(path)" : path)
      notifier.ready("up")
      notifier.stopping()
      #expect(Self.receive(manager) == "READY=1\nSTATUS=up")
      #expect(Self.receive(manager) == "STOPPING=1")
    }
  }

  @Test(arguments: [nil, "", "relative", "/nowhere/at/all"]) func silentWithoutAManager(_ address: String?) {
    ServiceNotifier(address: address).ready("up")
  }

  private static func receive(_ socket: Int32) -> String {
    var bytes = [UInt8](repeating: 0, count: 256)
    let count = recv(socket, &bytes, bytes.count, Int32(MSG_DONTWAIT))
    return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
  }
}
