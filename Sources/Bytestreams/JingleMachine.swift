package import NIOCore
package import XMPP

/// The way of an offered session to its bytestream, at the side that sends.
///
/// `offered`: whoever gets the response may accept it, once and not for ever. `accepted`: the bytestream is opened, and all else is
/// its own machine's. `expired`: nobody accepted in time.
package struct JingleSenderMachine: Sendable {
  private enum State { case offered, accepted, expired }

  package let session: JingleSession
  private let expires: NIODeadline
  private var state = State.offered

  /// - Parameter expires: until when it may be accepted.
  package init(_ session: JingleSession, expires: NIODeadline) {
    self.session = session
    self.expires = expires
  }

  /// Until when somebody has to accept it; nil once somebody has.
  package var deadline: NIODeadline? { state == .offered ? expires : nil }

  /// The bytestream may have begun: the other side has to be told where it ends before its time.
  package var isAccepted: Bool { state == .accepted }

  /// The other side accepts: what to open. nil where it has done so before, or too late.
  package mutating func accepted(blockSize: Int?) -> IBBOpen? {
    guard state == .offered else { return nil }
    state = .accepted
    var open = session.transport
    open.blockSize = min(open.blockSize, blockSize ?? open.blockSize)
    return open
  }

  /// Nobody accepted it in time, and nobody will: true once.
  package mutating func expire(now: NIODeadline) -> Bool {
    guard let deadline, deadline <= now else { return false }
    state = .expired
    return true
  }

  package static let neverAccepted = BytestreamError(.closedEarly, "nobody accepted the session that was offered")
  /// For whoever speaks of a session that is not there, or not any more.
  package static let unknown = StanzaError(.itemNotFound, "There is no such session.")
}
