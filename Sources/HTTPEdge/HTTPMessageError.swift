/// Why the bytes of a peer cannot be read as a message of HTTP/1.1 (RFC 9112).
package struct HTTPMessageError: Error, Sendable, Hashable {
  package enum Code: Sendable, Hashable {
    /// Against the grammar, or framed in two ways at once.
    case malformed
    /// A head, or a field of it, is beyond the limits.
    case headTooLarge
    /// The first line is beyond the limits.
    case targetTooLong
    /// The connection ended inside the message.
    case endedEarly
  }

  package let code: Code
  /// What was met, for people: a sentence without its full stop.
  package let message: String

  init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  static func malformed(_ message: String) -> Self { Self(.malformed, message) }
}

extension HTTPMessageError: CustomStringConvertible {
  package var description: String { message }
}
