import HTTPTypes
import NIOCore
import Testing

@testable import HTTPEdge

struct MessageEncoderTests {
  private func bytes(_ write: (inout ByteBuffer) -> Void) -> [UInt8] {
    var buffer = ByteBuffer()
    write(&buffer)
    return Array(buffer.readableBytesView)
  }

  @Test func aResponseKeepsOrderCaseAndReason() {
    let head = HTTPResponse(
      status: .init(code: 418, reasonPhrase: "I'm a teapot"),
      headerFields: [.init("x-Odd-CASE")!: "1", .setCookie: "a=1", .setCookie: "b=2"])
    let text = "HTTP/1.1 418 I'm a teapot\r\nx-Odd-CASE: 1\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n\r\n"
    #expect(bytes { $0.write(head) } == Array(text.utf8))
  }

  /// RFC 9112 §4: the space before the reason is there without one.
  @Test func aReasonMayBeEmpty() {
    let head = HTTPResponse(status: .init(code: 299, reasonPhrase: ""))
    #expect(bytes { $0.write(head) } == Array("HTTP/1.1 299 \r\n\r\n".utf8))
  }

  @Test func aRequestNamesItsHostFirstAndHasOneCookieField() {
    let head = HTTPRequest(
      method: .init("MKCOL")!, scheme: "http", authority: "app:80", path: "/a?b",
      headerFields: [.accept: "*/*", .cookie: "a=1", .eTag: "x", .cookie: "b=2"])
    let text = "MKCOL /a?b HTTP/1.1\r\nHost: app:80\r\nAccept: */*\r\nCookie: a=1; b=2\r\nETag: x\r\n\r\n"
    #expect(bytes { $0.write(head) } == Array(text.utf8))
  }

  /// RFC 9110 §5.5: bytes beyond ASCII are passed on, UTF-8 or not.
  @Test func valuesGoOutByteForByte() {
    let field = HTTPField(name: .server, lenientValue: [0x61, 0xE9, 0x62])
    let head = HTTPResponse(status: .ok, headerFields: HTTPFields([field]))
    #expect(
      bytes { $0.write(head) } == Array("HTTP/1.1 200 OK\r\nServer: a".utf8) + [0xE9, 0x62] + Array("\r\n\r\n".utf8))
  }

  @Test func cookiesGoOutByteForByte() {
    let head = HTTPRequest(
      method: .get, scheme: "http", authority: nil, path: "/",
      headerFields: HTTPFields([
        HTTPField(name: .cookie, value: [0x61, 0x3D, 0xE9]), HTTPField(name: .cookie, value: "b=2"),
      ]))
    #expect(
      bytes { $0.write(head) } == Array("GET / HTTP/1.1\r\nCookie: a=".utf8) + [0xE9] + Array("; b=2\r\n\r\n".utf8))
  }

  @Test func aChunkHasItsSizeInHexadecimal() {
    let written = bytes { buffer in
      buffer.writeChunkStart(26)
      buffer.writeString("abcdefghijklmnopqrstuvwxyz")
      buffer.writeChunkEnd()
      buffer.writeImmutableBuffer(.lastChunk)
    }
    #expect(written == Array("1a\r\nabcdefghijklmnopqrstuvwxyz\r\n0\r\n\r\n".utf8))
  }
}
