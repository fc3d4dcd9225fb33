#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A file that only the daemon's own user may read.
enum SecretFile {
  /// nil where there is no such file. Throws `StateError` where others could read it, or it is another user's.
  static func contents(of path: String, limit: Int) throws(StateError) -> [UInt8]? {
    let file = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK)
    if file < 0, errno == ENOENT { return nil }
    guard file >= 0 else { throw .unusable(SystemError("read", path)) }
    defer { close(file) }
    var facts = stat()
    guard fstat(file, &facts) == 0 else { throw .unusable(SystemError("read", path)) }
    guard facts.st_mode & S_IFMT == S_IFREG else { throw .damaged(path, reason: "it is no ordinary file") }
    guard facts.st_uid == geteuid() else { throw .foreign(path) }
    guard facts.st_mode & 0o077 == 0 else { throw .exposed(path, mode: facts.st_mode & 0o777, wanted: 0o600) }
    do {
      return try FileBytes.contents(of: file, path: path, limit: limit)
    } catch {
      throw .unusable(error)
    }
  }
}
