package import XMPP

/// Why a stream, or a query or body on it, came to nothing.
package enum StreamFailure: Error, Sendable {
  /// The peer answered with a stanza error.
  case stanza(StanzaError)
  /// The peer did not answer in time.
  case timedOut
  /// The stream ended, and why, as the end of a sentence.
  case closed(String)
  /// The stream was found dead before anything of a request was sent over it, and why, as the end of a sentence.
  case unsent(String)
  /// The stream was to be encrypted, and is not, and why.
  case insecure(String)
  /// The peer answered with what is no answer, and why not.
  case malformed(String)
  /// The peer does not speak HTTP: by its own account, or since it answers no query at all.
  case notHTTP(String)
  /// The peer carries no WebSockets.
  case noUpgrade(String)
  /// A body broke off: the peer said so, or stopped short of the Content-Length.
  case incomplete(String)
  /// Whoever waited is gone.
  case cancelled
}

extension StreamEnd {
  /// What the peer did wrong, as a word for the log and as a sentence; nil where nothing was.
  var refusal: (name: String, detail: String)? {
    switch self {
    case .violated(let error): (error.condition.rawValue, error.text ?? "it broke the rules")
    case .timedOut: ("timed-out", "negotiation was not finished in time")
    case .insecure(let reason): ("insecure", reason.description)
    case .unauthorized(let condition): ("unauthorized", "it does not accept this node: \(condition.rawValue)")
    case .closed, .closedByPeer, .hungUp, .lost: nil
    }
  }
}

extension StreamFailure {
  init(_ end: StreamEnd) {
    self =
      switch end {
      case .closed(let error?) where error.condition == .connectionTimeout: .closed("it had gone silent.")
      case .closed(let error?): .closed("it was closed: \(error.text ?? error.condition.rawValue).")
      case .closed(nil): .closed("it was closed.")
      case .closedByPeer(let error?) where error.condition == .notAuthorized:
        .stanza(StanzaError(.notAuthorized, error.text))
      case .closedByPeer(let error?):
        .closed("the other side closed it: \(error.text ?? error.condition.rawValue).")
      case .closedByPeer(nil): .closed("the other side closed it.")
      case .violated(let error): .closed("the other side broke the rules: \(error.text ?? error.condition.rawValue).")
      case .hungUp: .closed("the other side hung up.")
      case .timedOut: .timedOut
      case .insecure(let reason): .insecure(reason.description)
      case .unauthorized(let condition): .stanza(StanzaError(.notAuthorized, condition.rawValue))
      case .lost: .closed("the connection broke.")
      }
  }
}
