import FoundationEssentials
import TOMLKit
import Trust

/// Reads `trusted.d/*.toml`, in which whoever cares for many nodes says who are friends, as strictly as `hearth.toml`.
///
/// Each file has one table, `[friends]`, of node ids by petname.
enum TrustedFolder {
  /// In the order of file and name; none where there is no such folder. Throws `ConfigurationError`.
  static func read(_ folder: String?) throws(ConfigurationError) -> [FleetEntry] {
    guard let folder, FileManager.default.fileExists(atPath: folder) else { return [] }
    let names: [String]
    do {
      names = try FileManager.default.contentsOfDirectory(atPath: folder)
    } catch {
      throw ConfigurationError(file: folder, message: "cannot be read: is it a folder that this user may read?")
    }
    var entries: [(entry: FleetEntry, file: String)] = []
    for name in names.sorted() where name.hasSuffix(".toml") && !name.hasPrefix(".") {
      let file = "\(folder)/\(name)"
      try add(try ConfigurationFile.text(of: file), file: file, to: &entries)
    }
    return entries.map(\.entry)
  }

  private static func add(
    _ text: String, file: String, to entries: inout [(entry: FleetEntry, file: String)]
  ) throws(ConfigurationError) {
    let root = try ConfigurationFile.root(text, file: file)
    try root.allow(["friends"])
    guard let friends = try root.table("friends") else { return }
    for name in friends.table.keys.sorted() {
      guard let id = try friends.string(name) else { continue }
      let entry = try friends.checking(name) { () throws(TrustError) in
        FleetEntry(id: try NodeID(id), petname: try Petname(name))
      }
      if let twin = entries.first(where: { $0.entry.petname == entry.petname || $0.entry.id == entry.id }) {
        let what = twin.entry.id == entry.id ? "the same node as “\(twin.entry.petname)”" : "the same name as one"
        throw friends.failure(name, "is \(what) in \(twin.file): each node has one name, and each name one node")
      }
      guard entries.count < TrustLimits.friends else {
        throw friends.failure(name, "is one too many: a node has at most \(TrustLimits.friends) friends")
      }
      entries.append((entry, file))
    }
  }
}
