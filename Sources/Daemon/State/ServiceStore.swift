import Control
import FoundationEssentials

/// The services that were added with `hearth serve`, kept over restarts in `services.json`.
struct ServiceStore: Sendable {
  private struct Header: Codable {
    var schema: Int
  }

  private struct File: Codable {
    var schema: Int
    var services: [Entry]
  }

  /// As the control socket takes it, with its name.
  private struct Entry: Codable {
    var name: String
    var service: ServiceResource

    enum CodingKeys: CodingKey {
      case name
    }

    init(_ definition: ServiceDefinition) {
      name = definition.name
      service = ServiceResource(definition)
    }

    init(from decoder: any Decoder) throws {
      name = try decoder.container(keyedBy: CodingKeys.self).decode(String.self, forKey: .name)
      service = try ServiceResource(from: decoder)
    }

    func encode(to encoder: any Encoder) throws {
      try service.encode(to: encoder)
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(name, forKey: .name)
    }
  }

  /// Of version 0.1, which had no friends: there, HTTP was for anyone or for nobody.
  private struct FirstFile: Codable {
    struct Entry: Codable {
      var name: String
      var target: String
      var title: String?
      var description: String?
      var plaintext: Bool
    }

    var services: [Entry]
  }

  private static let schema = 2

  private let folder: String
  private var file: String { folder + "/services.json" }

  init(folder: String) {
    self.folder = folder
  }

  /// Sorted by name; none where there is no file. Throws `StateError` and changes nothing where it is damaged.
  func load() throws(StateError) -> [ServiceDefinition] {
    guard let data = try JSONFile.contents(of: file, limit: DaemonLimits.servicesBytes) else { return [] }
    do {
      return try definitions(data).sorted { $0.name < $1.name }
    } catch let error as StateError {
      throw error
    } catch let error as ControlError {
      throw .damaged(file, reason: error.message)
    } catch {
      throw .damaged(file, reason: "not the JSON of a list of services")
    }
  }

  private func definitions(_ data: Data) throws -> [ServiceDefinition] {
    let decoder = JSONDecoder()
    switch try decoder.decode(Header.self, from: data).schema {
    case 1:
      return try decoder.decode(FirstFile.self, from: data).services.map { entry in
        let service = ServiceResource(
          target: entry.target, title: entry.title, description: entry.description,
          access: entry.plaintext ? .public : .friends, plaintext: entry.plaintext)
        return try ServiceDefinition(entry.name, service)
      }
    case Self.schema:
      return try decoder.decode(File.self, from: data).services.map { try ServiceDefinition($0.name, $0.service) }
    case let schema:
      throw StateError.damaged(file, reason: "schema \(schema), and this version knows \(Self.schema)")
    }
  }

  /// Replaces all; returns once it is on disk. Throws `StateError`, and then the old file still stands.
  func save(_ services: [ServiceDefinition]) throws(StateError) {
    let entries = services.sorted { $0.name < $1.name }.map(Entry.init)
    try JSONFile.replace(file, in: folder, with: File(schema: Self.schema, services: entries))
  }
}
