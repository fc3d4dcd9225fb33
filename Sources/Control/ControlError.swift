import HTTPTypes
import Mesh
package import Trust

/// Why the daemon did not do what it was asked to, or could not be asked.
package struct ControlError: Error, Sendable, CustomStringConvertible {
  package enum Code: String, Codable, Sendable {
    /// Nothing listens on the socket.
    case noDaemon
    /// The socket may not be used by this user.
    case notPermitted
    /// What was asked for makes no sense; the message says what does.
    case invalid
    /// No such service, or no such resource.
    case notFound
    /// It stands in `hearth.toml`, or another service has its name.
    case conflict
    /// The other device cannot be reached, or does not do its part.
    case unreachable
    /// Nothing was answered within the time that there is for it.
    case timedOut
    /// The daemon failed at it, or its answer cannot be read.
    case failed
  }

  package let code: Code
  /// What happened, and what to do about it as far as that is no command of an owner's.
  package let message: String
  package let nextStep: NextStep?

  package init(_ code: Code, _ message: String, nextStep: NextStep? = nil) {
    self.code = code
    self.message = message
    self.nextStep = nextStep
  }

  package var description: String { message }
}

/// The body of every answer that is not a success.
struct ErrorResource: Codable {
  var code: ControlError.Code
  var error: String
  var nextStep: NextStepResource?
}

extension ControlError.Code {
  /// How each appears on the socket (RFC 9110 §15).
  var status: HTTPResponse.Status {
    switch self {
    case .invalid: .badRequest
    case .notPermitted: .forbidden
    case .notFound: .notFound
    case .timedOut: .gatewayTimeout
    case .conflict: .conflict
    case .unreachable: .badGateway
    case .noDaemon, .failed: .internalServerError
    }
  }
}

extension ControlError {
  init(_ error: TrustError) {
    let code: Code =
      switch error.code.kind {
      case .invalid: .invalid
      case .unknown: .notFound
      case .conflict: .conflict
      case .damaged: .failed
      }
    self.init(code, error.message, nextStep: error.nextStep)
  }

  init(_ error: MeshError) {
    self.init(.unreachable, error.message, nextStep: error.nextStep)
  }
}
