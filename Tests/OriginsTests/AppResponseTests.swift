import HTTPEdge
import HTTPTypes
import HTTPX
import NIOCore
import NIOPosix
import Origins
import TestKit
import Testing

/// What apps really send, and what a caller gets of it.
@Suite(.timeLimit(.minutes(1))) struct AppResponseTests {
  /// `{port}` stands for the app's.
  private static func got(_ response: String, latin1: Bool = false) async throws -> Received {
    let app = try await ScriptedListener()
    let text = response.replacing("{port}", with: "\(app.port)")
    let bytes = latin1 ? text.unicodeScalars.map { UInt8($0.value) } : Array(text.utf8)
    let proxy = ReverseProxy(
      to: .tcp(host: "127.0.0.1", port: app.port), eventLoopGroup: MultiThreadedEventLoopGroup.singleton)
    async let got = proxy.get("/")
    let peer = try await app.accept()
    _ = try await peer.expect("\r\n\r\n")
    try await peer.send(ByteBuffer(bytes: bytes))
    try await peer.endOutput()
    let received = try await got
    try await app.close()
    return received
  }

  @Test(
    arguments: [
      ("HTTP/1.1 200 OK\nContent-Type: text/plain\n\nhi\n", 200, "hi\n", ["Content-Type": "text/plain"]),
      (
        "HTTP/1.1 200 OK\r\nAccept-Ranges: bytes\r\nConnection: close\r\nContent-type: text/plain\n\nroot.Image=1\n",
        200,
        "root.Image=1\n", [:]
      ),
      ("HTTP/1.1 200 OK\r\nX-Unit : celsius\r\nContent-Length: 2\r\n\r\nok", 200, "ok", ["X-Unit": "celsius"]),
      ("HTTP/1.1 200 OK\r\nX-Long: one\r\n  two\r\nContent-Length: 2\r\n\r\nok", 200, "ok", ["X-Long": "one two"]),
      ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello", 200, "hello", ["Content-Length": "5"]),
      ("HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\nhello", 200, "hello", ["Content-Length": "5"]),
      ("ICY 200 OK\r\nContent-Type: audio/mpeg\r\n\r\nabc", 200, "abc", ["Content-Type": "audio/mpeg"]),
      ("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", 204, "", ["Content-Length": nil]),
      ("HTTP/1.1 200 OK\r\nX-Note: a\u{1}b\r\nContent-Length: 2\r\n\r\nok", 200, "ok", ["X-Note": "a b"]),
      (
        "HTTP/1.1 302 Found\r\nLocation: http://localhost:{port}/login\r\nContent-Length: 0\r\n\r\n", 302, "",
        ["Location": "/login"]
      ),
      (
        "HTTP/1.1 200 OK\r\nRefresh: 3; url=http://127.0.0.1:{port}/next\r\nContent-Length: 2\r\n\r\nok", 200, "ok",
        ["Refresh": "3; url=/next"]
      ),
      (
        "HTTP/1.1 200 OK\r\nLink: <http://[::1]:{port}/n>; rel=next\r\nContent-Length: 2\r\n\r\nok", 200, "ok",
        ["Link": "</n>; rel=next"]
      ),
      (
        "HTTP/1.1 302 Found\r\nLocation: http://other.example/x\r\nContent-Length: 0\r\n\r\n", 302, "",
        ["Location": "http://other.example/x"]
      ),
    ] as [(String, Int, String, [String: String?])])
  func areReadAsBrowsersReadThem(
    _ response: String, _ status: Int, _ body: String, _ fields: [String: String?]
  ) async throws {
    let got = try await Self.got(response)
    #expect(got.code == status && got.body == body)
    for (name, value) in fields { #expect(got[name] == value) }
  }

  @Test(arguments: [
    ("Content-Length: 5\r\nContent-Length: 6", "Content-Length is not one number"),
    ("Content-Length: 5\r\nTransfer-Encoding: chunked", "both Content-Length and Transfer-Encoding"),
    ("Transfer-Encoding: gzip, chunked", "Transfer-Encoding is not chunked alone"), ("X: a\u{0}b", "holds NUL or CR"),
    ("X: \(String(repeating: "a", count: 70_000))", "more than 65536 bytes"),
  ])
  func whatCannotBePassedOnSaysWhy(_ fields: String, _ reason: String) async throws {
    let got = try await Self.got("HTTP/1.1 200 OK\r\n\(fields)\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
    #expect(got.code == 502 && got.failure?.error == "http_protocol_error")
    #expect(got.body.contains(reason), "\(got.body)")
  }

  @Test func bytesOfAFilesNameStay() async throws {
    let got = try await Self.got(
      "HTTP/1.1 200 OK\r\nContent-Disposition: attachment; filename=\"Straße.pdf\"\r\nContent-Length: 2\r\n\r\nok",
      latin1: true)
    let field = try #require(got.head.headerFields.first { $0.name == .contentDisposition })
    #expect(field.withUnsafeBytesOfValue { $0.contains(0xDF) && !$0.contains(0xC3) } && got.body == "ok")
  }
}
