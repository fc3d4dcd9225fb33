import Daemon
import NIOCore

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The body of a request from the command line: texts, files and standard input, one behind the other.
struct UploadBody: AsyncSequence, Sendable {
  enum Source: Sendable {
    case bytes(ByteBuffer)
    case input(Input)

    /// `@FILE` and `@-` are read, everything else is the body. Throws `CommandFailure` where the file cannot be read.
    ///
    /// - Parameter isJoined: whether what is read is sent without its line breaks and zeros, as curl's `-d` does it.
    init(_ argument: String, isJoined: Bool = false) throws(CommandFailure) {
      guard argument.hasPrefix("@") else {
        self = .bytes(ByteBuffer(string: argument))
        return
      }
      var input = try Input(String(argument.dropFirst()), isJoined: isJoined)
      // As curl does it: many apps take no body without a length.
      if input.length == nil { try input.begin() }
      self = .input(input)
    }

    /// A file of any length, `-` for standard input, as it comes.
    static func file(_ path: String) throws(CommandFailure) -> Source { .input(try Input(path, isJoined: false)) }

    static func text(_ text: String) -> Source { .bytes(ByteBuffer(string: text)) }

    fileprivate var length: Int? {
      switch self {
      case .bytes(let bytes): bytes.readableBytes
      case .input(let input): input.length
      }
    }
  }

  /// What is read from a descriptor.
  struct Input: Sendable {
    fileprivate let descriptor: Int32
    private let path: String
    private let isJoined: Bool
    /// nil for a pipe that is not at its end.
    fileprivate private(set) var length: Int?
    /// What was read already.
    fileprivate var begun = ByteBuffer()

    fileprivate init(_ path: String, isJoined: Bool) throws(CommandFailure) {
      descriptor = path == "-" ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)
      (self.path, self.isJoined) = (path, isJoined)
      var facts = stat()
      guard descriptor >= 0, fstat(descriptor, &facts) == 0, facts.st_mode & S_IFMT != S_IFDIR else {
        throw CommandFailure(.readError, "\(SystemError("read", path, code: descriptor < 0 ? errno : EISDIR))")
      }
      // Standard input may stand anywhere in its file.
      guard facts.st_mode & S_IFMT == S_IFREG, path != "-" else { return }
      length = isJoined ? try joinedLength() : Int(facts.st_size)
    }

    /// Reads the file once for it.
    private func joinedLength() throws(CommandFailure) -> Int {
      var length = 0
      while let part = try take() { length += part.readableBytes }
      guard lseek(descriptor, 0, SEEK_SET) == 0 else {
        throw CommandFailure(.readError, "\(SystemError("read", path))")
      }
      return length
    }

    /// Reads ahead, and knows the length where that reaches the end.
    fileprivate mutating func begin() throws(CommandFailure) {
      while begun.readableBytes < CLILimits.formFile {
        guard let part = try take() else {
          length = begun.readableBytes
          return
        }
        begun.writeImmutableBuffer(part)
      }
    }

    /// nil at the end. Of what is joined, nothing may be left of a part.
    fileprivate func take() throws(CommandFailure) -> ByteBuffer? {
      var bytes = [UInt8](repeating: 0, count: CLILimits.uploadPart)
      var count = read(descriptor, &bytes, CLILimits.uploadPart)
      while count < 0, errno == EINTR { count = read(descriptor, &bytes, CLILimits.uploadPart) }
      guard count >= 0 else { throw CommandFailure(.readError, "\(SystemError("read", path))") }
      guard count > 0 else { return nil }
      return isJoined
        ? ByteBuffer(bytes: bytes[..<count].filter { ![0x0A, 0x0D, 0].contains($0) })
        : ByteBuffer(bytes: bytes[..<count])
    }
  }

  private let sources: [Source]

  init(_ sources: [Source]) {
    self.sources = sources
  }

  /// With `&` between them, as the fields of a form.
  init(joining sources: [Source]) {
    self.sources = sources.prefix(1) + sources.dropFirst().flatMap { [.text("&"), $0] }
  }

  /// Makes files begin again, to be sent once more. Throws `CommandFailure` where a pipe is among them.
  func rewind() throws(CommandFailure) {
    for case .input(let input) in sources {
      // What was read whole is there still.
      if input.length != nil, input.begun.readableBytes == input.length { continue }
      guard input.length != nil, lseek(input.descriptor, 0, SEEK_SET) == 0 else {
        throw CommandFailure(.failure, "the body is wanted once more at another address, and a pipe has it only once")
      }
    }
  }

  /// In bytes; nil where a pipe is in it.
  var length: Int? {
    sources.reduce(Optional(0)) { sum, source in sum.flatMap { sum in source.length.map { sum + $0 } } }
  }

  struct AsyncIterator: AsyncIteratorProtocol {
    fileprivate var sources: ArraySlice<Source>

    mutating func next() async throws -> ByteBuffer? {
      try await next(isolation: #isolation)
    }

    mutating func next(isolation actor: isolated (any Actor)?) async throws -> ByteBuffer? {
      while let source = sources.first {
        switch source {
        case .bytes(let bytes):
          sources.removeFirst()
          if bytes.readableBytes > 0 { return bytes }
        case .input(var input):
          let begun = input.begun
          // At a terminal another end would have to be typed.
          let isWhole = input.length == begun.readableBytes
          input.begun = ByteBuffer()
          if isWhole { sources.removeFirst() } else { sources[sources.startIndex] = .input(input) }
          if begun.readableBytes > 0 { return begun }
          if isWhole { continue }
          if let part = try input.take() { return part }
          sources.removeFirst()
        }
      }
      return nil
    }
  }

  func makeAsyncIterator() -> AsyncIterator { AsyncIterator(sources: sources[...]) }
}
