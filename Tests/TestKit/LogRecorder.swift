package import Logging
import Synchronization

/// Keeps what is logged, for a test to look at or to wait for.
package final class LogRecorder: Sendable {
  package struct Line: Sendable, CustomStringConvertible {
    package let level: Logger.Level
    package let message: String
    package let fields: [String: String]

    package var description: String { "\(level) \(message) \(fields.sorted { $0.key < $1.key })" }
  }

  private struct State {
    var lines: [Line] = []
    var watchers: [AsyncStream<Line>.Continuation] = []
  }

  private let state = Mutex(State())

  package init() {}

  package var logger: Logger { Logger(label: "test") { _ in Handler(recorder: self) } }

  package var lines: [Line] { state.withLock { $0.lines } }

  /// The first line with this message, and these words among its fields, behind the first `start` lines of all.
  @discardableResult
  package func line(
    _ message: String, with fields: [String: String] = [:], from start: Int = 0, within limit: Duration = .seconds(5)
  ) async throws -> Line {
    let lines = watch(from: start)
    return try await within(limit, "The line “\(message)” \(fields) was not logged. \(self.lines)") {
      for await line in lines where line.message == message {
        if fields.allSatisfy({ line.fields[$0.key]?.contains($0.value) == true }) { return line }
      }
      throw CancellationError()
    }
  }

  private func watch(from start: Int) -> AsyncStream<Line> {
    let (stream, continuation) = AsyncStream.makeStream(of: Line.self)
    state.withLock { state in
      for line in state.lines.dropFirst(start) { continuation.yield(line) }
      state.watchers.append(continuation)
    }
    return stream
  }

  fileprivate func append(_ line: Line) {
    state.withLock { state in
      state.lines.append(line)
      for watcher in state.watchers { watcher.yield(line) }
    }
  }
}

private struct Handler: LogHandler {
  let recorder: LogRecorder
  var logLevel = Logger.Level.debug
  var metadata: Logger.Metadata = [:]

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    let fields = metadata.merging(event.metadata ?? [:]) { $1 }.mapValues { "\($0)" }
    recorder.append(.init(level: event.level, message: "\(event.message)", fields: fields))
  }
}
