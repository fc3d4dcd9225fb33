import FoundationEssentials
import Glibc
import Logging
import Mesh
import TLS
import TestKit
import Testing
import Trust

@testable import Daemon

struct FriendStoreTests {
  private static let silent = Logger(label: "t") { _ in SwiftLogNoOpLogHandler() }
  private static let entry = FleetEntry(id: NodeID(digest: Array(repeating: 9, count: 32))!, petname: name("anna"))

  private static func name(_ text: String) -> Petname {
    do throws(TrustError) {
      return try Petname(text)
    } catch {
      preconditionFailure(error.message)
    }
  }

  @Test func friendsOutliveTheDaemon() async throws {
    try await TemporaryFolder.with { folder in
      let store = FriendStore(folder: folder)
      let identity = try Identity.generate(name: "a@b")
      let first = try store.open(for: identity, rotations: [], mode: .ask, logger: Self.silent)
      #expect(!store.exists)
      await first.setFleet([Self.entry])
      #expect(
        try store.open(for: identity, rotations: [], mode: .ask, logger: Self.silent).current.friends.map(
          \.petname.text) == ["anna"])
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["friends.json"])
      try await first.block("anna")
      #expect(
        try FileManager.default.contentsOfDirectory(atPath: folder).sorted() == ["friends.json", "friends.json.1"])
      for file in ["friends.json", "friends.json.1"] {
        let attributes = try FileManager.default.attributesOfItem(atPath: "\(folder)/\(file)")
        #expect((attributes[.posixPermissions] as? Int) == 0o600)
      }
    }
  }

  @Test func thePreviousCopyIsKept() throws {
    try TemporaryFolder.with { folder in
      let store = FriendStore(folder: folder)
      #expect(try store.load() == nil)
      for byte in UInt8(1)...3 { try store.save([byte]) }
      #expect(try store.load() == [3])
      #expect(try FileBytes.contents(of: "\(folder)/friends.json.1", limit: 10) == [2])
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder).count == 2)
    }
  }

  @Test(arguments: ["", "{", #"{"schema": 1}"#, #"{"schema": 9}"#], [true, false])
  func aDamagedFileStopsTheStartAndNothingIsLost(_ content: String, hasCopy: Bool) throws {
    try TemporaryFolder.with { folder in
      let store = FriendStore(folder: folder)
      let copy = Array("what was before".utf8)
      if hasCopy { try store.save(copy) }
      try store.save(Array(content.utf8))
      let error = try #require(throws: StateError.self) {
        _ = try store.open(for: try Identity.generate(name: "a@b"), rotations: [], mode: .ask, logger: Self.silent)
      }
      #expect("\(error)".contains("\(folder)/friends.json ") && "\(error)".contains("untouched"))
      #expect("\(error)".contains("friends.json.1") == hasCopy)
      #expect(try FileBytes.contents(of: "\(folder)/friends.json", limit: 100) == Array(content.utf8))
      #expect(try FileBytes.contents(of: "\(folder)/friends.json.1", limit: 100) == (hasCopy ? copy : nil))
    }
  }

  /// Who was blocked must not come back because a file was lost.
  @Test func aFileThatIsGoneStopsTheStart() throws {
    try TemporaryFolder.with { folder in
      let store = FriendStore(folder: folder)
      for byte in UInt8(1)...2 { try store.save([byte]) }
      try FileManager.default.removeItem(atPath: store.file)
      let error = try #require(throws: StateError.self) { _ = try store.load() }
      #expect("\(error)".contains("friends.json.1"))
    }
  }

  @Test func whatCannotBeSavedIsNotDone() async throws {
    try await TemporaryFolder.with { folder in
      let store = FriendStore(folder: folder)
      let trustService = try store.open(
        for: try Identity.generate(name: "a@b"), rotations: [], mode: .ask, logger: Self.silent)
      await trustService.setFleet([Self.entry])
      try FileManager.default.createDirectory(atPath: "\(store.file).new", withIntermediateDirectories: false)
      await #expect(throws: SystemError.self) { try await trustService.block("anna") }
      #expect(trustService.current.friends.count == 1 && trustService.current.blocked.isEmpty)
    }
  }

  /// At each step of writing, the process is killed; what is found then is the old content or the new, and the copy is
  /// one of the contents before.
  @Test(.timeLimit(.minutes(2)), arguments: FileBytes.Step.allCases.indices, [1, 2, 3])
  func killedWhileFriendsAreWritten(_ index: Int, saves: Int) async throws {
    try await TemporaryFolder.with { folder in
      let store = FriendStore(folder: folder)
      for byte in UInt8(1)...UInt8(saves) { try store.save([byte]) }
      // With one file there is nothing to keep before that: every step is reached all the same.
      await #expect(processExitsWith: .signal(SIGKILL)) { [folder = folder as String, index = index as Int] in
        try FriendStore(folder: folder).save([77]) { step in
          if step == FileBytes.Step.allCases[index] { kill(getpid(), SIGKILL) }
        }
      }
      let isNew = [.renamed, .done].contains(FileBytes.Step.allCases[index])
      #expect(try store.load() == [isNew ? 77 : UInt8(saves)])
      let copy = try FileBytes.contents(of: "\(folder)/friends.json.1", limit: 10)
      let isKept = isNew || FileBytes.Step.allCases[index] == .kept
      #expect(copy == (isKept ? [UInt8(saves)] : saves > 1 ? [UInt8(saves - 1)] : nil))
      try store.save([99])
      #expect(try store.load() == [99])
      #expect(try FileBytes.contents(of: "\(folder)/friends.json.1", limit: 10) == [isNew ? 77 : UInt8(saves)])
    }
  }

  @Test(.timeLimit(.minutes(2)), arguments: 1...6) func killedAtAnyMoment(_ number: Int) async throws {
    try await TemporaryFolder.with { folder in
      let size = 200_000
      try FriendStore(folder: folder).save(Array(repeating: 0, count: size))
      await #expect(processExitsWith: .signal(SIGALRM)) {
        [folder = folder as String, number = number as Int, size = size as Int] in
        var timer = itimerval()
        timer.it_value.tv_usec = number * 3571
        setitimer(__itimer_which_t(ITIMER_REAL.rawValue), &timer, nil)
        for byte in UInt8(0)... {
          try FriendStore(folder: folder).save(Array(repeating: byte, count: size))
          if byte == 255 { break }
        }
        while true { pause() }
      }
      let bytes = try #require(try FriendStore(folder: folder).load())
      #expect(bytes.count == size && Set(bytes).count == 1)
    }
  }
}
