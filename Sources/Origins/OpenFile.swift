import NIOCore

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// What was found below a folder.
enum Found: Sendable {
  case file(OpenFile)
  case folder
  case nothing
}

/// A regular file that is open for reading and known to lie below its folder. Calls block: run them on a thread pool.
final class OpenFile: Sendable {
  /// Linux's O_PATH, which the C library's Swift overlay lacks; the same on every architecture that Swift runs on.
  private static let openPath: Int32 = 0o10_000_000

  private let descriptor: CInt
  /// In bytes, when it was opened.
  let size: Int
  let validators: Validators

  private init(_ descriptor: CInt, _ info: stat) {
    self.descriptor = descriptor
    size = Int(info.st_size)
    let tag = [Int(info.st_mtim.tv_sec), Int(info.st_mtim.tv_nsec), size, Int(truncatingIfNeeded: info.st_ino)]
      .map { String(UInt(bitPattern: $0), radix: 16) }.joined(separator: "-")
    validators = Validators(entityTag: "\"\(tag)\"", modified: Int(info.st_mtim.tv_sec))
  }

  deinit {
    close(descriptor)
  }

  /// Opens `path` where it lies below `root`, symlinks resolved, and no name on the way is hidden.
  ///
  /// What counts is where the opened descriptor points to, so no later change of a symlink matters; until that is known
  /// the file is not opened for reading (O_PATH), so devices and pipes see nothing of it. `root` is a real path without
  /// slash at its end.
  static func find(_ path: String, below root: String) throws -> Found {
    let place = open(root + "/" + path, openPath | O_CLOEXEC)
    guard place >= 0 else { return .nothing }
    defer { close(place) }
    guard isBelow(root, try realPath(of: place)) else { return .nothing }
    var info = stat()
    guard fstat(place, &info) == 0 else { throw FileFolderError("\(path): \(lastError())") }
    if info.st_mode & S_IFMT == S_IFDIR { return .folder }
    guard info.st_mode & S_IFMT == S_IFREG else { return .nothing }
    let descriptor = open(link(to: place), O_RDONLY | O_CLOEXEC)
    return descriptor >= 0 ? .file(OpenFile(descriptor, info)) : .nothing
  }

  private static func isBelow(_ root: String, _ path: String) -> Bool {
    // Bytes, because Swift takes different spellings of a character for the same, and the system does not.
    guard path.utf8.starts(with: root.utf8) else { return false }
    let rest = path.utf8.dropFirst(root.utf8.count)
    return (rest.first ?? 0x2F) == 0x2F && !rest.split(separator: 0x2F).contains { $0.first == 0x2E }
  }

  private static func link(to descriptor: CInt) -> String { "/proc/self/fd/\(descriptor)" }

  private static func realPath(of descriptor: CInt) throws -> String {
    var bytes = [CChar](repeating: 0, count: Int(PATH_MAX))
    let count = readlink(link(to: descriptor), &bytes, bytes.count)
    guard count > 0 else { throw FileFolderError("/proc is not there, and without it files cannot be checked") }
    return String(decoding: bytes[..<count].map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  /// The real path of a folder, without slash at its end. Throws `FileFolderError`.
  static func root(_ path: String) throws -> String {
    let place = open(path, openPath | O_DIRECTORY | O_CLOEXEC)
    guard place >= 0 else { throw FileFolderError("\(path): \(lastError())") }
    defer { close(place) }
    let real = try realPath(of: place)
    return real == "/" ? "" : real
  }

  private static func lastError() -> String { String(cString: strerror(errno)) }

  /// Reads `count` bytes at `offset`; throws where the file has become shorter meanwhile.
  func read(_ count: Int, at offset: Int) throws -> ByteBuffer {
    var bytes = ByteBuffer()
    bytes.reserveCapacity(count)
    while bytes.readableBytes < count {
      let position = offset + bytes.readableBytes
      let got = bytes.writeWithUnsafeMutableBytes(minimumWritableBytes: count - bytes.readableBytes) { space in
        max(pread(descriptor, space.baseAddress, min(space.count, count - position + offset), off_t(position)), 0)
      }
      guard got > 0 else { throw FileFolderError("a file became shorter, or unreadable, while it was sent") }
    }
    return bytes
  }
}
