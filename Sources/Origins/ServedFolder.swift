#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A folder that cannot be served, or a file that could not be sent to its end.
package struct FileFolderError: Error, CustomStringConvertible {
  package let description: String

  init(_ description: String) {
    self.description = description
  }
}

/// Something that lies below a folder that is served.
struct Place: Sendable {
  /// Refers to it, and has not opened it.
  let descriptor: Descriptor
  let status: FileStatus
}

/// The folder that a device serves: what is found is below it, wherever symlinks point. Calls block: run them on a thread
/// pool.
struct ServedFolder: Sendable {
  /// Its real path, without slash at its end.
  private let root: [UInt8]

  /// Throws `FileFolderError` where there is no such folder, or this process may not look into it.
  ///
  /// - Parameter isListed: whether its files are listed, which takes the right to read the folder itself.
  init(_ path: String, isListed: Bool) throws(FileFolderError) {
    do throws(Descriptor.Failure) {
      let folder = try Descriptor(referringTo: Array(path.utf8))
      guard try folder.status().kind == .folder else { throw Descriptor.Failure.missing }
      _ = try Descriptor(referringTo: [UInt8(ascii: ".")], in: folder)
      if isListed { _ = try Descriptor(reading: folder) }
      let real = try folder.realPath()
      root = real == [UInt8(ascii: "/")] ? [] : real
    } catch {
      throw FileFolderError("\(path): \(Self.reason(error))")
    }
  }

  private static func reason(_ failure: Descriptor.Failure) -> String {
    switch failure {
    case .missing: "there is no such folder"
    case .forbidden:
      "this folder cannot be read by the user \(geteuid()), as which the daemon runs. Run `setfacl -m u:\(geteuid()):rx` "
        + "on it; folders above it may need the same: `namei -l` shows their rights"
    case .noProc, .other: failure.description
    }
  }

  /// What has this path below the folder; nil where there is nothing, or what is there lies elsewhere, has a hidden name on
  /// its way, or is neither file nor folder.
  func place(_ path: [UInt8]) throws(Descriptor.Failure) -> Place? {
    try place(root + [UInt8(ascii: "/")] + path, in: nil)
  }

  /// The same for a name in a folder that was found.
  func place(_ name: [UInt8], in folder: Place) throws(Descriptor.Failure) -> Place? {
    try place(name, in: folder.descriptor)
  }

  /// What counts is where the descriptor points to, so no later change of a symlink matters.
  private func place(_ path: [UInt8], in folder: Descriptor?) throws(Descriptor.Failure) -> Place? {
    do throws(Descriptor.Failure) {
      let descriptor = try Descriptor(referringTo: path, in: folder)
      guard isAbove(try descriptor.realPath()) else { return nil }
      let status = try descriptor.status()
      return status.kind == .file || status.kind == .folder ? Place(descriptor: descriptor, status: status) : nil
    } catch .missing {
      return nil
    }
  }

  private func isAbove(_ path: [UInt8]) -> Bool {
    guard path.starts(with: root) else { return false }
    let rest = path.dropFirst(root.count)
    return (rest.first ?? UInt8(ascii: "/")) == UInt8(ascii: "/")
      && rest.split(separator: UInt8(ascii: "/")).allSatisfy(FilePath.isVisible)
  }
}
