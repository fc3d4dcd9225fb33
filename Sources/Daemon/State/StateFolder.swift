#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The folder in which a node keeps what must survive a restart: mode 0700, used by one daemon at a time.
struct StateFolder: ~Copyable {
  let path: String
  private let lock: Int32

  /// Makes the folder where it is missing and locks it. Throws `StateError`, also where others can look into it.
  init(_ path: String) throws(StateError) {
    self.path = path
    try Self.create(path)
    try Self.check(path)
    let file = open(path + "/lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw .unusable(SystemError("write", path + "/lock")) }
    guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
      close(file)
      throw .inUse(path)
    }
    lock = file
  }

  deinit { close(lock) }

  /// Like `mkdir -p -m 0700`.
  private static func create(_ path: String) throws(StateError) {
    var partial = path.hasPrefix("/") ? "" : "."
    for part in path.split(separator: "/") {
      partial += "/\(part)"
      guard mkdir(partial, 0o700) == 0 || errno == EEXIST else { throw .unusable(SystemError("make", partial)) }
    }
  }

  /// Why a folder that exists may not be used, as far as its rights tell; nil where it may, or is not there.
  static func exposure(_ path: String) -> StateError? {
    guard access(path, F_OK) == 0 else { return nil }
    do throws(StateError) {
      try check(path)
      return nil
    } catch {
      // Whoever looks need not be whom the daemon runs as.
      if case .foreign = error { return nil }
      return error
    }
  }

  private static func check(_ path: String) throws(StateError) {
    var facts = stat()
    guard stat(path, &facts) == 0 else { throw .unusable(SystemError("read", path)) }
    guard facts.st_mode & S_IFMT == S_IFDIR else { throw .unusable(SystemError("open", path, code: ENOTDIR)) }
    guard facts.st_mode & 0o077 == 0 else { throw .exposed(path, mode: facts.st_mode & 0o777, wanted: 0o700) }
    guard facts.st_uid == geteuid() else { throw .foreign(path) }
  }
}
