import FoundationEssentials

/// Small files of JSON in the state folder.
enum JSONFile {
  /// nil where there is no such file. Throws `StateError`.
  static func contents(of path: String, limit: Int) throws(StateError) -> Data? {
    do {
      return try FileBytes.contents(of: path, limit: limit).map { Data($0) }
    } catch {
      throw .unusable(error)
    }
  }

  /// Returns once it is on disk. Throws `StateError`, and then the old file still stands.
  static func replace(_ path: String, in folder: String, with value: some Encodable) throws(StateError) {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    do {
      try FileBytes.replace(path, in: folder, with: [UInt8](try encoder.encode(value)) + [0x0A])
    } catch let error as SystemError {
      throw .unusable(error)
    } catch {
      throw .damaged(path, reason: "\(error)")
    }
  }
}
