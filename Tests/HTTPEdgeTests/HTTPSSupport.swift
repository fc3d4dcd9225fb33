import Codecs
import Foundation
import NIOCore
import NIOPosix
import TestKit
import Testing

@testable import HTTPEdge
@testable import TLS

/// A folder of its own for the files of one test, gone with it.
final class TestFolder: Sendable {
  let url = FileManager.default.temporaryDirectory.appending(path: "https-\(UUID().uuidString)")

  init() throws {
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit {
    try? FileManager.default.removeItem(at: url)
  }

  func path(_ name: String) -> String { url.appending(path: name).path }

  func write(_ name: String, _ bytes: some Sequence<UInt8>) throws {
    try Data(bytes).write(to: url.appending(path: name))
  }

  /// Runs `openssl` in the folder to its end.
  func openssl(_ arguments: String) async throws {
    let program = try OpenSSL(arguments, in: self)
    let status = await program.status()
    try #require(status == 0, "\(program.output)")
  }
}

/// `openssl`, running.
final class OpenSSL: Sendable {
  private let process = Process()
  private let file: URL
  private let ended: AsyncStream<Int32>

  init(_ arguments: String, in folder: TestFolder) throws {
    file = folder.url.appending(path: UUID().uuidString)
    try Data().write(to: file)
    let output = try FileHandle(forWritingTo: file)
    let (ended, end) = AsyncStream.makeStream(of: Int32.self)
    self.ended = ended
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["openssl"] + arguments.split(separator: " ").map(String.init)
    process.currentDirectoryURL = folder.url
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = output
    process.standardError = output
    process.terminationHandler = { end.yield($0.terminationStatus) }
    try process.run()
  }

  /// Standard output and standard error up to now.
  var output: String { (try? Data(contentsOf: file)).map { String(decoding: $0, as: UTF8.self) } ?? "" }

  func status() async -> Int32 { await ended.first { _ in true } ?? -1 }

  /// Other signals are blocked: it inherits that from the thread that starts it.
  func stop() { kill(process.processIdentifier, SIGKILL) }

  /// The port that a server took; nil where it ends without one.
  func port() async throws -> Int? {
    var port: Int?
    // The output is a file, which tells nobody that it grows.
    try await eventually("openssl names no port: \(output)") {
      let isRunning = process.isRunning
      port = output.firstMatch(of: #/ACCEPT 127.0.0.1:(\d+)\n/#).flatMap { Int($0.output.1) }
      return port != nil || !isRunning
    }
    return port
  }
}

/// A server at https on loopback, as a test wants it to be.
struct SecureServer {
  let identity: Identity
  let tls: TLSConfiguration

  init(_ identity: Identity) throws {
    let context = try TLSContext(rule: .any)
    try context.use(identity)
    self.identity = identity
    tls = TLSConfiguration(context: context, role: .server, serverName: nil)
  }

  /// Named `localhost` and valid for ever, unless said.
  init(name: String = "localhost", validity: Validity = .always) throws {
    try self.init(Identity.generate(name: name, validity: validity))
  }

  var fingerprint: [UInt8] { Digest.sha256(identity.certificate.der) }

  /// One whose only authority is this server itself.
  func client(_ port: Int, host: String = "localhost", limits: HTTPClientLimits = .init()) throws -> HTTPClient {
    let folder = try TestFolder()
    try folder.write("authorities.pem", identity.pem)
    return try HTTPClient(port, host: host, authorities: folder.path("authorities.pem"), limits: limits)
  }
}

extension HTTPClient {
  convenience init(_ port: Int, host: String, authorities: String, limits: HTTPClientLimits = .init()) throws {
    let tls = try TLSConfiguration.upstream(host: host, trust: .systemCAs, authorities: authorities)
    let address = HTTPAddress.tls(host: host, port: port, trust: .systemCAs)
    self.init(
      Upstream(address, limits: limits, tls: .success(tls)), eventLoopGroup: MultiThreadedEventLoopGroup.singleton)
  }
}

extension Body {
  func bytes() async throws -> [UInt8] {
    var all: [UInt8] = []
    for try await part in self { all += part.readableBytesView }
    return all
  }
}

extension HTTPAddress {
  var port: Int {
    switch self {
    case .tcp(_, let port), .tls(_, let port, _): port
    case .unix: 0
    }
  }
}

extension RawConnection {
  /// Returns when the socket has taken it.
  func send(_ bytes: ByteBuffer) async throws {
    try await channel.writeAndFlush(bytes)
  }

  /// Ends the connection's output without a word in TLS.
  func cut() async throws {
    try await channel.eventLoop.submit { [channel] in
      try channel.pipeline.syncOperations.context(handlerType: TLSHandler.self).close(mode: .output, promise: nil)
    }.get()
  }
}
