import Control
import HTTPX
import Logging
import Mesh
import Synchronization
import TestKit
import Testing

@testable import Daemon

struct ServiceBookTests {
  private struct NoHandler: ServiceHandler {
    func respond(
      to request: HTTPXRequest, from caller: Caller, send: (HTTPXResponse) async throws -> Void
    ) async throws {}
  }

  private struct BadTarget: Error, CustomStringConvertible {
    var description: String { "cannot be used" }
  }

  /// What is on stage: name → target.
  private final class Stage: Sendable {
    let served = Mutex<[String: String]>([:])

    var stage: ServiceBook.Stage {
      ServiceBook.Stage(
        prepare: {
          guard $0.target != "bad" else { throw BadTarget() }
          return HostedService(name: $0.name, target: $0.target, policy: $0.access, handler: NoHandler())
        },
        serve: { service in self.served.withLock { $0[service.name] = service.target } },
        unserve: { name in self.served.withLock { $0[name] = nil } })
    }

    var names: [String] { served.withLock { $0.keys.sorted() } }
  }

  private static func book(_ folder: String, _ stage: Stage, _ configured: [ServiceDefinition] = []) -> ServiceBook {
    ServiceBook(
      nodeName: "hearth", machine: "pi", configured: configured, store: ServiceStore(folder: folder),
      stage: stage.stage, logger: Logger(label: "t") { _ in SwiftLogNoOpLogHandler() })
  }

  @Test func addedServicesOutliveTheDaemon() async throws {
    try await TemporaryFolder.with { folder in
      let stage = Stage()
      let book = Self.book(folder, stage)
      try await book.start()
      let served = try await book.add(ServiceDefinition(name: "tv", target: "/a", access: .friends))
      #expect(served.jid == "tv@pi")
      #expect(served.warnings.isEmpty)
      #expect(stage.names == ["tv"])
      let second = Stage()
      let again = Self.book(folder, second)
      try await again.start()
      #expect(second.names == ["tv"])
      try await again.remove("TV")
      #expect(second.names == [])
      #expect(try ServiceStore(folder: folder).load() == [])
    }
  }

  @Test func addingAgainReplaces() async throws {
    try await TemporaryFolder.with { folder in
      let stage = Stage()
      let book = Self.book(folder, stage)
      try await book.start()
      _ = try await book.add(ServiceDefinition(name: "tv", target: "/a", access: .friends))
      _ = try await book.add(ServiceDefinition(name: "TV", target: "/b", access: .friends))
      #expect(stage.served.withLock { $0 } == ["TV": "/b"])
      #expect(try ServiceStore(folder: folder).load().map(\.name) == ["TV"])
    }
  }

  @Test(arguments: [
    ("TV", "/a", ControlError.Code.conflict), ("hearth", "/a", .conflict), ("a b", "/a", .invalid),
    ("", "/a", .invalid),
    ("ok", "bad", .invalid), (String(repeating: "x", count: 61), "/a", .invalid),
  ])
  func whatCannotBeAddedChangesNothing(_ name: String, _ target: String, _ code: ControlError.Code) async throws {
    try await TemporaryFolder.with { folder in
      let stage = Stage()
      let book = Self.book(folder, stage, [ServiceDefinition(name: "tv", target: "/c", access: .friends)])
      try await book.start()
      let error = await #expect(throws: ControlError.self) {
        _ = try await book.add(ServiceDefinition(name: name, target: target, access: .friends))
      }
      #expect(error?.code == code)
      #expect(stage.names == ["tv"])
      #expect(try ServiceStore(folder: folder).load() == [])
    }
  }

  @Test func removingWhatIsNotThereOrConfigured() async throws {
    try await TemporaryFolder.with { folder in
      let book = Self.book(folder, Stage(), [ServiceDefinition(name: "tv", target: "/c", access: .friends)])
      try await book.start()
      let configured = await #expect(throws: ControlError.self) { try await book.remove("tv") }
      #expect(configured?.code == .conflict)
      let absent = await #expect(throws: ControlError.self) { try await book.remove("x") }
      #expect(absent?.code == .notFound)
    }
  }

  @Test func reloadTakesOverWhatChanged() async throws {
    try await TemporaryFolder.with { folder in
      let stage = Stage()
      let book = Self.book(
        folder, stage,
        [
          ServiceDefinition(name: "a", target: "/a", access: .friends),
          ServiceDefinition(name: "b", target: "/b", access: .friends),
        ])
      try await book.start()
      _ = try await book.add(ServiceDefinition(name: "c", target: "/c", access: .friends))
      try await book.reload([
        ServiceDefinition(name: "b", target: "/b2", access: .friends),
        ServiceDefinition(name: "c", target: "/configured", access: .friends),
      ])
      #expect(stage.served.withLock { $0 } == ["b": "/b2", "c": "/configured"])
      try await book.reload([])
      #expect(stage.served.withLock { $0 } == ["c": "/c"], "what was added comes back")
    }
  }

  @Test func aBadReloadChangesNothing() async throws {
    try await TemporaryFolder.with { folder in
      let stage = Stage()
      let book = Self.book(folder, stage, [ServiceDefinition(name: "a", target: "/a", access: .friends)])
      try await book.start()
      await #expect(throws: DaemonError.self) {
        try await book.reload([
          ServiceDefinition(name: "b", target: "/b", access: .friends),
          ServiceDefinition(name: "c", target: "bad", access: .friends),
        ])
      }
      #expect(stage.served.withLock { $0 } == ["a": "/a"])
      try await book.reload([ServiceDefinition(name: "b", target: "/b", access: .friends)])
      #expect(stage.names == ["b"])
    }
  }

  @Test func aConfiguredServiceThatCannotBeServedStopsTheStart() async throws {
    try await TemporaryFolder.with { folder in
      let stage = Stage()
      let book = Self.book(
        folder, stage,
        [
          ServiceDefinition(name: "a", target: "/a", access: .friends),
          ServiceDefinition(name: "b", target: "bad", access: .friends),
        ])
      let failure = await #expect(throws: DaemonError.self) { try await book.start() }
      #expect(failure == .service("b", reason: "cannot be used"))
      #expect(stage.names == [])
    }
  }

  @Test func anAddedOneThatCannotBeServedStopsNothing() async throws {
    try await TemporaryFolder.with { folder in
      try ServiceStore(folder: folder).save([
        ServiceDefinition(name: "a", target: "bad", access: .friends),
        ServiceDefinition(name: "b", target: "/b", access: .friends),
      ])
      let stage = Stage()
      try await Self.book(folder, stage).start()
      #expect(stage.names == ["b"])
      #expect(try ServiceStore(folder: folder).load().count == 2)
    }
  }
}
