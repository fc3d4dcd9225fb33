import Codecs
import HTTPTypes
import NIOCore
import Testing

@testable import HTTPEdge

/// What a reader made of some bytes.
private struct Reading: Equatable, CustomStringConvertible {
  var statuses: [Int] = []
  var fields = HTTPFields()
  var body: [UInt8] = []
  var isEnded = false
  var keepAlive: Bool?
  var error: String?

  init(_ parts: [ByteBuffer], answering method: HTTPRequest.Method = .get) {
    var reader = ResponseReader(limits: HTTPHeadLimits())
    reader.expect(answering: method)
    do throws(HTTPMessageError) {
      for part in parts {
        reader.received(part)
        while let part = try reader.next() {
          switch part {
          case .head(let head, let keepAlive):
            statuses.append(head.status.code)
            fields = head.headerFields
            self.keepAlive = keepAlive
          case .body(let bytes): body += Array(bytes.readableBytesView)
          case .end: isEnded = true
          }
        }
      }
      if !isEnded { isEnded = reader.receivedEnd() }
    } catch {
      self.error = error.message
    }
  }

  init(_ bytes: [UInt8], answering method: HTTPRequest.Method = .get) {
    self.init([ByteBuffer(bytes: bytes)], answering: method)
    let single = Reading(bytes.map { ByteBuffer(bytes: [$0]) }, answering: method)
    #expect(single == self)
  }

  init(_ text: String, answering method: HTTPRequest.Method = .get) {
    self.init(Array(text.utf8), answering: method)
  }

  var text: String { String(decoding: body, as: UTF8.self) }
  var description: String { "\(statuses) \(fields) \(text.debugDescription) \(isEnded) \(error ?? "")" }
}

@Suite struct ResponseReaderTests {
  /// As old servers and gadgets write them.
  @Test(arguments: [
    "HTTP/1.1 200 OK\nContent-Type: text/plain\n\nhi\n",
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\n\r\nhi\n",
    "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-type: text/plain\n\nhi\n",
    "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nhi\n",
    "ICY 200 OK\r\nContent-Type : text/plain\r\n\r\nhi\n",
    "HTTP/1.1 200\r\nContent-Type:\ttext/plain \r\n\r\nhi\n",
    "http/1.1  200 OK\r\ncontent-type:\r\n text/plain\r\n\r\nhi\n",
    "\r\nHTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nhi\n",
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nhi\n",
  ])
  func headsOfOldServersAreRead(_ response: String) {
    let reading = Reading(response)
    #expect(reading.statuses == [200] && reading.text == "hi\n" && reading.isEnded, "\(reading)")
    #expect(reading.fields[.contentType] == "text/plain")
    #expect(reading.keepAlive == false)
  }

  @Test func foldedLinesGoOnBehindOneSpace() {
    let reading = Reading("HTTP/1.1 200 OK\r\nX-Long: one\r\n  two\r\n\t three \r\nContent-Length: 2\r\n\r\nok")
    #expect(reading.fields[HTTPField.Name("X-Long")!] == "one two three" && reading.text == "ok")
    #expect(reading.keepAlive == true)
  }

  @Test(arguments: ["Content-Length: 5\r\nContent-Length: 5", "Content-Length: 5, 5", "Content-Length: 5"])
  func lengthsThatAgreeAreOne(_ fields: String) {
    let reading = Reading("HTTP/1.1 200 OK\r\n\(fields)\r\n\r\nhello")
    #expect(reading.fields[values: .contentLength] == ["5"] && reading.text == "hello" && reading.isEnded)
  }

  @Test(arguments: [
    ("Content-Length: 5\r\nContent-Length: 6", "its Content-Length is not one number"),
    ("Content-Length: -1", "its Content-Length is not one number"),
    ("Content-Length: ", "its Content-Length is not one number"),
    ("Content-Length: 5\r\nTransfer-Encoding: chunked", "it has both Content-Length and Transfer-Encoding"),
    ("Transfer-Encoding: gzip, chunked", "its Transfer-Encoding is not chunked alone"),
    ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "its Transfer-Encoding is not chunked alone"),
    ("X: a\u{0}b", "the header field X holds NUL or CR"),
    ("X: a\rb", "the header field X holds NUL or CR"),
    ("no colon", "a line of the head has no colon"),
    (": empty", "a header field has no name that is a token"),
    ("a b: c", "a header field has no name that is a token"),
    (" folded: first", "a header field has no name that is a token"),
  ])
  func whatCannotBePassedOnHasItsSentence(_ fields: String, _ message: String) {
    #expect(Reading("HTTP/1.1 200 OK\r\n\(fields)\r\n\r\n5\r\nhello\r\n0\r\n\r\n").error == message)
  }

  @Test(
    arguments: [
      ("SSH-2.0-OpenSSH_9.2\r\n", "it does not speak HTTP/1"), ("S", "it does not speak HTTP/1"),
      ("HTT", nil), ("ic", nil), ("\r\nhttp/", nil), ("* OK IMAP ready", "it does not speak HTTP/1"),
      ("SSH-2.0-x\r\n\r\n", "it does not speak HTTP/1"),
      ("HTTP/2.0 200 OK\r\n\r\n", "it does not speak HTTP/1"),
      ("HTTP/1.1 20 OK\r\n\r\n", "its answer has no status of three digits"),
      ("HTTP/1.1 2000 OK\r\n\r\n", "its answer has no status of three digits"),
      ("HTTP/1.1 099 OK\r\n\r\n", "its answer has no status of three digits"),
      ("HTTP/1.1 101 Switching Protocols\r\n\r\n", "it changed the protocol, which nobody asked for"),
    ] as [(String, String?)])
  func firstLinesThatAreNone(_ response: String, _ message: String?) {
    #expect(Reading(response).error == message)
  }

  @Test func bytesThatAreNotUTF8StayAndControlsAreBlanks() throws {
    let bytes =
      Array("HTTP/1.1 200 OK\r\nX: Stra".utf8) + [0xDF]
      + Array("e\r\nY: a\u{1}b\u{7F}c\r\nContent-Length: 2\r\n\r\nok".utf8)
    let reading = Reading(bytes)
    #expect(reading.text == "ok")
    let value = try #require(reading.fields.first).withUnsafeBytesOfValue { Array($0) }
    #expect(value == Array("Stra".utf8) + [0xDF] + Array("e".utf8))
    #expect(reading.fields[HTTPField.Name("Y")!] == "a b c")
  }

  @Test(arguments: [
    "5\r\nhello\r\n0\r\n\r\n", "5;a=b\r\nhello\r\n0\r\n\r\n", "2\r\nhe\r\n03\r\nllo\r\n000\r\nTrailer: x\r\n\r\n",
    "5  \r\nhello\r\n0\r\n\r\n", "5\nhello\n0\n\n",
  ])
  func chunksAreJoined(_ chunks: String) {
    let reading = Reading("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\(chunks)")
    #expect(reading.text == "hello" && reading.isEnded && reading.keepAlive == true, "\(reading)")
  }

  @Test(arguments: [
    "zz\r\nhello", "-5\r\nhello", "0x5\r\nhello", "\r\nhello", "5\r\nhello!\r\n", "10000000000000000\r\n",
  ])
  func badChunksAreRefused(_ chunks: String) {
    let reading = Reading("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\(chunks)")
    #expect(reading.error?.contains("chunk") == true && !reading.isEnded, "\(reading)")
  }

  @Test(arguments: [
    ("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", HTTPRequest.Method.get),
    ("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", .get),
    ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", .head),
    ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", .head),
    ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", .get),
  ])
  func someHaveNoBody(_ response: String, _ method: HTTPRequest.Method) {
    let reading = Reading(response, answering: method)
    #expect(reading.isEnded && reading.body.isEmpty && reading.error == nil && reading.keepAlive == true, "\(reading)")
    #expect(reading.fields.contains(.contentLength) == (!response.contains("204") && response.contains("Length")))
  }

  @Test(arguments: [
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n", "HTTP/1.1 200",
  ])
  func aCutBodyHasNotEnded(_ response: String) {
    #expect(!Reading(response).isEnded)
  }

  /// Over the same connection the next caller would be signed in.
  @Test(arguments: [
    ("NTLM", false), ("Negotiate", false), ("negotiate YII=", false), ("NTLM, Basic realm=\"x\"", false),
    ("Basic realm=\"x\", NTLM", false),
    ("Basic realm=\"NTLM\"", true), ("Digest realm=\"x\"", true),
  ])
  func aConnectionThatSignsInIsNotUsedAgain(_ challenge: String, _ keepAlive: Bool) {
    let reading = Reading("HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: \(challenge)\r\nContent-Length: 0\r\n\r\n")
    #expect(reading.keepAlive == keepAlive && reading.isEnded)
  }

  @Test func whatNobodyAskedForIsRefused() {
    #expect(
      Reading("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\n").error
        == "it sent what nobody asked for")
  }

  @Test(arguments: [
    ("X: \(String(repeating: "a", count: 70_000))", "field"), (String(repeating: "A: b\r\n", count: 300), "fields"),
    (String(repeating: "A: \(String(repeating: "b", count: 60_000))\r\n", count: 3), "head has more"),
  ])
  func headsHaveLimits(_ fields: String, _ word: String) {
    let reading = Reading([ByteBuffer(string: "HTTP/1.1 200 OK\r\n\(fields)\r\n\r\n")])
    #expect(reading.error?.contains(word) == true, "\(reading.error ?? "none")")
    // Told before the end of what is too long has come.
    #expect(Reading([ByteBuffer(string: String(repeating: "a", count: 70_000))]).error?.contains("first line") == true)
  }
}
