import Control
import Daemon
import Dashboard
import HTTPEdge
import Trust

/// A command that failed: the one line that the user reads, and the exit status that a script reads.
struct CommandFailure: Error, Equatable, CustomStringConvertible {
  let status: CommandStatus
  let message: String

  init(_ status: CommandStatus, _ message: String) {
    self.status = status
    self.message = message
  }

  init(_ error: ControlError) {
    self.init(error.code == .noDaemon ? .noDaemon : .failure, NextStep.text(error.message, error.nextStep))
  }

  var description: String { message }
}

/// What the process answers to its shell: curl's numbers for what happens to a request, sysexits.h for the rest.
enum CommandStatus: Int32 {
  case success = 0
  case failure = 1
  /// No such device on the link.
  case notDiscovered = 6
  /// The device refuses connections, or is away.
  case refused = 7
  /// No app of it answers: it speaks no HTTP, or its node is there and its app is down.
  case noApp = 8
  /// It does not let this node in.
  case denied = 9
  /// The body ended too early.
  case partial = 18
  /// An HTTP status of 400 or more, with `--fail`.
  case httpError = 22
  /// A file cannot be written.
  case writeError = 23
  /// A file to send cannot be read.
  case readError = 26
  case timedOut = 28
  /// It has to be reached over TLS, and is not.
  case insecure = 35
  /// The connection to the device broke.
  case connectionLost = 56
  /// It shows another key than it has to.
  case wrongKey = 60
  /// Wrong arguments (EX_USAGE).
  case usage = 64
  /// No daemon answers on the control socket (EX_UNAVAILABLE).
  case noDaemon = 69
  /// The configuration cannot be used (EX_CONFIG).
  case configuration = 78
}

extension CommandStatus {
  /// For the error token of a `Proxy-Status` field (RFC 9209 §2.3), as the daemon writes it.
  init(proxyStatus token: some StringProtocol) {
    switch token {
    case "destination_not_found", "dns_error": self = .notDiscovered
    case "destination_unavailable", "connection_refused", "connection_limit_reached": self = .refused
    case "http_response_timeout", "connection_timeout": self = .timedOut
    case "http_protocol_error", "http_upgrade_failed": self = .noApp
    case "http_request_denied": self = .denied
    case "tls_certificate_error": self = .wrongKey
    case "tls_protocol_error": self = .insecure
    case "connection_terminated": self = .connectionLost
    default: self = .failure
    }
  }
}

extension CommandFailure {
  init(describing error: any Error) {
    switch error {
    case let error as CommandFailure: self = error
    case let error as ControlError: self.init(error)
    case let error as ConfigurationError: self.init(.configuration, "\(error)")
    case let error as TrustError: self.init(.usage, error.text)
    case let error as DaemonError: self.init(.configuration, "\(error)")
    case let error as StateError: self.init(.configuration, "\(error)")
    // The control socket has errors of its own: only the front can mean this.
    case let error as HTTPServerError:
      self.init(.failure, "the front for browsers cannot start: \(error.message) (port under [front] in hearth.toml)")
    default: self.init(.failure, "\(error)")
    }
  }
}
