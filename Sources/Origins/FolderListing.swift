/// What a folder has for those who may look: its files and folders that can be opened, in the order of the disk.
struct FolderListing: Sendable {
  struct Entry: Sendable, Equatable {
    /// As the system has it; need not be UTF-8.
    let name: [UInt8]
    let isFolder: Bool
    /// In bytes; of a folder nothing that people know.
    let size: Int
    /// In seconds since 1970.
    let modified: Int
  }

  var entries: [Entry] = []
  /// Whether the folder has more than is listed.
  private(set) var isCut = false

  init(entries: [Entry], isCut: Bool = false) {
    self.entries = entries
    self.isCut = isCut
  }

  /// Reads a folder; blocks. Hidden names are left out, and what cannot be opened through `folder` either: symlinks that
  /// lead elsewhere or nowhere, devices, pipes. Throws `Descriptor.Failure`.
  init(of place: Place, in folder: ServedFolder) throws {
    try Descriptor(reading: place.descriptor).forEachName { name in
      guard FilePath.isVisible(name), let status = try Self.status(of: name, in: place, folder) else { return true }
      isCut = entries.count == OriginLimits.listedEntries
      if !isCut {
        let isFolder = status.kind == .folder
        entries.append(
          Entry(name: name, isFolder: isFolder, size: isFolder ? 0 : status.size, modified: status.modified))
      }
      return !isCut
    }
  }

  /// Of what `name` leads to; nil where that is nothing to list.
  private static func status(of name: [UInt8], in place: Place, _ folder: ServedFolder) throws -> FileStatus? {
    do {
      let status = try place.descriptor.status(of: name)
      switch status.kind {
      case .file, .folder: return status
      case .symlink: return try folder.place(name, in: place)?.status
      case .other: return nil
      }
    } catch Descriptor.Failure.missing, Descriptor.Failure.forbidden {
      return nil
    }
  }
}
