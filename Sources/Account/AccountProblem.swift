import TLS
import XMPP

/// Why there is no stream to the server; the message says what happened, and what to do about it where that is known.
package struct AccountProblem: Error, Hashable, Sendable, CustomStringConvertible {
  package enum Code: String, Hashable, Sendable {
    /// The server's name is unknown, or the DNS does not answer.
    case name
    /// Nobody takes the connection.
    case unreachable
    /// No TLS came about.
    case tls
    /// The certificate is another's, is not signed by an authority, or has another fingerprint.
    case certificate
    /// The server does not take this password for this account.
    case password
    /// The server offers no way to log in that is taken here.
    case mechanism
    /// The server offers less than it did, or does not know the password either: somebody is in between.
    case forged
    /// Another client has taken this one's place.
    case conflict
    /// The server ended the stream, or refused to open one.
    case refused
    /// It said what it must not.
    case violation
    /// The connection broke, or fell silent.
    case lost
    /// It took too long.
    case timedOut
    /// More came than was taken.
    case overflow
    /// There is no password.
    case unset
  }

  package let code: Code
  package let message: String

  package init(_ code: Code, _ message: String) {
    (self.code, self.message) = (code, message)
  }

  /// Whether trying again is of no use before somebody has changed something here: it would lock the account, or push out
  /// whoever has taken its place, over and over.
  package var isFinal: Bool {
    switch code {
    case .password, .conflict, .unset: true
    case .name, .unreachable, .tls, .certificate, .mechanism, .forged, .refused, .violation, .lost, .timedOut,
      .overflow:
      false
    }
  }

  package var description: String { message }
}

extension AccountProblem {
  init(_ error: TLSError, domain: String) {
    switch error.code {
    case .certificateRefused, .wrongKey:
      self.init(
        .certificate,
        "the server shows no certificate that is valid for \(domain): \(error.message.withoutFingerprint). If it is a server "
          + "of your own, pin it: fingerprint under [account] in hearth.toml")
    default: self.init(.tls, "there is no TLS to the server: \(error.message)")
    }
  }

  /// A refusal of SASL (RFC 6120 §6.5).
  init(_ condition: SASL.Condition, _ text: String?, address: JID) {
    let said = text.map { " (“\($0.prefix(200))”)" } ?? ""
    // COMPAT(ejabberd): up to 23.01 it knows tls-unique alone, which is not safe, and does not say so before (XEP-0440).
    if let text, text.lowercased().contains("channel binding") {
      self.init(
        .mechanism,
        "the server binds logins to the connection, and by neither tls-exporter nor tls-server-end-point\(said): it has to be updated, "
          + "or its mechanisms that end in -PLUS switched off")
      return
    }
    switch condition {
    case .notAuthorized, .invalidAuthzid, .malformedRequest, .incorrectEncoding:
      self.init(
        .password,
        "the server does not take this password for \(address)\(said): hearth account login \(address) asks for the right one"
      )
    case .accountDisabled, .credentialsExpired:
      self.init(.password, "the server says that \(address) is disabled or expired\(said): ask whoever runs the server")
    case .temporaryAuthFailure, .aborted:
      self.init(.refused, "the server cannot check passwords at the moment\(said)")
    case .encryptionRequired, .invalidMechanism, .mechanismTooWeak:
      self.init(.mechanism, "the server refuses the way of logging in that it offered (\(condition.rawValue))\(said)")
    }
  }

  init(_ error: StreamError) {
    let said = error.text.map { ": “\($0.prefix(200))”" } ?? ""
    switch error.condition {
    case .conflict:
      self.init(
        .conflict,
        "the server says that another client has taken this one's place (conflict)\(said). Is the state folder of this node "
          + "copied to another machine? Log in there with another account; then: hearth account login")
    case .hostUnknown, .hostGone:
      self.init(.refused, "the server does not serve this domain (\(error.condition.rawValue))\(said)")
    case .notAuthorized:
      self.init(.refused, "the server ended the stream (not-authorized)\(said)")
    default: self.init(.refused, "the server ended the stream (\(error.condition.rawValue))\(said)")
    }
  }
}

extension String {
  /// TLS advises to pin a fingerprint as well, in the words for another option.
  fileprivate var withoutFingerprint: Substring {
    self[..<(firstRange(of: "; pin its fingerprint")?.lowerBound ?? endIndex)]
  }
}
