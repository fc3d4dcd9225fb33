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
    let status: CommandStatus =
      switch error.code {
      case .noDaemon: .noDaemon
      case .timedOut: .timedOut
      case .notPermitted: .notPermitted
      case .invalid, .notFound, .conflict, .unreachable, .failed: .failure
      }
    self.init(status, NextStep.text(error.message, error.nextStep))
  }

  var description: String { message }

  /// With a question behind it, such as whether another name was meant.
  func asking(_ question: String) -> CommandFailure {
    let stop = message.last.map { ".?!".contains($0) } == true ? "" : "."
    return CommandFailure(status, "\(message)\(stop) \(question.prefix(1).uppercased())\(question.dropFirst())")
  }
}

/// What the process answers to its shell: curl's numbers for what happens to a request, sysexits.h for the rest.
enum CommandStatus: Int32, CaseIterable {
  case success = 0
  case failure = 1
  case notDiscovered = 6
  case refused = 7
  case noApp = 8
  case denied = 9
  case partial = 18
  case httpError = 22
  case writeError = 23
  case readError = 26
  case timedOut = 28
  case rangeError = 33
  case insecure = 35
  case tooManyRedirects = 47
  case connectionLost = 56
  case wrongKey = 60
  case usage = 64
  case noDaemon = 69
  case stateError = 74
  case notPermitted = 77
  case configuration = 78

  /// For `hearth help exit-statuses`, hearth(1) and docs/exit-statuses.md, which a test compares.
  var meaning: String {
    switch self {
    case .success: "Success."
    case .failure: "It failed, for the reason that standard error has."
    case .notDiscovered: "There is no such device on the link."
    case .refused: "The device's node refuses connections, or is away."
    case .noApp: "No app of the device answers: it speaks no HTTP, or its app is down."
    case .denied: "The device does not let this node in, or somebody said no."
    case .partial: "The body ended too early."
    case .httpError: "With --fail: an HTTP status of 400 or more."
    case .writeError: "A file, or standard output, cannot be written."
    case .readError: "A file to send cannot be read."
    case .timedOut: "It timed out."
    case .rangeError: "The device sends no part of what --continue-at wants the rest of."
    case .insecure: "The device has to be reached over TLS, and is not."
    case .tooManyRedirects: "With --location: redirected too often."
    case .connectionLost: "The connection to the device broke."
    case .wrongKey: "The device shows another key than it has to."
    case .usage: "Wrong arguments."
    case .noDaemon: "No daemon answers on the control socket."
    case .stateError: "The daemon's state cannot be read or written."
    case .notPermitted: "This user may not do that: see the group hearth."
    case .configuration: "The configuration cannot be used, or others could read the node's key."
    }
  }
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
    case let error as StateError:
      if case .unusable = error { self.init(.stateError, "\(error)") } else { self.init(.configuration, "\(error)") }
    // The control socket has errors of its own: only the front can mean this.
    case let error as HTTPServerError:
      self.init(.failure, "the front for browsers cannot start: \(error.message) (port under [front] in hearth.toml)")
    default: self.init(.failure, "\(error)")
    }
  }
}
