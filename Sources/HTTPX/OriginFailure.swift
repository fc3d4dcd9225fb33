import Codecs
package import HTTPTypes

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

  /// Errors that say nothing of the next request.
  private static let passing: Set = [
    requestError, "connection_limit_reached", "http_protocol_error", "http_request_denied", "proxy_internal_error",
  ]

  /// What the node of a device says of the app behind it, in whose answer's place it wrote this; nil where it says nothing, or
  /// nothing that would hold for the next request.
  ///
  /// - Parameter device: its address as the authority of a URI, which is how its node calls itself.
  package static func reason(in fields: HTTPFields, of device: String) -> String? {
    guard let word = fields.proxyStatus.last, word.proxy.lowercased() == device.lowercased(), let error = word.error,
      !passing.contains(error), isName(error)
    else { return nil }
    return error.replacing("_", with: " ")
  }

  /// Like those of RFC 9209 §2.3, of which the longest has 29 letters: whatever a peer writes there is shown to people.
  private static func isName(_ text: String) -> Bool {
    text.utf8.count <= 32 && text.utf8.allSatisfy { ASCIISet.letters.contains($0) || $0 == UInt8(ascii: "_") }
  }

  package init(_ kind: Kind, error: String, reason: String) {
    self.kind = kind
    self.error = error
    self.reason = reason
  }
}
