import Codecs
import HTTPTypes
import NIOCore
import NIOPosix
import Synchronization
import TestKit
import Testing

@testable import HTTPEdge
@testable import TLS

@Suite(.timeLimit(.minutes(1))) struct HTTPSClientTests {
  private static let get = HTTPRequest(method: .get, scheme: "https", authority: "h", path: "/")
  private static let post = HTTPRequest(method: .post, scheme: "https", authority: "h", path: "/p")
  private static let past = Validity(from: "20000101000000Z", until: "20010101000000Z")
  private static let future = Validity(from: "20990101000000Z", until: "99991231235959Z")

  private static let hello: @Sendable (RawConnection) async throws -> Void = { connection in
    while try await connection.read(to: "\r\n\r\n").hasSuffix("\r\n\r\n") {
      try await connection.write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
    }
  }

  private static let unreached: @Sendable (RawConnection) async throws -> Void = { connection in
    let request = try await connection.readToEnd()
    #expect(request.isEmpty, "was asked")
  }

  private func client(_ host: String, _ port: Int, _ trust: TLSConfiguration.UpstreamTrust) -> HTTPClient {
    HTTPClient(.tls(host: host, port: port, trust: trust))
  }

  private func fetch(_ client: HTTPClient) async throws -> String {
    try await client.send(Self.get) { _, body in try await body.text() }
  }

  private func failure(_ operation: () async throws -> Void) async throws -> HTTPClientError {
    try #require(await #expect(throws: HTTPClientError.self) { try await operation() })
  }

  // MARK: Who the server is

  @Test func requestsShareAConnectionToATrustedServer() async throws {
    let server = try SecureServer()
    try await withRawServer(tls: server.tls, [Self.hello, { _ in Issue.record("a second connection") }]) { address in
      let client = try server.client(address.port)
      for _ in 1...3 {
        let text = try await fetch(client)
        #expect(text == "hello")
      }
    }
  }

  @Test(arguments: [
    ("nas.local", Validity.always, "ostname mismatch"), ("127.0.0.1", .always, "IP address mismatch"),
    ("localhost", past, "expired"), ("localhost", future, "not yet valid"),
  ])
  func authoritiesSignForAHostAndATime(_ name: String, _ validity: Validity, _ reason: String) async throws {
    let server = try SecureServer(name: name, validity: validity)
    let host = name == "127.0.0.1" ? name : "localhost"
    try await withRawServer(tls: server.tls, [Self.unreached]) { address in
      let failure = try await failure { _ = try await fetch(server.client(address.port, host: host)) }
      #expect(failure.code == .untrusted)
      #expect(failure.message.contains(reason), "\(failure)")
    }
  }

  @Test func theSystemKnowsNobodyHere() async throws {
    try await withRawServer(tls: SecureServer().tls, [Self.unreached]) { address in
      let failure = try await failure { _ = try await fetch(client("localhost", address.port, .systemCAs)) }
      #expect(failure.code == .untrusted)
      #expect(failure.message.contains("self-signed"), "\(failure)")
    }
  }

  @Test(arguments: [Validity.always, past, future])
  func aFingerprintIsOfOneCertificateWhateverItSays(_ validity: Validity) async throws {
    let (server, other) = (try SecureServer(name: "nas", validity: validity), try SecureServer(name: "nas"))
    try await withRawServer(tls: server.tls, [Self.hello]) { address in
      let text = try await fetch(client("127.0.0.1", address.port, .fingerprint(server.fingerprint)))
      #expect(text == "hello")
    }
    try await withRawServer(tls: server.tls, [Self.unreached]) { address in
      let failure = try await failure {
        _ = try await fetch(client("localhost", address.port, .fingerprint(other.fingerprint)))
      }
      #expect(failure.code == .untrusted)
      #expect(failure.message.contains("fingerprint"))
    }
  }

  @Test func insecureAcceptsAnyone() async throws {
    try await withRawServer(tls: SecureServer(name: "x", validity: Self.past).tls, [Self.hello]) { address in
      let text = try await fetch(client("127.0.0.1", address.port, .insecure))
      #expect(text == "hello")
    }
  }

  @Test func aTrustThatCannotBeIsSaidSo() async throws {
    try await withRawServer([Self.unreached]) { address in
      let failure = try await failure { _ = try await fetch(client("localhost", address.port, .fingerprint([1]))) }
      #expect(failure.code == .tlsFailed)
      #expect(failure.message.contains("64 hexadecimal digits"))
    }
  }

  // MARK: Servers that do not speak TLS as we do

  @Test(arguments: ["HTTP/1.1 400 Bad Request\r\n\r\n", "SSH-2.0-OpenSSH_9.2\r\n"])
  func aServerWithoutTLSIsSaidSo(_ answer: String) async throws {
    try await withRawServer([
      { connection in
        try await connection.write(answer)
        _ = try await connection.readToEnd()
      }
    ]) { address in
      let failure = try await failure { _ = try await fetch(client("localhost", address.port, .insecure)) }
      #expect(failure.code == .tlsFailed)
      #expect(failure.message.contains("does not speak TLS"), "\(failure)")
    }
  }

  @Test func aServerThatHangsUpIsSaidSo() async throws {
    try await withRawServer([{ _ in }]) { address in
      let failure = try await failure { _ = try await fetch(client("localhost", address.port, .insecure)) }
      #expect(failure.code == .tlsFailed || failure.code == .reset, "\(failure)")
    }
  }

  /// In TLS 1.3 the server decides when we are done already, and a request may be on its way.
  @Test(arguments: [
    (TLSVersion.v12, [HTTPClientError.Code.tlsAlert]), (.v13, [.tlsAlert, .reset]),
  ])
  func aServerThatWantsToKnowUsIsSaidSo(_ version: TLSVersion, _ expected: [HTTPClientError.Code]) async throws {
    let tls = try TLSConfiguration.demanding(Identity.generate(name: "localhost"), newest: version)
    try await withRawServer(tls: tls, [Self.unreached]) { address in
      let failure = try await failure { _ = try await fetch(client("localhost", address.port, .insecure)) }
      #expect(expected.contains(failure.code), "\(failure.message)")
    }
  }

  @Test func aHandshakeThatNeverEndsIsATimeout() async throws {
    var limits = HTTPClientLimits()
    limits.connect = .milliseconds(200)
    try await withRawServer([{ connection in _ = try await connection.readToEnd() }]) { address in
      let client = HTTPClient(.tls(host: "127.0.0.1", port: address.port, trust: .insecure), limits: limits)
      let failure = try await failure { _ = try await fetch(client) }
      #expect(failure.code == .connectTimedOut)
    }
  }

  @Test func whoWaitsForAHandshakeMayLeave() async throws {
    let (begun, begin) = AsyncStream.makeStream(of: Void.self)
    try await withRawServer([
      { connection in
        _ = try await connection.read(bytes: 1)
        begin.yield()
        _ = try await connection.readToEnd()
      }
    ]) { address in
      let client = client("127.0.0.1", address.port, .insecure)
      await withThrowingTaskGroup(of: String.self) { group in
        group.addTask { try await fetch(client) }
        _ = await begun.first { _ in true }
        group.cancelAll()
        await #expect(throws: CancellationError.self) { try await group.waitForAll() }
      }
    }
  }

  // MARK: Bodies and their ends

  @Test(arguments: ["HTTP/1.0 200 OK\r\n\r\nhel", "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhel"])
  func aBodyThatEndsWithTheConnectionNeedsAGoodbye(_ response: String) async throws {
    let server = try SecureServer()
    let answers: @Sendable (RawConnection) async throws -> Void = { connection in
      let request = try await connection.read(to: "\r\n\r\n")
      try await connection.write(response)
      try await connection.write("lo")
      if request.hasPrefix("GET /cut") { try await connection.cut() } else { connection.halfClose() }
      _ = try await connection.readToEnd()
    }
    try await withRawServer(tls: server.tls, [answers]) { address in
      let client = try server.client(address.port)
      let whole = try await fetch(client)
      #expect(whole == "hello")
      var request = Self.get
      request.path = "/cut"
      let failure = try await failure {
        try await client.send(request) { response, body in
          #expect(response.status == .ok)
          _ = try await body.text()
        }
      }
      #expect(failure.code == .closedEarly)
      #expect(failure.message.contains("without saying so"))
    }
  }

  @Test(arguments: [
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
  ])
  func aBodyThatSaysItsEndNeedsNoGoodbyeAndTheNextRequestAnotherConnection(_ response: String) async throws {
    let server = try SecureServer()
    for isCut in [true, false] {
      let answers: @Sendable (RawConnection) async throws -> Void = { connection in
        _ = try await connection.read(to: "\r\n\r\n")
        try await connection.write(response)
        if isCut { try await connection.cut() } else { connection.halfClose() }
        _ = try await connection.readToEnd()
      }
      try await withRawServer(tls: server.tls, [answers]) { address in
        let client = try server.client(address.port)
        for _ in 1...5 {
          let text = try await fetch(client)
          #expect(text == "hello")
        }
      }
    }
  }

  @Test(arguments: [
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
  ])
  func aCutBodyIsAnErrorEvenWithAGoodbye(_ response: String) async throws {
    let server = try SecureServer()
    let answers: @Sendable (RawConnection) async throws -> Void = { connection in
      _ = try await connection.read(to: "\r\n\r\n")
      try await connection.write(response)
    }
    try await withRawServer(tls: server.tls, [answers]) { address in
      let failure = try await failure { _ = try await fetch(server.client(address.port)) }
      #expect(failure.code == .closedEarly)
    }
  }

  @Test func largeBodiesArriveWholeInBothDirections() async throws {
    let (server, parts) = (try SecureServer(), 64)
    let answers: @Sendable (RawConnection) async throws -> Void = { connection in
      _ = try await connection.read(to: "\r\n\r\n")
      #expect(try await connection.read(bytes: parts << 16).count == parts << 16)
      try await connection.write("HTTP/1.1 200 OK\r\nContent-Length: \(parts << 16)\r\n\r\n")
      for part in 0..<parts {
        try await connection.send(Self.part(part))
      }
      _ = try await connection.readToEnd()
    }
    try await withRawServer(tls: server.tls, [answers]) { address in
      let left = Mutex(parts)
      let body = AsyncThrowingStream<ByteBuffer, any Error> {
        left.withLock { left in
          defer { left -= 1 }
          return left > 0 ? ByteBuffer(repeating: 7, count: 1 << 16) : nil
        }
      }
      try await server.client(address.port).send(Self.post, body: Body(body, length: parts << 16)) { _, body in
        let received = try await body.bytes()
        let expected = (0..<parts).flatMap { Self.part($0).readableBytesView }
        #expect(received.count == expected.count && Digest.sha256(received) == Digest.sha256(expected))
      }
    }
  }

  private static func part(_ index: Int) -> ByteBuffer {
    ByteBuffer(repeating: UInt8(truncatingIfNeeded: index), count: 1 << 16)
  }

  @Test func aSlowReaderHoldsTheServerBack() async throws {
    let (server, total) = (try SecureServer(), 1024)
    let written = Mutex(0)
    let answers: @Sendable (RawConnection) async throws -> Void = { connection in
      _ = try await connection.read(to: "\r\n\r\n")
      try await connection.write("HTTP/1.1 200 OK\r\nContent-Length: \(total << 16)\r\n\r\n")
      for index in 0..<total {
        try await connection.send(Self.part(index))
        written.withLock { $0 += 1 }
      }
    }
    try await withRawServer(tls: server.tls, [answers]) { address in
      try await server.client(address.port).send(Self.get) { _, body in
        var iterator = body.makeAsyncIterator()
        _ = try await iterator.next()
        try await standstill { written.withLock { $0 } }
        #expect(written.withLock { $0 } < total * 3 / 4, "the kernel's buffers, 36 MiB at most, and a few parts")
      }
    }
  }

  // MARK: A foreign server

  @Test(arguments: ["-tls1_2", "-tls1_3"])
  func anotherServerIsUnderstood(_ version: String) async throws {
    let folder = try TestFolder()
    try await folder.openssl(
      "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.pem -subj /CN=Home")
    try await folder.openssl("req -new -newkey rsa:2048 -nodes -keyout key.pem -subj /CN=nas -out nas.csr")
    try folder.write("names", "subjectAltName=DNS:nas.lan,IP:127.0.0.1".utf8)
    try await folder.openssl(
      "x509 -req -in nas.csr -CA ca.pem -CAkey ca.key -CAcreateserial -extfile names -out certificate.pem")
    let film = SecureRandom.bytes(5_000_000)
    try folder.write("film", film)
    let server = try OpenSSL(
      "s_server -accept 127.0.0.1:0 -cert certificate.pem -key key.pem -WWW \(version)", in: folder)
    defer { server.stop() }
    let port = try #require(try await server.port(), "\(server.output)")
    let client = try HTTPClient(port, host: "127.0.0.1", authorities: folder.path("ca.pem"))
    for _ in 1...2 {
      let request = HTTPRequest(method: .get, scheme: "https", authority: "nas", path: "/film")
      let received = try await client.send(request) { response, body in
        #expect(response.status == .ok)
        return try await body.bytes()
      }
      #expect(received.count == film.count && Digest.sha256(received) == Digest.sha256(film))
    }
    let strict = try HTTPClient(port, host: "localhost", authorities: folder.path("ca.pem"))
    let failure = try await failure { _ = try await fetch(strict) }
    #expect(failure.code == .untrusted, "\(failure)")
  }

  // MARK: Addresses

  @Test(arguments: [
    (HTTPAddress.tcp(host: "h", port: 80), "h"), (.tcp(host: "h", port: 443), "h:443"),
    (.tls(host: "h", port: 443, trust: .systemCAs), "h"), (.tls(host: "h", port: 80, trust: .insecure), "h:80"),
    (.tls(host: "::1", port: 443, trust: .insecure), "[::1]"), (.tcp(host: "fe80::1%eth0", port: 81), "[fe80::1]:81"),
    (.unix(path: "/run/app.sock"), "localhost"),
  ])
  func authorities(_ address: HTTPAddress, _ authority: String) {
    #expect(address.authority == authority)
  }
}
