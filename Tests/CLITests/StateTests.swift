import FoundationEssentials
import Testing

@testable import CLI

struct StateTests {
  private static let services = [
    ServiceDefinition(name: "a", target: "/srv/a", title: "A", description: "first", plaintext: true),
    ServiceDefinition(name: "b", target: "http://127.0.0.1:80"),
  ]

  @Test func servicesAreKept() throws {
    try TemporaryFolder.with { folder in
      let store = ServiceStore(folder: folder)
      #expect(try store.load() == [])
      try store.save(Self.services.reversed())
      #expect(try store.load() == Self.services)
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["services.json"])
      let mode = try FileManager.default.attributesOfItem(atPath: "\(folder)/services.json")[.posixPermissions]
      #expect((mode as? Int) == 0o600)
    }
  }

  @Test(arguments: ["", "{", "[]", #"{"schema": 1}"#, #"{"schema": 2, "services": []}"#])
  func aDamagedFileIsAnErrorAndStays(_ content: String) throws {
    try TemporaryFolder.with { folder in
      let file = "\(folder)/services.json"
      try FileBytes.replace(file, in: folder, with: Array(content.utf8))
      let error = try #require(throws: StateError.self) { _ = try ServiceStore(folder: folder).load() }
      #expect("\(error)".contains(file) && "\(error)".contains("untouched"))
      #expect(try FileBytes.contents(of: file, limit: 1000) == Array(content.utf8))
    }
  }

  @Test func theFolderIsMadeAndPrivate() throws {
    try TemporaryFolder.with { folder in
      let path = "\(folder)/a/b"
      let state = try StateFolder(path)
      #expect(state.path == path)
      #expect((try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int) == 0o700)
    }
  }

  @Test func oneDaemonAtATime() throws {
    try TemporaryFolder.with { folder in
      do {
        let state = try StateFolder(folder)
        let error = try #require(throws: StateError.self) { _ = try StateFolder(folder) }
        #expect("\(error)".contains("in use"))
        #expect(state.path == folder)
      }
      _ = try StateFolder(folder)
    }
  }

  @Test func aFileInTheWay() throws {
    try TemporaryFolder.with { folder in
      try FileBytes.replace("\(folder)/f", in: folder, with: [])
      let error = try #require(throws: StateError.self) { _ = try StateFolder("\(folder)/f/state") }
      #expect("\(error)".contains("--state"))
    }
  }
}
