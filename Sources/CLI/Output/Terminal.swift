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

  /// How many cells a line of standard output has: as `COLUMNS` says, else the terminal; nil where it is none.
  static var columns: Int? {
    guard outputIsTerminal else { return nil }
    if let columns = ProcessInfo.processInfo.environment["COLUMNS"].flatMap({ Int($0) }), columns > 0 { return columns }
    var size = winsize()
    let isKnown = ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
    return isKnown ? Int(size.ws_col) : CLILimits.columns
  }

  static func print(_ text: String) {
    write(Array((text + "\n").utf8), to: STDOUT_FILENO)
  }

  static func print(json value: some Encodable) throws {
    write(try ControlJSON.encode(document: value, pretty: true) + [0x0A], to: STDOUT_FILENO)
  }

  /// One line of a list that goes on.
  static func print(line value: some Encodable) throws {
    write(try ControlJSON.encode(document: value) + [0x0A], to: STDOUT_FILENO)
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

  /// Asks on standard error, and waits for a line, which may be empty.
  static func ask(_ question: String) -> String {
    printError("\(question) ")
    return readLine() ?? ""
  }

  /// Asks on the terminal, where what is typed does not show; nil where there is none, or input ends.
  static func password(_ question: String) -> String? {
    let terminal = open("/dev/tty", O_RDWR | O_CLOEXEC)
    guard terminal >= 0 else { return nil }
    defer { close(terminal) }
    var before = termios()
    guard tcgetattr(terminal, &before) == 0 else { return nil }
    var silent = before
    silent.c_lflag &= ~tcflag_t(ECHO)
    tcsetattr(terminal, TCSAFLUSH, &silent)
    write(Array(question.utf8), to: terminal)
    defer {
      tcsetattr(terminal, TCSAFLUSH, &before)
      write([0x0A], to: terminal)
    }
    var line: [UInt8] = []
    var byte: UInt8 = 0
    while read(terminal, &byte, 1) == 1, byte != 0x0A { line.append(byte) }
    return line.isEmpty ? nil : String(decoding: line, as: UTF8.self)
  }

  private static var inputIsReady: Bool {
    var input = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
    return poll(&input, 1, 0) > 0
  }

  static func printError(_ text: String) {
    write(Array(text.utf8), to: STDERR_FILENO)
  }

  /// Writes all; blocks while the reader is slow, which is the back-pressure. Ends the process as `SIGPIPE` would when
  /// nobody reads standard output any more, and with the status for it where that cannot be written.
  static func write(_ bytes: some Collection<UInt8>, to descriptor: Int32) {
    do {
      try FileBytes.append(bytes, to: descriptor, path: "standard output")
    } catch {
      if error.code == EPIPE { endQuietly() }
      guard descriptor == STDOUT_FILENO else { return }
      printError("hearth: \(error)\n")
      exit(CommandStatus.writeError.rawValue)
    }
  }

  /// Nobody reads any more: ends as any program in a pipe does.
  static func endQuietly() {
    signal(SIGPIPE, SIG_DFL)
    raise(SIGPIPE)
  }
}
