#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// What the system says of a file, as far as it matters here.
struct FileStatus: Sendable {
  enum Kind: Sendable {
    case file
    case folder
    case symlink
    /// A device, a pipe, a socket: never opened.
    case other
  }

  let kind: Kind
  /// In bytes.
  let size: Int
  let validators: Validators

  /// In seconds since 1970.
  var modified: Int { validators.modified }

  init(_ info: stat) {
    switch info.st_mode & S_IFMT {
    case S_IFREG: kind = .file
    case S_IFDIR: kind = .folder
    case S_IFLNK: kind = .symlink
    default: kind = .other
    }
    size = Int(info.st_size)
    let tag = [Int(info.st_mtim.tv_sec), Int(info.st_mtim.tv_nsec), size, Int(truncatingIfNeeded: info.st_ino)]
      .map { String(UInt(bitPattern: $0), radix: 16) }.joined(separator: "-")
    validators = Validators(entityTag: "\"\(tag)\"", modified: Int(info.st_mtim.tv_sec))
  }
}
