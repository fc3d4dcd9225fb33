import FoundationEssentials
import Front
import XMPP

/// The forwards that were added with `hearth forward`, kept over restarts in `forwards.json`.
struct ForwardStore: Sendable {
  private struct File: Codable {
    struct Entry: Codable {
      var port: Int
      var device: String
    }

    var schema: Int
    var forwards: [Entry]
  }

  private static let schema = 1

  private let folder: String
  private var file: String { folder + "/forwards.json" }

  init(folder: String) {
    self.folder = folder
  }

  /// By port; none where there is no file. Throws `StateError` and changes nothing where it is damaged.
  func load() throws(StateError) -> [Forward] {
    guard let data = try JSONFile.contents(of: file, limit: DaemonLimits.forwardsBytes) else { return [] }
    guard let content = try? JSONDecoder().decode(File.self, from: data), content.schema == Self.schema else {
      throw .damaged(file, reason: "not the JSON of a list of forwards, schema \(Self.schema)")
    }
    return content.forwards.compactMap { entry in
      JID(entry.device).map { Forward(port: entry.port, to: $0) }
    }.sorted { $0.port < $1.port }
  }

  /// Replaces all; returns once it is on disk. Throws `StateError`, and then the old file still stands.
  func save(_ forwards: [Forward]) throws(StateError) {
    let entries = forwards.sorted { $0.port < $1.port }.map { File.Entry(port: $0.port, device: $0.device.text) }
    try JSONFile.replace(file, in: folder, with: File(schema: Self.schema, forwards: entries))
  }
}
