#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Standard output and error: exact bytes, unbuffered, quiet when the reader has left.
enum Terminal {
  static var outputIsTerminal: Bool { isatty(STDOUT_FILENO) == 1 }
  static var errorIsTerminal: Bool { isatty(STDERR_FILENO) == 1 }

  static func print(_ text: String) {
    write(Array((text + "\n").utf8), to: STDOUT_FILENO)
  }

  static func printError(_ text: String) {
    write(Array(text.utf8), to: STDERR_FILENO)
  }

  /// Writes all; blocks while the reader is slow, which is the back-pressure. Ends the process as `SIGPIPE` would when
  /// nobody reads standard output any more.
  static func write(_ bytes: some Collection<UInt8>, to descriptor: Int32) {
    do {
      try FileBytes.append(bytes, to: descriptor, path: "standard output")
    } catch {
      if error.code == EPIPE { endQuietly() }
    }
  }

  /// Nobody reads any more: ends as any program in a pipe does.
  static func endQuietly() {
    signal(SIGPIPE, SIG_DFL)
    raise(SIGPIPE)
  }
}
