import Codecs
import HTTPTypes
import NIOCore

/// The bytes of one connection to an upstream → responses, in parts, one for each request that it is told of.
struct ResponseReader {
  enum Part {
    /// `keepAlive`: the connection may carry another request after this. Of its fields those that concern the connection are
    /// gone (`HopByHop`), and so is `Host`, which has nothing to say in a response.
    case head(HTTPResponse, keepAlive: Bool)
    case body(ByteBuffer)
    case end
  }

  private enum State {
    /// Nothing was asked for.
    case idle
    case head(answering: HTTPRequest.Method, upgrading: Bool)
    case body(BodyReader)
  }

  private var state = State.idle
  private var head: HeadReader
  private var input = ByteBuffer()

  init(limits: HTTPHeadLimits) {
    head = HeadReader(isLenient: true, limits: limits)
  }

  /// A request is sent: whether its response can have a body depends on the method (RFC 9112 §6.3).
  /// - Parameter upgrading: the request asks for a WebSocket: what follows 101 goes on to the end of the connection.
  mutating func expect(answering method: HTTPRequest.Method, upgrading: Bool = false) {
    state = .head(answering: method, upgrading: upgrading)
  }

  mutating func received(_ bytes: ByteBuffer) {
    input.append(unread: bytes)
  }

  /// The next part of what has come; nil where more has to come first. After an error nothing can be read any more.
  mutating func next() throws(HTTPMessageError) -> Part? {
    switch state {
    case .idle:
      guard input.readableBytes == 0 else { throw .malformed("it sent what nobody asked for") }
      return nil
    case .body(var body):
      let part = try body.next(&input)
      state = .body(body)
      switch part {
      case .bytes(let bytes)?: return .body(bytes)
      case .end?:
        state = .idle
        return .end
      case nil: return nil
      }
    case .head(let method, let upgrading):
      while var lines = try head.next(&input) {
        if let part = try response(&lines, answering: method, upgrading: upgrading) { return part }
      }
      try checkStart()
      return nil
    }
  }

  /// Of a head that has not come whole, since a whole one is read anyway. A program of another protocol that speaks first, and then waits, would be waited for: what cannot become a status line is
  /// none, however little of it there is.
  private func checkStart() throws(HTTPMessageError) {
    let start = input.readableBytesView.drop { $0 == .cr || $0 == .lf }.prefix(5).map(\.asciiLowercased)
    guard Array("http/".utf8).starts(with: start) || Array("icy ".utf8).starts(with: start.prefix(4)) else {
      throw .malformed("it does not speak HTTP/1")
    }
  }

  /// The connection has ended; true where the last response has ended with it.
  mutating func receivedEnd() -> Bool {
    guard case .body(let body) = state, body.mayEnd else { return false }
    state = .idle
    return true
  }

  /// Nil for one that another follows, of no use to anybody behind a tunnel (RFC 9110 §15.2).
  private mutating func response(
    _ lines: inout HeadReader.Head, answering method: HTTPRequest.Method, upgrading: Bool
  ) throws(HTTPMessageError) -> Part? {
    let line = try lines.line.reading { bytes throws(HTTPMessageError) in try StatusLine(bytes) }
    if line.status.kind == .informational {
      guard line.status == .switchingProtocols else { return nil }
      guard upgrading else { throw .malformed("it changed the protocol, which nobody asked for") }
      state = .body(BodyReader(.untilClose, isLenient: true))
      lines.fields.removeAll { $0.name == .contentLength || $0.name == .transferEncoding }
      var head = HTTPResponse(status: line.status, headerFields: lines.fields)
      HopByHop.strip(&head)
      return .head(head, keepAlive: false)
    }
    var framing = try BodyReader.Framing.told(by: &lines.fields) ?? .untilClose
    if line.status == .noContent { lines.fields[.contentLength] = nil }
    var keepAlive = line.version.keepsAlive(lines.fields) && !lines.fields.signsConnectionIn
    // Here nobody else has them, so that they need not be copied.
    HopByHop.strip(&lines.fields)
    let head = HTTPResponse(status: line.status, headerFields: lines.fields)
    if !head.hasBody(answering: method) { framing = .none }
    if framing == .untilClose { keepAlive = false }
    state = .body(BodyReader(framing, isLenient: true))
    return .head(head, keepAlive: keepAlive)
  }
}

extension HTTPFields {
  /// By NTLM and Negotiate it is the connection that signs in, not each request (RFC 4559 §6): whoever asked over it next
  /// would be taken for the first.
  fileprivate var signsConnectionIn: Bool {
    has(.wwwAuthenticate)
      && self[values: .wwwAuthenticate].contains { value in
        value.split(separator: ",").contains { item in
          ["ntlm", "negotiate"].contains(String(item.trimmingSpace.prefix { $0 != " " }).asciiLowercased)
        }
      }
  }
}

/// RFC 9112 §4. The reason may be left out together with the space before it; `ICY` is HTTP/1.0 of internet radios.
private struct StatusLine {
  let version: HTTPVersion1
  let status: HTTPResponse.Status

  init(_ line: UnsafeRawBufferPointer) throws(HTTPMessageError) {
    let first = UnsafeRawBufferPointer(rebasing: line[..<(line.firstIndex(of: 0x20, from: 0) ?? line.count)])
    guard let version = first.equals(lowercased: "icy") ? HTTPVersion1(minor: 0) : HTTPVersion1(first) else {
      throw .malformed("it does not speak HTTP/1")
    }
    let rest = UnsafeRawBufferPointer(rebasing: line[first.count...]).trimmed
    let digits = rest.prefix(3)
    guard rest.count >= 3, rest.count == 3 || rest[3] == 0x20, digits.allSatisfy(\.isASCIIDigit),
      rest[0] > UInt8(ascii: "0")
    else {
      throw .malformed("its answer has no status of three digits")
    }
    self.version = version
    let code = digits.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
    let reason = UnsafeRawBufferPointer(rebasing: rest[3...]).trimmed
    status = HTTPResponse.Status(code: code, said: reason.text)
  }
}
