import Control
import Daemon
import FoundationEssentials

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Standard output and error: exact bytes, unbuffered, quiet when the reader has left.
enum Terminal {
  static var outputIsTerminal: Bool { isatty(STDOUT_FILENO) == 1 }
  static var inputIsTerminal: Bool { isatty(STDIN_FILENO) == 1 }
  static var errorIsTerminal: Bool { isatty(STDERR_FILENO) == 1 }

  static func print(_ text: String) {
    write(Array((text + "\n").utf8), to: STDOUT_FILENO)
  }

  static func print(json value: some Encodable) throws {
    write(try ControlJSON.encode(value, pretty: true) + [0x0A], to: STDOUT_FILENO)
  }

  /// Asks on standard error, and waits for a line: true for `y` and `yes`, false for any other and at the end of input.
  ///
  /// nil where `isOpen`, asked twice a second, says that the question is no more. Throws `CancellationError`.
  static func confirm(_ question: String, whileOpen isOpen: () async throws -> Bool = { true }) async throws -> Bool? {
    printError("\(question) [y/N] ")
    while !inputIsReady {
      try await Task.sleep(for: CLILimits.questionInterval)
      guard try await isOpen() else {
        printError("\n")
        return nil
      }
    }
    let answer = readLine()?.lowercased().filter { $0 != " " }
    return answer == "y" || answer == "yes"
  }

  private static var inputIsReady: Bool {
    var input = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
    return poll(&input, 1, 0) > 0
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
