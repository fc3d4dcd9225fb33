import Daemon

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Where the body of an answer goes.
struct OutputFile {
  static let standard = STDOUT_FILENO
  static let standardOutput = OutputFile(descriptor: standard, path: "standard output")

  private let descriptor: Int32
  private let path: String

  private init(descriptor: Int32, path: String) {
    (self.descriptor, self.path) = (descriptor, path)
  }

  /// - Parameter continues: whether what it has stays, and what is written comes behind.
  ///
  /// Throws `CommandFailure`.
  init(_ path: String, continues: Bool) throws(CommandFailure) {
    let descriptor = open(path, O_WRONLY | O_CREAT | (continues ? O_APPEND : O_TRUNC) | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw CommandFailure(.writeError, "\(SystemError("write", path))") }
    self.init(descriptor: descriptor, path: path)
  }

  func close() {
    if descriptor != Self.standard { _ = sysClose(descriptor) }
  }

  func write(_ bytes: some Collection<UInt8>) throws(CommandFailure) {
    do {
      try FileBytes.append(bytes, to: descriptor, path: path)
    } catch {
      if error.code == EPIPE { Terminal.endQuietly() }
      throw CommandFailure(.writeError, "\(error)")
    }
  }

  /// - Parameter path: nil for standard output.
  static func replace(_ path: String?, with text: String) throws(CommandFailure) {
    let file = try path.map { path throws(CommandFailure) in try OutputFile(path, continues: false) } ?? .standardOutput
    defer { file.close() }
    try file.write(text.utf8)
  }

  /// In bytes; 0 where there is no such file.
  static func size(of path: String) -> Int {
    var facts = stat()
    return stat(path, &facts) == 0 ? Int(facts.st_size) : 0
  }
}

private func sysClose(_ descriptor: Int32) -> Int32 { close(descriptor) }
