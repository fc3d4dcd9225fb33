import ArgumentParser
import Daemon
import Logging

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

extension LogFormat: ExpressibleByArgument {}

struct DaemonCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "daemon",
    abstract: "Run a node: announce this machine's services, find those of others, let browsers in.",
    discussion: HelpText.unwrapped(
      """
      Stays in the foreground and logs to standard error. SIGTERM and SIGINT end it, SIGHUP takes over services and
      forwards of a changed configuration, and the friends of a changed trusted.d beside it. Exit status 78 where the
      configuration cannot be used, or others could read the node's key.

      Examples:
        hearth daemon
        hearth daemon --config ./hearth.toml --state ./state --socket ./hearth.sock
      """))

  @Option(
    help: ArgumentHelp(
      "The configuration.",
      discussion: "Default: ~/.config/hearth/hearth.toml, else /etc/hearth/hearth.toml; none is fine.",
      valueName: "file"),
    completion: .file(extensions: ["toml"]))
  var config: String?
  @Option(
    help: ArgumentHelp(
      "The folder for what has to survive a restart.",
      discussion: "Default: ~/.local/state/hearth, for root /var/lib/hearth.", valueName: "dir"),
    completion: .directory)
  var state: String?
  @Option(
    help: ArgumentHelp(
      "The control socket.",
      discussion: "Default: $HEARTH_SOCKET, else $XDG_RUNTIME_DIR/hearth.sock, for root /run/hearth/hearth.sock.",
      valueName: "path"),
    completion: .file())
  var socket: String?
  @Flag(
    name: .shortAndLong,
    help: ArgumentHelp(
      "Log more: streams and discovery; twice: every stanza.",
      discussion: "Bodies, cookies, passwords and what follows a ? in an address are left out."))
  var verbose: Int
  @Flag(
    help: ArgumentHelp(
      "Log a line for each request, served and sent.", discussion: "Without queries. As [log] access = true does."))
  var accessLog = false
  @Option(help: "How lines of the log are written: text or json, an object each.")
  var logFormat = LogFormat.text

  func run() async throws {
    // What it makes is for its owner, until said otherwise.
    umask(0o077)
    let places = Places.current
    let file = config ?? places.configuration
    let daemon = try Daemon(
      file: file, trusted: places.trusted(beside: file), socket: try places.daemonSocket(socket),
      notifier: ServiceNotifier(environment: places.environment), accessLog: accessLog, logger: logger)
    try await daemon.run(in: try state ?? places.state)
  }

  private var logger: Logger {
    let format = logFormat
    var logger = Logger(label: "hearth") { _ in LineLogHandler(format) }
    logger.logLevel = verbose == 0 ? .info : verbose == 1 ? .debug : .trace
    return logger
  }
}
