import Control
import Dashboard
import Front
import Mesh
import NIOCore
import NIOPosix
import TestKit
import Testing
import XMPP

@testable import Daemon

@Suite(.timeLimit(.minutes(1))) struct ForwardBookTests {
  private static let (printer, tv) = (JID("printer@pi")!, JID("tv@den")!)
  private static let frontPort = 8332

  private static func with(
    _ folder: String, _ configured: [Forward] = [], _ body: (ForwardBook) async throws -> Void
  ) async throws {
    let node = try Node.make("pi", try .fresh("pi"), on: Link())
    let forwards = Forwards(
      node: node, front: FrontAddress(port: frontPort),
      responder: DashboardResponder(
        node: node, services: TestServices(node: node), mayChange: { _ in false }, logger: .silent),
      eventLoopGroup: MultiThreadedEventLoopGroup.singleton, logger: .silent)
    let book = ForwardBook(
      forwards: forwards, configured: configured, store: ForwardStore(folder: folder), frontPort: frontPort,
      logger: .silent)
    try await book.start()
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { await forwards.run() }
      for forward in await book.list { _ = await forwards.problem(afterOpening: forward.port) }
      try await body(book)
      group.cancelAll()
      try await group.waitForAll()
    }
  }

  private static func refusal(_ body: () async throws -> Void) async -> ControlError? {
    await #expect(throws: ControlError.self) { try await body() }
  }

  @Test func whatWasAddedOutlivesTheDaemon() async throws {
    try await TemporaryFolder.with { folder in
      var port = 0
      try await Self.with(folder) { book in
        let forward = try await book.add(Self.printer, at: nil)
        port = forward.port
        #expect(FrontLimits.forwardPorts.contains(port) && forward.device == "printer@pi" && forward.problem == nil)
        #expect(forward.url == "http://localhost:\(port)/" && !forward.configured)
        // The same wish again changes nothing.
        #expect(try await book.add(Self.printer, at: nil) == forward)
        #expect(try await book.add(Self.printer, at: port) == forward)
        #expect(await book.list == [forward])
      }
      try await Self.with(folder) { book in
        #expect(await book.list.map(\.port) == [port])
        try await book.remove(port)
        #expect(await book.list.isEmpty)
        #expect(try ForwardStore(folder: folder).load() == [])
        // It is free again.
        #expect(try await book.add(Self.tv, at: port).port == port)
      }
    }
  }

  @Test func whatCannotBeIsRefusedAndChangesNothing() async throws {
    try await TemporaryFolder.with { folder in
      let taken = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        .bind(host: "127.0.0.1", port: 0).get()
      let port = try #require(taken.localAddress?.port)
      try await Self.with(folder) { book in
        let inUse = await Self.refusal { _ = try await book.add(Self.printer, at: port) }
        #expect(inUse?.code == .conflict && inUse?.message.contains("such as") == true, "\(inUse?.message ?? "-")")
        #expect(inUse?.message.hasPrefix("Port \(port) is in use by ") == true)
        #expect(await Self.refusal { _ = try await book.add(Self.printer, at: Self.frontPort) }?.code == .conflict)
        #expect(await Self.refusal { _ = try await book.add(Self.printer, at: 70_000) }?.code == .invalid)
        #expect(await Self.refusal { try await book.remove(port) }?.code == .notFound)
        #expect(await book.list.isEmpty)
      }
      #expect(try ForwardStore(folder: folder).load() == [])
      try await taken.close()
    }
  }

  @Test func aPortIsOneDevice() async throws {
    try await TemporaryFolder.with { folder in
      try await Self.with(folder) { book in
        let port = try await book.add(Self.printer, at: nil).port
        let other = await Self.refusal { _ = try await book.add(Self.tv, at: port) }
        #expect(other?.code == .conflict)
        #expect(other?.message.contains("printer@pi already") == true)
        #expect(other?.message.contains("hearth forward --remove \(port)") == true)
      }
    }
  }

  @Test func reloadTakesOverWhatChanged() async throws {
    try await TemporaryFolder.with { folder in
      try await Self.with(folder) { book in
        let (first, second) = (try await book.add(Self.printer, at: nil), try await book.add(Self.tv, at: nil))
        await book.reload([Forward(port: first.port, to: Self.tv)])
        let list = await book.list
        #expect(list.map(\.device) == ["tv@den", "tv@den"] && list.map(\.configured) == [true, false])
        #expect(await Self.refusal { try await book.remove(first.port) }?.code == .conflict)
        await book.reload([])
        #expect(await book.list == [first, second], "what was added comes back")
      }
    }
  }

  @Test func withoutAFrontThereIsNone() async throws {
    try await TemporaryFolder.with { folder in
      let book = ForwardBook(
        forwards: nil, configured: [], store: ForwardStore(folder: folder), frontPort: Self.frontPort, logger: .silent)
      try await book.start()
      let error = await Self.refusal { _ = try await book.add(Self.printer, at: nil) }
      #expect(error?.message.contains("[front]") == true)
    }
  }

  @Test func aDamagedFileIsLeftAsItIs() throws {
    try TemporaryFolder.with { folder in
      let file = "\(folder)/forwards.json"
      for content in ["{", #"{"schema": 2, "forwards": []}"#] {
        try FileBytes.replace(file, in: folder, with: Array(content.utf8))
        #expect(throws: StateError.self) { _ = try ForwardStore(folder: folder).load() }
      }
    }
  }
}
