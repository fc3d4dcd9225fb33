import HTTPEdge
import HTTPX
import Mesh
import NIOCore
import NIOPosix
import Testing

@testable import Origins
@testable import TLS

/// Apps at https.
@Suite(.timeLimit(.minutes(1))) struct SecureAppTests {
  /// Answers the first bytes of each connection, whatever they are.
  private final class Answerer: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    let answer: String

    init(_ answer: String) { self.answer = answer }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      let request = String(buffer: unwrapInboundIn(data)).split(separator: "\r\n")
      let host = request.first { $0.hasPrefix("Host: ") } ?? ""
      let text = answer.replacing("HOST", with: host.dropFirst("Host: ".count))
      context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: text)), promise: nil)
    }
  }

  private func withSecureApp(
    _ identity: Identity, _ answer: String, _ body: (Int) async throws -> Void
  ) async throws {
    let context = try TLSContext(rule: .any)
    try context.use(identity)
    let tls = TLSConfiguration(context: context, role: .server, serverName: nil)
    let app = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandlers(TLSHandler(tls), Answerer(answer))
        }
      }
      .bind(host: "127.0.0.1", port: 0).get()
    let result: Result<Void, any Error>
    do { result = .success(try await body(app.localAddress!.port!)) } catch { result = .failure(error) }
    try await app.close()
    try result.get()
  }

  private func origin(_ port: Int, _ identity: Identity?) throws -> any ServiceHandler {
    let digits = identity.map { Digest.sha256($0.certificate.der).map { String($0, radix: 16) } }
    let fingerprint = digits?.map { $0.count == 1 ? "0" + $0 : $0 }.joined(separator: ":")
    return try Target("https://127.0.0.1:\(port)", fingerprint: fingerprint)
      .makeHandler(title: "app", eventLoopGroup: MultiThreadedEventLoopGroup.singleton)
  }

  @Test func thePinnedAppAnswers() async throws {
    let identity = try Identity.generate(name: "nas")
    let answer = "HTTP/1.1 201 Created\r\nLocation: https://HOST/next\r\nContent-Length: 5\r\n\r\nhello"
    try await withSecureApp(identity, answer) { port in
      let origin = try origin(port, identity)
      for _ in 1...2 {
        let got = try await origin.get("/")
        #expect(got.code == 201 && got.body == "hello" && got["Location"] == "/next")
      }
    }
  }

  @Test func anAppThatIsNotTrustedIsSaidSo() async throws {
    let (identity, other) = (try Identity.generate(name: "nas"), try Identity.generate(name: "nas"))
    try await withSecureApp(identity, "") { port in
      for expected in [nil, other] {
        let got = try await origin(port, expected).get("/")
        #expect(got.code == 502 && got.failure?.error == "tls_certificate_error")
        #expect(got.body.contains(expected == nil ? "self-signed" : "fingerprint"), "\(got.body)")
      }
    }
  }

  @Test func anAppWithoutTLSIsSaidSo() async throws {
    try await withApp(ReverseProxyTests.mirror) { (address) async throws in
      guard case .tcp(_, let port) = address else { return }
      let got = try await origin(port, nil).get("/")
      #expect(got.code == 502 && got.failure?.error == "tls_protocol_error")
      #expect(got.body.contains("does not speak TLS"))
    }
  }
}
