#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The folder in which a node keeps what must survive a restart: mode 0700, used by one daemon at a time.
struct StateFolder: ~Copyable {
  let path: String
  private let lock: Int32

  /// Makes the folder where it is missing and locks it. Throws `StateError`.
  init(_ path: String) throws(StateError) {
    self.path = path
    try Self.create(path)
    guard chmod(path, 0o700) == 0 else { throw .unusable(SystemError("change the mode of", path)) }
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
}

/// Why the state folder cannot be used.
enum StateError: Error, CustomStringConvertible {
  case unusable(SystemError)
  /// Another daemon holds the lock.
  case inUse(String)
  /// The file holds something that this version cannot read; it was left as it is.
  case damaged(String, reason: String)

  var description: String {
    switch self {
    case .unusable(let error): "\(error); choose another folder with --state"
    case .inUse(let path):
      "\(path) is in use by another hearth daemon; stop that one, or choose another folder with --state"
    case .damaged(let file, let reason):
      "\(file) cannot be read (\(reason)); it was left untouched: repair it, or move it away to start without it"
    }
  }
}
