import FoundationEssentials

/// A folder of a test's own, gone with everything in it when the test is over.
package enum TemporaryFolder {
  package static func with<Result>(_ body: (String) async throws -> Result) async throws -> Result {
    let path = try make()
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try await body(path)
  }

  package static func with<Result>(_ body: (String) throws -> Result) throws -> Result {
    let path = try make()
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try body(path)
  }

  private static func make() throws -> String {
    let path = "/tmp/hearth-test-\(UUID())"
    try FileManager.default.createDirectory(
      atPath: path, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
    return path
  }
}
