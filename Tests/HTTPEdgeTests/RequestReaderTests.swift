import HTTPTypes
import NIOCore
import Testing

@testable import HTTPEdge

@Suite struct RequestReaderTests {
  private struct Reading: Equatable {
    var lines: [String] = []
    var bodies: [String] = []
    var error: HTTPMessageError?

    init(_ parts: [ByteBuffer]) {
      var reader = RequestReader(limits: HTTPHeadLimits())
      do throws(HTTPMessageError) {
        for part in parts {
          reader.received(part)
          while let part = try reader.next() {
            switch part {
            case .head(let head):
              let request = head.request
              lines.append(
                "\(request.method) \(request.path ?? "-") \(request.authority ?? "-") \(head.traits.keepsAlive)")
              bodies.append("")
            case .body(let bytes): bodies[bodies.count - 1] += String(buffer: bytes)
            case .end: bodies[bodies.count - 1] += "|"
            }
          }
        }
      } catch {
        self.error = error
      }
    }

    init(_ text: String) {
      self.init([ByteBuffer(string: text)])
      let single = Reading(text.utf8.map { ByteBuffer(bytes: [$0]) })
      #expect(single == self)
    }
  }

  @Test(arguments: [
    ("FOO /dump HTTP/1.1\r\nHost: h\r\n\r\n", "FOO /dump h true"),
    ("M-SEARCH * HTTP/1.1\r\nHost: h\r\n\r\n", "M-SEARCH * h true"),
    ("GET //api/v1/info HTTP/1.1\r\nHost: h:1\r\n\r\n", "GET //api/v1/info h:1 true"),
    ("\r\n\r\nGET / HTTP/1.1\nHost: h\n\n", "GET / h true"),
    ("GET / HTTP/1.0\r\n\r\n", "GET / - false"),
    ("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", "GET / - true"),
    ("GET / HTTP/1.1\r\nHost: h\r\nConnection: x, Close\r\n\r\n", "GET / h false"),
    ("CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n", "CONNECT a:1 a:1 false"),
  ])
  func anyTokenIsAMethodAndTargetsStay(_ request: String, _ line: String) {
    let reading = Reading(request)
    #expect(reading.lines == [line] && reading.bodies == ["|"] && reading.error == nil, "\(reading)")
  }

  @Test func requestsFollowEachOther() {
    let reading = Reading(
      "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabcPUT /b HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: Chunked\r\n\r\n"
        + "3;x\r\nabc\r\n0\r\nT: u\r\n\r\nGET /c HTTP/1.1\r\nHost: h\r\n\r\n")
    #expect(reading.lines == ["POST /a h true", "PUT /b h true", "GET /c h true"])
    #expect(reading.bodies == ["abc|", "abc|", "|"])
  }

  /// A body whose every read ends inside of a line, whose parts are all in use: nothing that was read is kept, or copied again.
  @Test(.timeLimit(.minutes(1))) func readsThatEndInsideOfALineCostNoMoreThanOthers() throws {
    var reader = RequestReader(limits: HTTPHeadLimits())
    reader.received(ByteBuffer(string: "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n40"))
    _ = try #require(try reader.next())
    let read = ByteBuffer(string: "\r\n\(String(repeating: "a", count: 64))\r\n40")
    var parts: [ByteBuffer] = []
    for _ in 0..<40_000 {
      if try reader.next() != nil { Issue.record("a line that has not come whole is read") }
      reader.received(read)
      if case .body(let part)? = try reader.next() { parts.append(part) }
    }
    #expect(parts.count == 40_000)
    #expect(parts.allSatisfy { $0.readableBytes == 64 && $0.storageCapacity <= 512 })
  }

  /// What another server might take for something else (RFC 9112 §11.2).
  @Test(arguments: [
    "\u{16}\u{3}\u{1}", " GET / HTTP/1.1\r\nHost: h\r\n\r\n",
    "GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "what is this\r\n\r\n",
    "GET  / HTTP/1.1\r\nHost: h\r\n\r\n", "GET / HTTP/1.1 \r\nHost: h\r\n\r\n", "GET / HTTP/2.0\r\nHost: h\r\n\r\n",
    "G\u{0}T / HTTP/1.1\r\nHost: h\r\n\r\n", "GET /\u{7F} HTTP/1.1\r\nHost: h\r\n\r\n",
    "GET /\r HTTP/1.1\r\nHost: h\r\n\r\n",
    "GET / HTTP/1.1\r\nHost : h\r\n\r\n", "GET / HTTP/1.1\r\nHost: h\r\n folded\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: h\r\nX: a\u{1}\r\n\r\n", "GET / HTTP/1.1\r\nHost: h\r\nX: a\u{0}\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: h\r\nX: a\rY: b\r\n\r\n", "GET / HTTP/1.1\r\nHost: h\r\nnothing\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5,6\r\n\r\nhello",
    "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: +5\r\n\r\nhello",
    "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "POST / HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5 \r\nhello\r\n0\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloX\r\n0\r\n\r\n",
  ])
  func whatIsAmbiguousIsRefused(_ request: String) {
    let reading = Reading(request)
    #expect(reading.error?.code == .malformed && !reading.bodies.contains { $0.hasSuffix("|") }, "\(reading)")
  }

  @Test func limitsHaveTheirStatus() {
    let long = String(repeating: "a", count: 70_000)
    #expect(Reading([ByteBuffer(string: "GET /\(long)")]).error?.code == .targetTooLong)
    #expect(Reading([ByteBuffer(string: "GET / HTTP/1.1\r\nX: \(long)")]).error?.code == .headTooLarge)
  }
}
