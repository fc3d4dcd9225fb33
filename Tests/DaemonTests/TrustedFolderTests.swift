import FoundationEssentials
import TestKit
import Testing
import Trust

@testable import Daemon

struct TrustedFolderTests {
  private static let anna = NodeID(digest: Array(repeating: 1, count: 32))!
  private static let bob = NodeID(digest: Array(repeating: 2, count: 32))!

  private static func write(_ files: [String: String], to folder: String) throws {
    for (name, text) in files { try FileBytes.replace("\(folder)/\(name)", in: folder, with: Array(text.utf8)) }
  }

  @Test func everyFileIsRead() throws {
    try TemporaryFolder.with { folder in
      try Self.write(
        [
          "b.toml": "# kitchen\n[friends]\nbob = \"\(Self.bob.description.lowercased())\"",
          "a.toml": "[friends]\n\"anna.s\" = \"\(Self.anna)\"", "empty.toml": "",
          "note.txt": "not read", ".hidden.toml": "nor = \"this\"",
        ], to: folder)
      #expect(
        try TrustedFolder.read(folder) == [
          FleetEntry(id: Self.anna, petname: try Petname("anna.s")),
          FleetEntry(id: Self.bob, petname: try Petname("bob")),
        ])
    }
  }

  @Test func noFolderIsNobody() throws {
    #expect(try TrustedFolder.read(nil).isEmpty)
    #expect(try TrustedFolder.read("/nowhere/trusted.d").isEmpty)
  }

  @Test(arguments: [
    ("[friend]\na = \"x\"", "friend", "friends"), ("[friends]\nanna = 7", "friends.anna", "a string"),
    ("[friends]\nanna = \"ABC\"", "friends.anna", "56 letters"),
    ("[friends]\npublic = \"\(anna)\"", "friends.public", "meaning of its own"),
    ("[friends]\n\"a b\" = \"\(anna)\"", "friends.a b", "letters, digits"),
    ("[friends]\nanna = \"\(String("\(anna)".dropLast()))A\"", "friends.anna", "typo"),
    ("[friends]\na = \"\(anna)\"\nb = \"\(anna)\"", "friends.b", "the same node as “a”"),
    ("[friends]\nbob = \"\(anna)\"", "friends.bob", "a.toml"), ("friends = 1", "friends", "[friends]"),
  ])
  func aMistakeIsNamed(_ text: String, _ key: String, _ says: String) throws {
    try TemporaryFolder.with { folder in
      try Self.write(["a.toml": "[friends]\nBob = \"\(Self.bob)\"", "z.toml": text], to: folder)
      let error = try #require(throws: ConfigurationError.self) { _ = try TrustedFolder.read(folder) }
      #expect(error.file == "\(folder)/z.toml" && error.key == key)
      #expect(error.message.contains(says), "\(error)")
    }
  }
}
