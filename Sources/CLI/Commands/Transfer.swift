import Codecs
import Control
import Daemon
import HTTPEdge
import HTTPTypes
import NIOCore

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// One request of `hearth get`, and where its answer goes.
struct Transfer: Sendable {
  let head: HTTPRequest
  let body: UploadBody?
  /// A file; nil: standard output.
  let output: String?
  let showsHead: Bool
  let failsOnError: Bool
  let showsProgress: Bool
  let client: ControlClient

  /// Throws `CommandFailure` with curl's exit status, or `ControlError`.
  func run(maxTime: Duration?) async throws {
    guard let maxTime else { return try await run() }
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await run() }
      group.addTask {
        try await Task.sleep(for: maxTime)
        throw CommandFailure(.timedOut, "no whole answer in \(maxTime)")
      }
      defer { group.cancelAll() }
      try await group.next()
    }
  }

  private func run() async throws {
    let body = body.map { Body($0, length: $0.length) } ?? .empty
    try await client.fetch(head, body: body, receive: receive)
  }

  private func receive(_ response: HTTPResponse, _ body: Body) async throws {
    if let failure = ProxyFailure.of(response, device: head.path ?? "") { throw failure }
    let appFailure = ProxyFailure.ofApp(response, device: head.path ?? "")
    if failsOnError, response.status.code >= 400 {
      throw appFailure ?? CommandFailure(.httpError, "the device answered \(response.status)")
    }
    let sink = try openOutput()
    defer { if output != nil { close(sink) } }
    if showsHead { try write(Self.text(of: response).utf8, to: sink) }
    try await copy(body, to: sink, length: body.length)
    if let appFailure { throw appFailure }
  }

  private func copy(_ body: Body, to sink: Int32, length: Int?) async throws {
    let clock = ContinuousClock()
    var bar = ProgressBar(total: length, start: clock.now)
    var done = 0
    defer { draw(bar.finish(done, now: clock.now)) }
    do {
      for try await part in body {
        try write(part.readableBytesView, to: sink)
        done += part.readableBytes
        draw(bar.update(done, now: clock.now))
      }
    } catch let error as HTTPClientError {
      throw CommandFailure(.partial, "the body ended after \(done) bytes, too early: \(error.message)")
    }
  }

  private func draw(_ text: String?) {
    if showsProgress, let text { Terminal.printError(text) }
  }

  private func openOutput() throws(CommandFailure) -> Int32 {
    guard let output else { return STDOUT_FILENO }
    let descriptor = open(output, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw CommandFailure(.writeError, "\(SystemError("write", output))") }
    return descriptor
  }

  private func write(_ bytes: some Collection<UInt8>, to sink: Int32) throws(CommandFailure) {
    do {
      try FileBytes.append(bytes, to: sink, path: output ?? "standard output")
    } catch {
      if error.code == EPIPE { Terminal.endQuietly() }
      throw CommandFailure(.writeError, "\(error)")
    }
  }

  /// As HTTP/1.1 would write it.
  private static func text(of response: HTTPResponse) -> String {
    let reason = response.status.phrase
    var text = "HTTP/1.1 \(response.status.code)\(reason.isEmpty ? "" : " \(reason)")\r\n"
    for field in response.headerFields { text += "\(field.name): \(field.value)\r\n" }
    return text + "\r\n"
  }
}
