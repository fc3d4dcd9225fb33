import Daemon
import NIOCore

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The body of a request from the command line: the argument itself, a file, or standard input.
struct UploadBody: AsyncSequence, Sendable {
  enum Source: Sendable {
    case bytes(ByteBuffer)
    case descriptor(Int32, path: String)
  }

  private let source: Source
  /// In bytes; nil for a pipe.
  let length: Int?

  /// `@FILE` and `@-` are read, everything else is the body. Throws `CommandFailure` where the file cannot be opened.
  init(_ argument: String) throws(CommandFailure) {
    guard argument.hasPrefix("@") else {
      let bytes = ByteBuffer(string: argument)
      source = .bytes(bytes)
      length = bytes.readableBytes
      return
    }
    let path = String(argument.dropFirst())
    let descriptor = path == "-" ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)
    var facts = stat()
    guard descriptor >= 0, fstat(descriptor, &facts) == 0, facts.st_mode & S_IFMT != S_IFDIR else {
      throw CommandFailure(.readError, "\(SystemError("read", path, code: descriptor < 0 ? errno : EISDIR))")
    }
    source = .descriptor(descriptor, path: path)
    // Standard input may stand anywhere in its file.
    length = facts.st_mode & S_IFMT == S_IFREG && path != "-" ? Int(facts.st_size) : nil
  }

  struct AsyncIterator: AsyncIteratorProtocol {
    fileprivate var source: Source?

    mutating func next() async throws -> ByteBuffer? {
      try await next(isolation: #isolation)
    }

    mutating func next(isolation actor: isolated (any Actor)?) async throws -> ByteBuffer? {
      switch source {
      case .bytes(let bytes):
        source = nil
        return bytes.readableBytes > 0 ? bytes : nil
      case .descriptor(let descriptor, let path):
        let part = try UploadBody.take(descriptor, path)
        if part == nil { source = nil }
        return part
      case nil:
        return nil
      }
    }
  }

  func makeAsyncIterator() -> AsyncIterator { AsyncIterator(source: source) }

  /// nil at the end.
  private static func take(_ descriptor: Int32, _ path: String) throws(CommandFailure) -> ByteBuffer? {
    var bytes = [UInt8](repeating: 0, count: CLILimits.uploadPart)
    var count = read(descriptor, &bytes, CLILimits.uploadPart)
    while count < 0, errno == EINTR { count = read(descriptor, &bytes, CLILimits.uploadPart) }
    guard count >= 0 else { throw CommandFailure(.readError, "\(SystemError("read", path))") }
    return count > 0 ? ByteBuffer(bytes: bytes[..<count]) : nil
  }
}
