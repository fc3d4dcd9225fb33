import Foundation

/// A folder of its own for the files of one test, gone with it.
package final class Folder: Sendable {
  let url = FileManager.default.temporaryDirectory.appending(path: "tls-\(UUID().uuidString)")

  package init() throws {
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit {
    try? FileManager.default.removeItem(at: url)
  }

  package func path(_ name: String) -> String { url.appending(path: name).path }
  package func read(_ name: String) throws -> [UInt8] { Array(try Data(contentsOf: url.appending(path: name))) }
  package func write(_ name: String, _ bytes: [UInt8]) throws { try Data(bytes).write(to: url.appending(path: name)) }

  package struct Failure: Error { let output: String }

  /// Runs `openssl` in the folder until it ends, with these variables set; throws where its status is not 0.
  @discardableResult
  package func openssl(
    _ arguments: String, input: String = "", variables: [String: String] = [:]
  ) async throws -> String {
    let (status, output) = try await run(arguments, input: input, variables: variables)
    guard status == 0 else { throw Failure(output: output) }
    return output
  }

  /// Its status, and what it wrote.
  package func run(
    _ arguments: String, input: String = "", variables: [String: String] = [:]
  ) async throws -> (status: Int32, output: String) {
    let process = try OpenSSLProcess(arguments, in: self, variables: variables)
    process.say(input)
    process.endInput()
    let status = await process.status()
    return (status, process.output)
  }
}

/// `openssl`, running.
package final class OpenSSLProcess: Sendable {
  private let process = Process()
  private let input = Pipe()
  private let name = UUID().uuidString
  private let folder: Folder
  private let ended: AsyncStream<Int32>

  package init(_ arguments: String, in folder: Folder, variables: [String: String] = [:]) throws {
    self.folder = folder
    try folder.write(name, [])
    let output = try FileHandle(forWritingTo: folder.url.appending(path: name))
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments =
      variables.map { "\($0)=\($1)" } + ["openssl"] + arguments.split(separator: " ").map(String.init)
    process.currentDirectoryURL = folder.url
    process.standardInput = input
    process.standardOutput = output
    process.standardError = output
    let (ended, continuation) = AsyncStream.makeStream(of: Int32.self)
    self.ended = ended
    process.terminationHandler = { process in
      continuation.yield(process.terminationStatus)
      continuation.finish()
    }
    try process.run()
  }

  /// Standard output and standard error up to now.
  package var output: String { (try? folder.read(name)).map { String(decoding: $0, as: UTF8.self) } ?? "" }

  package func say(_ text: String) {
    // A process that is gone does not listen, which its status tells.
    try? input.fileHandleForWriting.write(contentsOf: Data(text.utf8))
  }

  package func endInput() {
    try? input.fileHandleForWriting.close()
  }

  package func status() async -> Int32 {
    for await status in ended { return status }
    return -1
  }

  package func stop() {
    process.terminate()
  }

  /// Waits until the output holds what the pattern finds, and gives its first group; nil when the process ends before.
  package func wait(for pattern: some RegexComponent<(Substring, Substring)>) async throws -> String? {
    var found: String?
    // The output is a file, which nothing tells us about.
    try await eventually("openssl does not say it: \(output)") {
      let isRunning = process.isRunning
      found = output.firstMatch(of: pattern).map { String($0.output.1) }
      return found != nil || !isRunning
    }
    return found
  }
}
