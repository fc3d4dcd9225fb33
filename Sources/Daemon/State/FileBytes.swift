#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Whole small files, read and replaced so that a crash leaves the old or the new content, never a mixture.
package enum FileBytes {
  /// The content, at most `limit` bytes; nil where there is no such file.
  ///
  /// - Parameter mayWait: whether it may be a pipe, whose end is waited for.
  package static func contents(of path: String, limit: Int, mayWait: Bool = false) throws(SystemError) -> [UInt8]? {
    let file = open(path, O_RDONLY | O_CLOEXEC | (mayWait ? 0 : O_NONBLOCK))
    if file < 0, errno == ENOENT { return nil }
    guard file >= 0 else { throw SystemError("read", path) }
    defer { close(file) }
    var facts = stat()
    guard fstat(file, &facts) == 0 else { throw SystemError("read", path) }
    guard mayWait || facts.st_mode & S_IFMT == S_IFREG else { throw .noFile(path) }
    return try contents(of: file, path: path, limit: limit)
  }

  /// The rest of an open file.
  static func contents(of file: Int32, path: String, limit: Int) throws(SystemError) -> [UInt8] {
    var bytes: [UInt8] = []
    var part = [UInt8](repeating: 0, count: 64 << 10)
    while bytes.count <= limit {
      let count = read(file, &part, part.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw SystemError("read", path) }
      if count == 0 { return bytes }
      bytes += part[..<count]
    }
    throw SystemError("read", path, code: EFBIG)
  }

  /// How far `replace` has come.
  package enum Step: CaseIterable, Sendable {
    case opened, written, synced, linked, kept, renamed, done
  }

  /// Writes a temporary file beside it (mode 0600), syncs it, renames it over `path` and syncs the folder.
  ///
  /// What was there before becomes `previous`, where that is given: at no moment is there no file at `path`.
  /// - Parameter reached: told of each step; for tests that stop there.
  package static func replace(
    _ path: String, in folder: String, with bytes: [UInt8], keeping previous: String? = nil,
    reached: (Step) -> Void = { _ in }
  ) throws(SystemError) {
    let temporary = path + ".new"
    let file = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw SystemError("write", temporary) }
    do throws(SystemError) {
      defer { close(file) }
      reached(.opened)
      try append(bytes, to: file, path: temporary)
      reached(.written)
      guard fsync(file) == 0 else { throw SystemError("write", temporary) }
      reached(.synced)
      if let previous { try keep(path, as: previous, reached) }
      guard rename(temporary, path) == 0 else { throw SystemError("replace", path) }
    } catch {
      unlink(temporary)
      throw error
    }
    reached(.renamed)
    let directory = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard directory >= 0 else { throw SystemError("open", folder) }
    defer { close(directory) }
    guard fsync(directory) == 0 else { throw SystemError("write", folder) }
    reached(.done)
  }

  /// Gives the file a second name, in place of what had that before.
  private static func keep(_ path: String, as previous: String, _ reached: (Step) -> Void) throws(SystemError) {
    let second = previous + ".new"
    guard unlink(second) == 0 || errno == ENOENT else { throw SystemError("replace", second) }
    guard link(path, second) == 0 else {
      if errno == ENOENT { return }
      throw SystemError("keep", path)
    }
    reached(.linked)
    guard rename(second, previous) == 0 else { throw SystemError("replace", previous) }
    reached(.kept)
  }

  /// Writes all of it, however often that takes.
  package static func append(_ bytes: some Collection<UInt8>, to file: Int32, path: String) throws(SystemError) {
    var rest = ContiguousArray(bytes)[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw SystemError("write", path) }
      rest = rest.dropFirst(count)
    }
  }
}
