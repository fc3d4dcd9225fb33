import FoundationEssentials
import Glibc
import TLS
import TestKit
import Testing
import Trust

@testable import Daemon

/// The node's key, in files that nobody else may read and that no accident may replace.
struct IdentityStoreTests {
  private static let cryptography = Cryptography(
    sha256: { Digest.sha256($0) }, verify: { Identity.verify($0, of: $1, spki: $2) })

  @Test func theKeyIsMadeOnceAndForItsOwnerOnly() throws {
    try TemporaryFolder.with { folder in
      let store = IdentityStore(folder: folder)
      let identity = try store.load(name: "hearth@pi")
      #expect(try store.load(name: "other").spki == identity.spki)
      #expect(try store.rotations(to: identity).isEmpty)
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["identity.pem"])
      let attributes = try FileManager.default.attributesOfItem(atPath: "\(folder)/identity.pem")
      #expect((attributes[.posixPermissions] as? Int) == 0o600)
    }
  }

  @Test(arguments: [0o640, 0o604, 0o660, 0o606, 0o644, 0o610]) func aKeyThatOthersCanReadStopsTheStart(_ mode: Int)
    throws
  {
    try TemporaryFolder.with { folder in
      let store = IdentityStore(folder: folder)
      _ = try store.load(name: "a@b")
      let file = "\(folder)/identity.pem"
      try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file)
      let error = try #require(throws: StateError.self) { _ = try store.load(name: "a@b") }
      #expect("\(error)".contains("chmod 600 \(file)") && "\(error)".contains("rotate-key"))
    }
  }

  @Test(.enabled(if: geteuid() == 0, "only root can give files away")) func anothersKeyStopsTheStart() throws {
    try TemporaryFolder.with { folder in
      let store = IdentityStore(folder: folder)
      _ = try store.load(name: "a@b")
      try #require(chown("\(folder)/identity.pem", 65534, 65534) == 0)
      #expect(throws: StateError.self) { _ = try store.load(name: "a@b") }
    }
  }

  @Test(arguments: ["", "no key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"])
  func aDamagedKeyStopsTheStartAndStays(_ content: String) throws {
    try TemporaryFolder.with { folder in
      let file = "\(folder)/identity.pem"
      try FileBytes.replace(file, in: folder, with: Array(content.utf8))
      let error = try #require(throws: StateError.self) { _ = try IdentityStore(folder: folder).load(name: "a@b") }
      #expect("\(error)".contains(file) && "\(error)".contains("untouched"))
      #expect(try FileBytes.contents(of: file, limit: 1000) == Array(content.utf8))
    }
  }

  @Test func aLinkIsNoKey() throws {
    try TemporaryFolder.with { folder in
      try #require(symlink("/etc/hostname", "\(folder)/identity.pem") == 0)
      #expect(throws: StateError.self) { _ = try IdentityStore(folder: folder).load(name: "a@b") }
    }
  }

  @Test func aKeyThatIsGoneIsNotReplacedWhileFriendsKnowIt() throws {
    try TemporaryFolder.with { folder in
      try FriendStore(folder: folder).save([1])
      let error = try #require(throws: StateError.self) { _ = try IdentityStore(folder: folder).load(name: "a@b") }
      #expect("\(error)".contains("identity.pem") && "\(error)".contains("friends.json"))
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["friends.json"])
    }
  }

  @Test func oldKeysVouchForNewOnes() throws {
    try TemporaryFolder.with { folder in
      let store = IdentityStore(folder: folder)
      let first = try store.load(name: "a@b")
      var running = first
      for count in 1...(TrustLimits.rotations + 2) {
        let new = try store.rotate(running, name: "a@b")
        #expect(throws: RotationError.self) { _ = try store.rotate(running, name: "a@b") }
        running = try store.load(name: "a@b")
        #expect(running.spki == new.spki)
        let chain = try store.rotations(to: running)
        #expect(chain.count == min(count, TrustLimits.rotations))
        #expect(chain.last?.new == running.spki)
        #expect(chain.allSatisfy { $0.isValid(Self.cryptography) })
        for (link, next) in zip(chain, chain.dropFirst()) { #expect(link.new == next.old) }
      }
      #expect(running.spki != first.spki)
    }
  }

  @Test(arguments: ["", "{}", #"{"schema": 2, "links": []}"#]) func damagedStatementsStopTheStart(_ content: String)
    throws
  {
    try TemporaryFolder.with { folder in
      let store = IdentityStore(folder: folder)
      let identity = try store.load(name: "a@b")
      try FileBytes.replace("\(folder)/rotations.json", in: folder, with: Array(content.utf8))
      let error = try #require(throws: StateError.self) { _ = try store.rotations(to: identity) }
      #expect("\(error)".contains("rotations.json"))
    }
  }

  /// Of the two files the statement is replaced first, then the key.
  @Test(.timeLimit(.minutes(2)), arguments: 0..<(2 * (FileBytes.Step.allCases.count - 2)))
  func killedWhileTheKeyIsChanged(_ stop: Int) async throws {
    try await TemporaryFolder.with { folder in
      let store = IdentityStore(folder: folder)
      let first = try store.load(name: "a@b")
      let second = try store.rotate(first, name: "a@b")
      await #expect(processExitsWith: .signal(SIGKILL)) { [folder = folder as String, stop = stop as Int] in
        var steps = 0
        let store = IdentityStore(folder: folder)
        let running = try store.load(name: "a@b")
        _ = try store.rotate(running, name: "a@b") { _ in
          if steps == stop { kill(getpid(), SIGKILL) }
          steps += 1
        }
      }
      let now = try store.load(name: "a@b")
      let chain = try store.rotations(to: now)
      #expect(chain.first?.old == first.spki && chain.last?.new == now.spki)
      #expect(chain.count == (now.spki == second.spki ? 1 : 2))
      #expect(chain.allSatisfy { $0.isValid(Self.cryptography) })
      // And the next change works, whatever was left behind.
      _ = try store.rotate(now, name: "a@b")
      #expect(try store.rotations(to: try store.load(name: "a@b")).count == chain.count + 1)
    }
  }
}
