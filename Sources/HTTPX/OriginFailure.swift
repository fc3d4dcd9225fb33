/// Why what answers for a device gave no response of its own: an app that is down, or does not do its part.
///
/// A reference, since every response has room for one and few have it.
package final class OriginFailure: Error, Sendable {
  package enum Kind: Sendable {
    /// Nothing can be connected to, or read.
    case unreachable
    /// It was asked, and no response came.
    case silent
    /// This request alone came to nothing; it says nothing of the next.
    case request
  }

  package let kind: Kind
  /// Its name in RFC 9209 §2.3.
  package let error: String
  /// For the owner, in the system's words.
  package let reason: String

  /// The request is at fault, and the app was not asked.
  package static let requestError = "http_request_error"

  package init(_ kind: Kind, error: String, reason: String) {
    self.kind = kind
    self.error = error
    self.reason = reason
  }
}
