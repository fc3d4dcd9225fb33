import Codecs
import HTTPTypes
import NIOCore

@testable import HTTPEdge

extension FuzzTarget {
  /// HTTP/1.1 as it is read: any split gives the same, no message is framed in two ways, and what was read is written so that it is
  /// read as the same. What is answered with a response that was read is one message, and as long as it says.
  static let http = FuzzTarget("http", longest: 4096) { bytes in
    var draw = Draw(bytes)
    let limits = [HTTPHeadLimits(), .small].randomElement(using: &draw)!
    let whole = [ByteBuffer(bytes: bytes)]
    let requests = Messages(requests: whole, limits)
    requireEqual(Messages(requests: draw.parts(of: bytes), limits), requests, "Another split gives other requests")
    for request in requests.requests { check(request) }
    let method = [HTTPRequest.Method.get, .head].randomElement(using: &draw)!
    for upgrading in [false, true] {
      // Which of several faults is met first does not matter here: 502 says the same of each.
      let responses = Messages(responses: whole, to: method, upgrading, limits)
      requireEqual(
        Messages(responses: draw.parts(of: bytes), to: method, upgrading, limits), responses,
        "Another split gives other responses")
      for response in responses.responses { check(response, to: method, upgrading) }
    }
  }

  private static func check(_ request: HTTPRequest) {
    checkFraming(request.headerFields)
    // Of HTTP/1.0, which is written as 1.1, and would lack what that needs.
    guard request.authority != nil else { return }
    var written = ByteBuffer()
    written.write(request)
    let again = Messages(requests: [written], .generous)
    guard case .request(let read)? = again.parts.first, again.error == nil else {
      fatalError("What was read cannot be read again: \(String(buffer: written))")
    }
    requireEqual(withoutCookies(read), withoutCookies(request), "A request is written as another one")
  }

  /// They become one field.
  private static func withoutCookies(_ request: HTTPRequest) -> HTTPRequest {
    var request = request
    request.headerFields[.cookie] = nil
    return request
  }

  private static func check(_ response: HTTPResponse, to method: HTTPRequest.Method, _ upgrading: Bool) {
    checkFraming(response.headerFields)
    var written = ByteBuffer()
    written.write(response)
    let again = Messages(responses: [written], to: method, upgrading, .generous)
    requireEqual(again.responses.first, response, "A response is written as another one: \(String(buffer: written))")
    for isHTTP10 in [false, true] { answer(response, to: method, upgrading, isHTTP10) }
  }

  /// Passes the response on with a body, as a server does.
  private static func answer(
    _ response: HTTPResponse, to method: HTTPRequest.Method, _ upgrading: Bool, _ isHTTP10: Bool
  ) {
    var machine = ServerMachine(
      idleTime: .seconds(1), headTime: .seconds(1), halfClosedTime: .seconds(1), now: .uptimeNanoseconds(0))
    _ = machine.received(
      .init(isHead: method == .head, isHTTP10: isHTTP10, keepsAlive: !isHTTP10, expects: false, upgrades: upgrading))
    guard case .write(let head) = machine.writing(response) else { return }
    checkFraming(head.headerFields)
    let body = ByteBuffer(string: "hello")
    var written = ByteBuffer()
    written.write(head)
    var isWhole = true
    switch machine.writing(body) {
    case .write(let bytes), .writeLast(let bytes):
      if machine.isChunked { written.writeChunkStart(bytes.readableBytes) }
      written.writeImmutableBuffer(bytes)
      if machine.isChunked { written.writeChunkEnd() }
    case .skip: break
    case .abort: isWhole = false
    }
    if machine.isChunked { written.writeImmutableBuffer(ByteBuffer.lastChunk) }
    if case .abort = machine.writingEnd(now: .uptimeNanoseconds(0)) { isWhole = false }
    let read = Messages(responses: [written], to: method, upgrading, .generous)
    require(read.error == nil, "What a client gets cannot be read: \(String(buffer: written))")
    requireEqual(read.responses.count, 1, "A client gets \(read.responses.count) responses: \(String(buffer: written))")
    if isWhole { require(read.isOver, "What a client gets does not end: \(String(buffer: written))") }
  }

  /// RFC 9112 §6.3: whoever is behind us must see the end of the body where we do.
  private static func checkFraming(_ fields: HTTPFields) {
    let lengths = fields.filter { $0.name == .contentLength }.map(\.value)
    require(lengths.count <= 1, "\(lengths.count) lengths")
    require(lengths.allSatisfy { !$0.isEmpty && $0.utf8.allSatisfy(\.isASCIIDigit) }, "Length \(lengths)")
    require(lengths.isEmpty || !fields.contains(.transferEncoding), "A body is framed in two ways")
  }
}

extension HTTPHeadLimits {
  /// Met by short inputs.
  fileprivate static let small = limits(64, 256, 4)
  /// What was read within limits may be longer when it is written.
  fileprivate static let generous = limits(1 << 20, 1 << 20, 1 << 12)

  private static func limits(_ field: Int, _ fields: Int, _ count: Int) -> HTTPHeadLimits {
    var limits = HTTPHeadLimits()
    (limits.fieldSize, limits.fieldsSize, limits.fieldCount) = (field, fields, count)
    return limits
  }
}

/// What a reader made of some input, bodies in one part.
private struct Messages: Equatable {
  enum Part: Equatable {
    case request(HTTPRequest)
    case response(HTTPResponse, keepAlive: Bool)
    case body([UInt8])
    case end
  }

  private(set) var parts: [Part] = []
  /// For responses: `malformed`, whatever it was.
  private(set) var error: HTTPMessageError.Code?
  /// All that was begun has ended, or does so with the connection.
  private(set) var isOver = false

  var requests: [HTTPRequest] { parts.compactMap { if case .request(let head) = $0 { head } else { nil } } }
  var responses: [HTTPResponse] { parts.compactMap { if case .response(let head, _) = $0 { head } else { nil } } }

  init(requests bytes: [ByteBuffer], _ limits: HTTPHeadLimits) {
    var reader = RequestReader(limits: limits)
    read(bytes) { bytes throws(HTTPMessageError) in
      if let bytes { reader.received(bytes) }
      return try reader.next().map {
        switch $0 {
        case .head(let head): .request(head.request)
        case .body(let bytes): .body(Array(bytes.readableBytesView))
        case .end: .end
        }
      }
    }
    isOver = error == nil && (reader.receivedEnd() || !reader.isInside)
  }

  /// - Parameter method: of each request that was asked.
  init(responses bytes: [ByteBuffer], to method: HTTPRequest.Method, _ upgrading: Bool, _ limits: HTTPHeadLimits) {
    var reader = ResponseReader(limits: limits)
    reader.expect(answering: method, upgrading: upgrading)
    var isBetween = false
    read(bytes) { bytes throws(HTTPMessageError) in
      if let bytes { reader.received(bytes) }
      return try reader.next().map {
        switch $0 {
        case .head(let head, let keepAlive):
          isBetween = false
          return .response(head, keepAlive: keepAlive)
        case .body(let bytes): return .body(Array(bytes.readableBytesView))
        case .end:
          isBetween = true
          reader.expect(answering: method, upgrading: upgrading)
          return .end
        }
      }
    }
    isOver = error == nil && (reader.receivedEnd() || isBetween)
    if error != nil { error = .malformed }
  }

  private mutating func read(
    _ bytes: [ByteBuffer], _ next: (ByteBuffer?) throws(HTTPMessageError) -> Part?
  ) {
    do {
      for bytes in bytes {
        var part = try next(bytes)
        while let found = part {
          append(found)
          part = try next(nil)
        }
      }
    } catch {
      self.error = error.code
    }
  }

  private mutating func append(_ part: Part) {
    if case .body(let more) = part, case .body(let bytes)? = parts.last {
      parts[parts.count - 1] = .body(bytes + more)
    } else {
      parts.append(part)
    }
  }
}
