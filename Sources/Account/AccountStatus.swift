package import FoundationEssentials
package import NIOCore
import TLS
package import XMPP

/// How the account is.
package struct AccountStatus: Hashable, Sendable {
  package enum State: String, Hashable, Sendable {
    /// A connection is being made.
    case connecting
    /// The stream is open.
    case online
    /// Until the next attempt.
    case waiting
    /// Nothing is tried before somebody has changed something: see the problem.
    case stopped
  }

  package internal(set) var address: JID
  package internal(set) var state = State.connecting
  package internal(set) var since: Date
  /// The host and port of the connection, or of the last one.
  package internal(set) var target: ServerTarget?
  /// This end of the connection, while there is one.
  package internal(set) var localAddress: SocketAddress?
  /// How the last login went.
  package internal(set) var mechanism: Mechanism?
  /// With resource; while the stream is open, or may be resumed.
  package internal(set) var boundAddress: JID?
  /// Whether the server keeps the session over a broken connection (XEP-0198).
  package internal(set) var isResumable = false
  /// How often it did.
  package internal(set) var resumptions = 0
  /// Accounts that want to be contacts, and wait for the owner's word.
  package internal(set) var asking: [JID] = []
  /// The last one; stays while the stream is open, so that one can look why it broke.
  package internal(set) var problem: AccountProblem?
  package internal(set) var problemTime: Date?
}
