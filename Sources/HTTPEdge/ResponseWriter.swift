package import Codecs
package import HTTPTypes
package import NIOCore
import Synchronization

/// Writes the one response to a request. What is written too late, or twice, breaks the connection off.
package final class ResponseWriter: Sendable {
  enum State {
    case awaited
    case begun
    case ended
  }

  private let connection: ServerConnection
  private let state = Mutex(State.awaited)

  init(to connection: ServerConnection) {
    self.connection = connection
  }

  /// True once a head went out, after which nothing else can be said.
  package var isBegun: Bool { state.withLock { $0 != .awaited } }

  func `is`(_ expected: State) -> Bool { state.withLock { $0 == expected } }

  func enter(_ new: State) { state.withLock { $0 = new } }

  /// Writes a whole response, its parts as they come; returns when all was handed to the socket.
  ///
  /// A body that is there, or known to be small, goes out with the head in one write. The body of a response that has
  /// none (to HEAD, 204, 304) is not read. What the body throws is thrown on, and the connection is then broken off,
  /// unless nothing was written yet: a client must not take a part for the whole.
  package func write(_ head: HTTPResponse, _ body: Body) async throws {
    try await connection.write(head, body, by: self)
  }

  package func write(_ response: Response) async throws {
    try await write(response.head, response.body)
  }

  /// Sends a head, for `write` and `finish` to follow.
  package func begin(_ head: HTTPResponse) async throws {
    try await connection.begin(head, by: self)
  }

  /// A part of the body; returns when the socket can take more.
  package func write(_ bytes: ByteBuffer) async throws {
    try await connection.write(bytes, by: self)
  }

  package func finish() async throws {
    try await connection.finish(by: self)
  }
}
