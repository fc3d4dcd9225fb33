import FoundationEssentials

/// The services that were added with `hearth serve`, kept over restarts in `services.json`.
struct ServiceStore: Sendable {
  private struct File: Codable {
    struct Entry: Codable {
      var name: String
      var target: String
      var title: String?
      var description: String?
      var plaintext: Bool
    }

    var schema: Int
    var services: [Entry]
  }

  private static let schema = 1
  /// Far beyond what anyone serves; a larger file is not ours.
  private static let largest = 1 << 20

  private let folder: String
  private var file: String { folder + "/services.json" }

  init(folder: String) {
    self.folder = folder
  }

  /// Sorted by name; none where there is no file. Throws `StateError` and changes nothing where it is damaged.
  func load() throws(StateError) -> [ServiceDefinition] {
    let bytes: [UInt8]?
    do {
      bytes = try FileBytes.contents(of: file, limit: Self.largest)
    } catch {
      throw .unusable(error)
    }
    guard let bytes else { return [] }
    let content: File
    do {
      content = try JSONDecoder().decode(File.self, from: Data(bytes))
    } catch {
      throw .damaged(file, reason: "not the JSON of a list of services")
    }
    guard content.schema == Self.schema else {
      throw .damaged(file, reason: "schema \(content.schema), and this version knows \(Self.schema)")
    }
    return content.services.map {
      ServiceDefinition(
        name: $0.name, target: $0.target, title: $0.title, description: $0.description, plaintext: $0.plaintext)
    }.sorted { $0.name < $1.name }
  }

  /// Replaces all; returns once it is on disk. Throws `StateError`, and then the old file still stands.
  func save(_ services: [ServiceDefinition]) throws(StateError) {
    let entries = services.sorted { $0.name < $1.name }.map {
      File.Entry(
        name: $0.name, target: $0.target, title: $0.title, description: $0.description, plaintext: $0.plaintext)
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    do {
      let data = try encoder.encode(File(schema: Self.schema, services: entries))
      try FileBytes.replace(file, in: folder, with: [UInt8](data) + [0x0A])
    } catch let error as SystemError {
      throw .unusable(error)
    } catch {
      throw .damaged(file, reason: "\(error)")
    }
  }
}
