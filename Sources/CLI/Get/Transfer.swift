import Codecs
import Control
import FoundationEssentials
import HTTPEdge
import HTTPTypes
import HTTPX
import NIOCore
import Synchronization
import XMPP

/// `hearth get`: a request and those that redirects lead to, and where the answer goes.
struct Transfer: Sendable {
  private let request: OutgoingRequest
  private let options: Options
  private let client: ControlClient
  private let start = ContinuousClock.now
  /// What is told at the end, however that comes.
  private let facts: TransferFactsBox

  /// The options of the command, as far as they matter here.
  ///
  /// More than eight properties: one for each option.
  private struct Options: Sendable {
    /// nil: standard output.
    let file: String?
    /// Bytes that the file has already.
    let offset: Int?
    let isBinaryShown: Bool
    let followsRedirects: Bool
    let showsHead: Bool
    let failsOnError: Bool
    let isVerbose: Bool
    let isDecompressed: Bool
    let showsProgress: Bool
    let cookieJar: String?
    let writeOut: String?
    let maxTime: Duration?
  }

  /// Throws `CommandFailure` where there is no name for the file.
  init(_ request: OutgoingRequest, _ response: ResponseOptions, jar: CookieJar, client: ControlClient)
    throws(CommandFailure)
  {
    let named = response.remoteName ? try Self.fileName(of: request.uri) : response.output
    let file = named == "-" && !response.remoteName ? nil : named
    let offset = response.continueAt.map { Int($0) ?? OutputFile.size(of: file ?? "") }
    options = Options(
      file: file, offset: offset == 0 ? nil : offset, isBinaryShown: named == "-" || !Terminal.outputIsTerminal,
      followsRedirects: response.location, showsHead: response.include || response.headOnly,
      failsOnError: response.fail,
      isVerbose: response.verbose, isDecompressed: request.isCompressed,
      showsProgress: !response.silent && Terminal.errorIsTerminal && (file != nil || !Terminal.outputIsTerminal),
      cookieJar: response.cookieJar, writeOut: response.writeOut, maxTime: response.maxTime.map { .seconds($0) })
    var request = request
    if let offset = options.offset { request.defaults.append("Range: bytes=\(offset)-") }
    self.request = request
    self.client = client
    facts = TransferFactsBox(TransferFacts(request), jar)
    if let file { facts.change { $0.file = file } }
  }

  /// What the last part of the address is called, as a file of the folder one is in.
  static func fileName(of uri: HTTPXURI) throws(CommandFailure) -> String {
    let last = uri.path.prefix { $0 != "?" }.split(separator: "/", omittingEmptySubsequences: false).last ?? ""
    let name = PercentEncoding.decodeText(last) ?? String(last)
    guard !name.isEmpty, name != ".", name != "..", !name.contains("/"), Printable.clean(name) == name else {
      throw CommandFailure(.writeError, "“\(uri)” ends with no name of a file: say -o FILE")
    }
    return name
  }

  /// Throws `CommandFailure` with curl's exit status, or `ControlError`.
  func run() async throws {
    let failure: CommandFailure?
    do {
      try await timed()
      failure = nil
    } catch is CancellationError {
      throw CancellationError()
    } catch {
      failure = CommandFailure(describing: error)
    }
    facts.change { $0.total = elapsed }
    try finish(failure)
    if let failure { throw failure }
  }

  private var elapsed: Double { (ContinuousClock.now - start) / .seconds(1) }

  private func timed() async throws {
    guard let maxTime = options.maxTime else { return try await follow() }
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await follow() }
      group.addTask {
        try await Task.sleep(for: maxTime)
        throw CommandFailure(.timedOut, "no whole answer in \(maxTime)")
      }
      defer { group.cancelAll() }
      try await group.next()
    }
  }

  private func finish(_ failure: CommandFailure?) throws(CommandFailure) {
    let (facts, jar) = facts.value
    if options.isVerbose {
      let count = ByteCount.text(facts.downloaded)
      let times = [facts.firstByte, facts.total].map { "\(Int(($0 * 1000).rounded())) ms" }
      Terminal.printError("* \(count) in \(times[1]), the first byte after \(times[0])\n")
    }
    if let file = options.cookieJar { try OutputFile.replace(file == "-" ? nil : file, with: jar.text) }
    guard let writeOut = options.writeOut else { return }
    let text = facts.text(writeOut, status: failure?.status ?? .success, error: failure?.message ?? "")
    Terminal.write(Array(text.utf8), to: OutputFile.standard)
  }

  private func follow() async throws {
    var next: OutgoingRequest? = request
    while let request = next {
      facts.change { $0.request = request }
      next = try await ask(request)
      guard next != nil else { return }
      let count = facts.change { facts -> Int in
        facts.redirects += 1
        return facts.redirects
      }
      guard count <= CLILimits.redirects else {
        throw CommandFailure(
          .tooManyRedirects,
          "redirected more than \(CLILimits.redirects) times, to “\(next?.uri.description ?? "")” at last")
      }
    }
  }

  /// The request that a redirect asks for; nil where the answer was the last.
  private func ask(_ request: OutgoingRequest) async throws -> OutgoingRequest? {
    var head = try RequestHead.make(request)
    let jar = facts.value.jar
    if head.headerFields[.cookie] == nil { head.headerFields[.cookie] = jar.field(for: request.uri, now: Date()) }
    if options.isVerbose { Terminal.printError(try await VerboseText.before(head, request.uri, client)) }
    let body = request.body.map { Body($0, length: $0.length) } ?? .empty
    do {
      return try await client.fetch(head, body: body) { try await receive($0, $1, of: request) }
    } catch let failure as CommandFailure where failure.status == .notDiscovered {
      guard let devices = try? await client.devices(),
        let question = DeviceAddress.question(request.uri.jid.text, devices)
      else { throw failure }
      throw failure.asking(question)
    }
  }

  private func receive(
    _ response: HTTPResponse, _ body: Body, of request: OutgoingRequest
  ) async throws -> OutgoingRequest? {
    let target = try? Redirect.target(of: response, to: request.uri)
    facts.received(response, target, after: elapsed, from: request.uri, keepsCookies: options.cookieJar != nil)
    if options.isVerbose { Terminal.printError(VerboseText.after(response)) }
    let device = "\(request.uri)"
    if let failure = ProxyFailure.of(response, device: device) { throw failure }
    if options.followsRedirects, let target = try Redirect.target(of: response, to: request.uri) {
      if options.showsHead { try OutputFile.standardOutput.write(Self.text(of: response).utf8) }
      for try await _ in body {}
      return try request.following(response, to: target)
    }
    let appFailure = ProxyFailure.ofApp(response, device: device)
    if options.failsOnError, response.status.code >= 400 {
      throw appFailure ?? CommandFailure(.httpError, "the device answered \(response.status)")
    }
    guard try !isComplete(response) else { return nil }
    let output = try options.file.map { try OutputFile($0, continues: options.offset != nil) } ?? .standardOutput
    defer { output.close() }
    if options.showsHead { try output.write(Self.text(of: response).utf8) }
    try await copy(body, of: response, to: output)
    if let appFailure { throw appFailure }
    return nil
  }

  /// Whether there is nothing behind what the file has. Throws where the device sends something else than the rest (RFC 9110 §15.3.7).
  private func isComplete(_ response: HTTPResponse) throws(CommandFailure) -> Bool {
    guard let offset = options.offset else { return false }
    let range = response.headerFields[.contentRange] ?? ""
    if response.status.code == 416, range == "bytes */\(offset)" { return true }
    guard response.status.code == 206, range.hasPrefix("bytes \(offset)-") else {
      throw CommandFailure(
        .rangeError,
        "the device did not send what is behind \(offset) bytes (it answered \(response.status)): leave out -C")
    }
    return false
  }

  private func copy(_ body: Body, of response: HTTPResponse, to output: OutputFile) async throws {
    let clock = ContinuousClock()
    var inflate = try options.isDecompressed ? Inflate.Decoder(response.headerFields[.contentEncoding]) : nil
    var bar = ProgressBar(total: body.length, start: clock.now)
    var done = 0
    defer { draw(bar.finish(done, now: clock.now)) }
    do {
      for try await part in body {
        let bytes = try inflate?.decode(part) ?? part
        try check(bytes, isFirst: done == 0, output)
        try output.write(bytes.readableBytesView)
        facts.change { $0.downloaded += bytes.readableBytes }
        done += part.readableBytes
        draw(bar.update(done, now: clock.now))
      }
      try inflate?.finish()
    } catch let error as HTTPClientError {
      throw CommandFailure(.partial, "the body ended after \(done) bytes, too early: \(error.message)")
    }
  }

  private func check(_ bytes: ByteBuffer, isFirst: Bool, _ output: OutputFile) throws(CommandFailure) {
    guard isFirst, options.file == nil, !options.isBinaryShown, bytes.readableBytesView.contains(0) else { return }
    throw CommandFailure(
      .writeError,
      "the body is no text, which a terminal takes for commands: say -o FILE, or -o - to see it all the same")
  }

  private func draw(_ text: String?) {
    if options.showsProgress, let text { Terminal.printError(text) }
  }

  /// As HTTP/1.1 would write it.
  private static func text(of response: HTTPResponse) -> String {
    VerboseText.statusLine(response) + "\r\n"
      + response.headerFields.map { "\($0.name): \($0.value)\r\n" }.joined() + "\r\n"
  }
}

/// What is known so far, and the cookies, wherever the transfer ends.
private final class TransferFactsBox: Sendable {
  private let state: Mutex<(facts: TransferFacts, jar: CookieJar)>

  init(_ facts: TransferFacts, _ jar: CookieJar) {
    state = Mutex((facts, jar))
  }

  var value: (facts: TransferFacts, jar: CookieJar) { state.withLock { $0 } }

  @discardableResult func change<Result: Sendable>(_ change: (inout TransferFacts) -> Result) -> Result {
    state.withLock { change(&$0.facts) }
  }

  func received(
    _ response: HTTPResponse, _ redirect: HTTPXURI?, after time: Double, from uri: HTTPXURI, keepsCookies: Bool
  ) {
    state.withLock { state in
      state.facts.response = response
      state.facts.redirect = redirect
      state.facts.firstByte = time
      if keepsCookies || state.jar.isUsed { state.jar.receive(response, from: uri, now: Date()) }
    }
  }
}

extension OutgoingRequest {
  fileprivate var isCompressed: Bool { defaults.contains { $0.hasPrefix("Accept-Encoding:") } }
}
