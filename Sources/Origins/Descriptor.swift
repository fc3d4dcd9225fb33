#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// An open file descriptor, closed with its last owner. Paths are bytes, as the system has them. Calls block: run them on a
/// thread pool.
final class Descriptor: Sendable {
  /// Why nothing was opened.
  enum Failure: Error, CustomStringConvertible {
    /// There is nothing of that name.
    case missing
    /// The system does not let this process.
    case forbidden
    /// Where files are is read there.
    case noProc
    /// `errno`.
    case other(CInt)

    var description: String {
      switch self {
      case .missing: "there is no such file"
      case .forbidden: "this process may not read it"
      case .noProc: "/proc is not there, and without it files cannot be checked"
      case .other(let code): String(cString: strerror(code))
      }
    }

    fileprivate init() {
      switch errno {
      case ENOENT, ENOTDIR, ELOOP, ENAMETOOLONG: self = .missing
      case EACCES, EPERM: self = .forbidden
      default: self = .other(errno)
      }
    }
  }

  /// Linux's O_PATH, which the C library's Swift overlay lacks; the same on every architecture that Swift runs on. With it a
  /// file is referred to and not opened, so devices and pipes see nothing of it.
  private static let reference: CInt = 0o10_000_000

  private let number: CInt

  /// Refers to `path`, symlinks followed; relative to `folder` where it is not absolute.
  init(referringTo path: [UInt8], in folder: Descriptor? = nil) throws(Failure) {
    number = openat(folder?.number ?? AT_FDCWD, Self.cString(path), Self.reference | O_CLOEXEC)
    guard number >= 0 else { throw Failure() }
  }

  /// Opens for reading what `place` refers to, whatever has become of its name.
  init(reading place: Descriptor) throws(Failure) {
    number = open(place.link, O_RDONLY | O_CLOEXEC)
    guard number >= 0 else { throw Failure() }
  }

  deinit {
    if number >= 0 { close(number) }
  }

  private static func cString(_ path: [UInt8]) -> [CChar] { path.map { CChar(truncatingIfNeeded: $0) } + [0] }

  private var link: String { "/proc/self/fd/\(number)" }

  /// Of what this refers to or has opened.
  func status() throws(Failure) -> FileStatus {
    var info = stat()
    guard fstat(number, &info) == 0 else { throw Failure() }
    return FileStatus(info)
  }

  /// Of what has this name in this folder; of a symlink itself.
  func status(of name: [UInt8]) throws(Failure) -> FileStatus {
    var info = stat()
    guard fstatat(number, Self.cString(name), &info, AT_SYMLINK_NOFOLLOW) == 0 else { throw Failure() }
    return FileStatus(info)
  }

  /// Where it is now, symlinks resolved.
  func realPath() throws(Failure) -> [UInt8] {
    var bytes = [CChar](repeating: 0, count: Int(PATH_MAX))
    let count = readlink(link, &bytes, bytes.count)
    guard count > 0 else { throw .noProc }
    return bytes[..<count].map { UInt8(truncatingIfNeeded: $0) }
  }

  /// Reads up to `space.count` bytes at `offset`; 0 at the end, and where they cannot be read.
  func read(into space: UnsafeMutableRawBufferPointer, at offset: Int) -> Int {
    max(pread(number, space.baseAddress, space.count, off_t(offset)), 0)
  }

  /// Calls `body` for each name in this folder, in the order of the disk, until it returns false. Once only.
  func forEachName(_ body: ([UInt8]) throws -> Bool) throws {
    let copy = fcntl(number, F_DUPFD_CLOEXEC, 0)
    guard let stream = fdopendir(copy) else {
      defer { close(copy) }
      throw Failure()
    }
    defer { closedir(stream) }
    errno = 0
    while let entry = readdir(stream) {
      guard try body(Self.name(of: entry)) else { return }
      errno = 0
    }
    guard errno == 0 else { throw Failure() }
  }

  /// In place, because the system gives an entry no more room than its name needs.
  private static func name(of entry: UnsafeMutablePointer<dirent>) -> [UInt8] {
    let name = UnsafeRawPointer(entry) + (MemoryLayout<dirent>.offset(of: \.d_name) ?? 0)
    return Array(UnsafeRawBufferPointer(start: name, count: strlen(name.assumingMemoryBound(to: CChar.self))))
  }
}
