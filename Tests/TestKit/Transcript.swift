import Synchronization

/// What a peer has been told so far, and what of it a test has looked at.
package final class Transcript: Sendable {
  fileprivate struct State {
    /// Behind what was expected before.
    var unread: [UInt8] = []
    /// Where to go on searching: what lies before has been searched in vain.
    var searched = 0
    var total = 0
    var isClosed = false
    /// What went wrong with the connection.
    var complaints: [String] = []
  }

  package struct Failure: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) {
      self.description = description
    }
  }

  private let state = Mutex(State())
  private let changes: AsyncStream<Void>
  private let changed: AsyncStream<Void>.Continuation

  package init() {
    (changes, changed) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
  }

  package func append(_ bytes: some Sequence<UInt8>) {
    state.withLock { state in
      let before = state.unread.count
      state.unread.append(contentsOf: bytes)
      state.total += state.unread.count - before
    }
    changed.yield()
  }

  package func close() {
    state.withLock { $0.isClosed = true }
    changed.yield()
  }

  func complain(_ complaint: String) {
    state.withLock { $0.complaints.append(complaint) }
  }

  /// What went wrong with the connection: TLS alerts, and a reset.
  package var complaints: [String] { state.withLock { $0.complaints } }
  package var isClosed: Bool { state.withLock { $0.isClosed } }
  /// Bytes that ever came.
  package var total: Int { state.withLock { $0.total } }
  /// What came and was not expected yet.
  package var rest: String { state.withLock { String(decoding: $0.unread, as: UTF8.self) } }

  /// Waits until `text` has come, and gives all up to its end. One caller at a time.
  @discardableResult
  package func expect(_ text: String, within limit: Duration = .seconds(10)) async throws -> String {
    try await wait(for: "“\(text)”", limit) { state in
      guard let end = state.find(Array(text.utf8)) else { return nil }
      defer { (state.unread, state.searched) = (Array(state.unread[end...]), 0) }
      return String(decoding: state.unread[..<end], as: UTF8.self)
    }
  }

  /// Waits until the other side has ended the connection, and gives what came before that.
  @discardableResult
  package func expectClose(within limit: Duration = .seconds(10)) async throws -> String {
    try await wait(for: "the end", limit) { state in
      state.isClosed ? String(decoding: state.unread, as: UTF8.self) : nil
    }
  }

  private func wait(
    for what: String, _ limit: Duration, _ find: @escaping @Sendable (inout State) -> String?
  ) async throws -> String {
    try await within(limit, self.failure("did not send within \(limit):", what).description) {
      var changes = self.changes.makeAsyncIterator()
      while true {
        let (found, isClosed) = self.state.withLock { (find(&$0), $0.isClosed) }
        if let found { return found }
        guard !isClosed else { throw self.failure("hung up before", what) }
        _ = await changes.next()
        try Task.checkCancellation()
      }
    }
  }

  private func failure(_ verb: String, _ what: String) -> Failure {
    let rest = self.rest
    return Failure("The other side \(verb) \(what). Instead: “\(rest.prefix(2000))”")
  }
}

extension Transcript.State {
  /// Where `text` ends.
  fileprivate mutating func find(_ text: [UInt8]) -> Int? {
    guard let first = text.first else { return 0 }
    while searched + text.count <= unread.count {
      guard let start = unread[searched...].firstIndex(of: first), start + text.count <= unread.count else { break }
      if unread[start..<(start + text.count)].elementsEqual(text) { return start + text.count }
      searched = start + 1
    }
    return nil
  }
}
