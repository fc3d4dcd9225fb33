import Control
import Mesh
import NIOPosix
import TestKit
import Testing

@testable import Daemon

struct ServiceBookTests {
  private static func node() throws -> Node { try Node.make("pi", try .fresh("pi"), on: Link()) }

  private static func book(_ folder: String, _ node: Node, _ configured: [ServiceDefinition] = []) -> ServiceBook {
    ServiceBook(
      node: node, configured: configured, store: ServiceStore(folder: folder),
      eventLoopGroup: .singletonMultiThreadedEventLoopGroup, logger: .silent)
  }

  /// What the node serves: name → target.
  private static func served(_ node: Node) -> [String: String] {
    Dictionary(uniqueKeysWithValues: node.status().services.map { ($0.name, $0.target) })
  }

  private static func names(_ node: Node) -> [String] { node.status().services.map(\.name) }

  @Test func addedServicesOutliveTheDaemon() async throws {
    try await TemporaryFolder.with { folder in
      let node = try Self.node()
      let book = Self.book(folder, node)
      try await book.start()
      let served = try await book.add(ServiceDefinition(name: "tv", target: "unix:/a", access: .friends))
      #expect(served.jid == "tv@pi")
      #expect(served.warnings.isEmpty)
      #expect(Self.names(node) == ["tv"])
      let second = try Self.node()
      let again = Self.book(folder, second)
      try await again.start()
      #expect(Self.names(second) == ["tv"])
      try await again.remove("TV")
      #expect(Self.names(second) == [])
      #expect(try ServiceStore(folder: folder).load() == [])
    }
  }

  @Test func addingAgainReplaces() async throws {
    try await TemporaryFolder.with { folder in
      let node = try Self.node()
      let book = Self.book(folder, node)
      try await book.start()
      _ = try await book.add(ServiceDefinition(name: "tv", target: "unix:/a", access: .friends))
      _ = try await book.add(ServiceDefinition(name: "TV", target: "unix:/b", access: .friends))
      #expect(Self.served(node) == ["TV": "unix:/b"])
      #expect(try ServiceStore(folder: folder).load().map(\.name) == ["TV"])
    }
  }

  @Test(arguments: [
    ("TV", "unix:/a", ControlError.Code.conflict), ("node", "unix:/a", .conflict), ("a b", "unix:/a", .invalid),
    ("", "unix:/a", .invalid),
    ("ok", "bad", .invalid), ("ok", "/there/is/no/such/folder", .invalid),
    (String(repeating: "x", count: 61), "unix:/a", .invalid),
  ])
  func whatCannotBeAddedChangesNothing(_ name: String, _ target: String, _ code: ControlError.Code) async throws {
    try await TemporaryFolder.with { folder in
      let node = try Self.node()
      let book = Self.book(folder, node, [ServiceDefinition(name: "tv", target: "unix:/c", access: .friends)])
      try await book.start()
      let error = await #expect(throws: ControlError.self) {
        _ = try await book.add(ServiceDefinition(name: name, target: target, access: .friends))
      }
      #expect(error?.code == code)
      #expect(Self.names(node) == ["tv"])
      #expect(try ServiceStore(folder: folder).load() == [])
    }
  }

  @Test func removingWhatIsNotThereOrConfigured() async throws {
    try await TemporaryFolder.with { folder in
      let book = Self.book(
        folder, try Self.node(), [ServiceDefinition(name: "tv", target: "unix:/c", access: .friends)])
      try await book.start()
      let configured = await #expect(throws: ControlError.self) { try await book.remove("tv") }
      #expect(configured?.code == .conflict)
      let absent = await #expect(throws: ControlError.self) { try await book.remove("x") }
      #expect(absent?.code == .notFound)
    }
  }

  @Test func reloadTakesOverWhatChanged() async throws {
    try await TemporaryFolder.with { folder in
      let node = try Self.node()
      let book = Self.book(
        folder, node,
        [
          ServiceDefinition(name: "a", target: "unix:/a", access: .friends),
          ServiceDefinition(name: "b", target: "unix:/b", access: .friends),
        ])
      try await book.start()
      _ = try await book.add(ServiceDefinition(name: "c", target: "unix:/c", access: .friends))
      try await book.reload([
        ServiceDefinition(name: "b", target: "unix:/b2", access: .friends),
        ServiceDefinition(name: "c", target: "unix:/configured", access: .friends),
      ])
      #expect(Self.served(node) == ["b": "unix:/b2", "c": "unix:/configured"])
      try await book.reload([])
      #expect(Self.served(node) == ["c": "unix:/c"], "what was added comes back")
    }
  }

  @Test func aBadReloadChangesNothing() async throws {
    try await TemporaryFolder.with { folder in
      let node = try Self.node()
      let book = Self.book(folder, node, [ServiceDefinition(name: "a", target: "unix:/a", access: .friends)])
      try await book.start()
      await #expect(throws: DaemonError.self) {
        try await book.reload([
          ServiceDefinition(name: "b", target: "unix:/b", access: .friends),
          ServiceDefinition(name: "c", target: "bad", access: .friends),
        ])
      }
      #expect(Self.served(node) == ["a": "unix:/a"])
      try await book.reload([ServiceDefinition(name: "b", target: "unix:/b", access: .friends)])
      #expect(Self.names(node) == ["b"])
    }
  }

  @Test func aConfiguredServiceThatCannotBeServedStopsTheStart() async throws {
    try await TemporaryFolder.with { folder in
      let node = try Self.node()
      let book = Self.book(
        folder, node,
        [
          ServiceDefinition(name: "a", target: "unix:/a", access: .friends),
          ServiceDefinition(name: "b", target: "bad", access: .friends),
        ])
      let failure = await #expect(throws: DaemonError.self) { try await book.start() }
      #expect(failure?.description.hasPrefix("services.b: target “bad”: ") == true)
      #expect(Self.names(node) == [])
    }
  }

  @Test func anAddedOneThatCannotBeServedStopsNothing() async throws {
    try await TemporaryFolder.with { folder in
      try ServiceStore(folder: folder).save([
        ServiceDefinition(name: "a", target: "bad", access: .friends),
        ServiceDefinition(name: "b", target: "unix:/b", access: .friends),
      ])
      let node = try Self.node()
      try await Self.book(folder, node).start()
      #expect(Self.names(node) == ["b"])
      #expect(try ServiceStore(folder: folder).load().count == 2)
    }
  }
}
