package import XMPP

/// Why a transfer came to nothing, or not to its end.
package struct BytestreamError: Error, Sendable {
  package enum Code: String, Sendable {
    /// The other side answered the opening, or a block, with an error.
    case refused
    /// The other side closed before all had been sent.
    case closedEarly
    /// This side gave up: its reader or its producer went away.
    case cancelled
    /// A block or chunk is missing, or comes a second time in another shape.
    case outOfOrder
    /// Not base64, or larger than agreed.
    case malformed
    /// More came than may wait for the reader.
    case overflow
    /// Nothing may be written after the end.
    case finished
  }

  package let code: Code
  /// One sentence for a log.
  package let message: String
  /// What the other side said, where it said something.
  package let underlying: StanzaError?

  package init(_ code: Code, _ message: String, underlying: StanzaError? = nil) {
    self.code = code
    self.message = message
    self.underlying = underlying
  }

  static func refused(_ error: StanzaError) -> BytestreamError {
    BytestreamError(.refused, "the other side refused: \(error.condition.rawValue)", underlying: error)
  }

  package static func longer(than size: Int) -> BytestreamError {
    BytestreamError(.finished, "the body is longer than the \(size) bytes that were announced")
  }

  package static let closedEarly = BytestreamError(.closedEarly, "the other side closed the transfer before its end")
  package static let cancelled = BytestreamError(.cancelled, "this side gave the transfer up")
  static let finished = BytestreamError(.finished, "the transfer has ended")
}

/// A bytestream element that cannot be read: what to answer, and which transfer it was meant for.
package struct UnreadableElement: Error, Sendable {
  /// The `sid` or `streamId`, where that much was readable: this transfer has lost bytes and must fail.
  package let transfer: String?
  package let error: StanzaError

  package init(transfer: String?, _ error: StanzaError) {
    self.transfer = transfer
    self.error = error
  }
}
