import FoundationEssentials
import Glibc
import TestKit
import Origins
import Testing
import Trust

@testable import Daemon

struct StateTests {
  private static let services = [
    ServiceDefinition(
      name: "a", target: "/srv/a", title: "A", description: "first", access: .only("anna", "bob", paths: ["/x"])),
    ServiceDefinition(name: "b", target: "https://127.0.0.1:80", access: .friends, fingerprint: "5b", insecure: true),
    ServiceDefinition(name: "c", target: "/srv/c", access: .friends, listing: false),
    ServiceDefinition(
      name: "d", target: "http://d", access: .friends,
      app: AppOptions(host: .browser, forwardedFor: true, timeout: 60)),
    ServiceDefinition(name: "e", target: "http://e", access: .friends, app: AppOptions(gadget: true, xml: true)),
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

  @Test(arguments: [
    "", "{", "[]", #"{"schema": 1}"#, #"{"schema": 3, "services": []}"#,
    #"{"schema": 2, "services": [{"name": "a", "target": "/a"}]}"#,
    #"{"schema": 2, "services": [{"name": "a", "target": "/a", "access": "friends", "plaintext": true}]}"#,
  ])
  func aDamagedFileIsAnErrorAndStays(_ content: String) throws {
    try TemporaryFolder.with { folder in
      let file = "\(folder)/services.json"
      try FileBytes.replace(file, in: folder, with: Array(content.utf8))
      let error = try #require(throws: StateError.self) { _ = try ServiceStore(folder: folder).load() }
      #expect("\(error)".contains(file) && "\(error)".contains("untouched"))
      #expect(try FileBytes.contents(of: file, limit: 1000) == Array(content.utf8))
    }
  }

  /// Version 0.1 knew plaintext and nothing else: what was open to anyone still is, and nothing else is.
  @Test func servicesOfTheFirstVersion() throws {
    try TemporaryFolder.with { folder in
      let content = """
        {"schema": 1, "services": [{"name": "a", "target": "/a", "plaintext": true, "title": "A"},
        {"name": "b", "target": "/b", "plaintext": false}]}
        """
      try FileBytes.replace("\(folder)/services.json", in: folder, with: Array(content.utf8))
      #expect(
        try ServiceStore(folder: folder).load() == [
          ServiceDefinition(
            name: "a", target: "/a", title: "A", access: try AccessPolicy(access: .public, plaintext: true)),
          ServiceDefinition(name: "b", target: "/b", access: .friends),
        ])
    }
  }

  @Test(arguments: [0o755, 0o750, 0o701, 0o720]) func aFolderThatIsOpenToOthersIsRefused(_ mode: Int) throws {
    try TemporaryFolder.with { folder in
      try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: folder)
      let error = try #require(throws: StateError.self) { _ = try StateFolder(folder) }
      #expect("\(error)".contains("chmod 700 \(folder)"))
    }
  }

  @Test(.enabled(if: geteuid() == 0, "only root can give folders away")) func anothersFolderIsRefused() throws {
    try TemporaryFolder.with { folder in
      try #require(chown(folder, 65534, 65534) == 0)
      let error = try #require(throws: StateError.self) { _ = try StateFolder(folder) }
      #expect("\(error)".contains("another user"))
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

  /// A pipe would be waited for, and is no file.
  @Test(.timeLimit(.minutes(1))) func aPipeInPlaceOfAFileIsRefused() throws {
    try TemporaryFolder.with { folder in
      let path = "\(folder)/friends.json"
      #expect(mkfifo(path, 0o600) == 0)
      let error = #expect(throws: SystemError.self) { try FileBytes.contents(of: path, limit: 10) }
      #expect(error?.description == "cannot read \(path): it is no ordinary file")
    }
  }
}
