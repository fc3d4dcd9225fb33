import Codecs
import HTTPTypes
import NIOCore

/// The bytes of one connection to an upstream → responses, in parts, one for each request that it is told of.
struct ResponseReader {
  enum Part {
    /// `keepAlive`: the connection may carry another request after this.
    case head(HTTPResponse, keepAlive: Bool)
    case body(ByteBuffer)
    case end
  }

  private enum State {
    /// Nothing was asked for.
    case idle
    case head(answering: HTTPRequest.Method)
    case body(BodyReader)
  }

  private var state = State.idle
  private var head: HeadReader
  private var input = ByteBuffer()

  init(limits: HTTPHeadLimits) {
    head = HeadReader(isLenient: true, limits: limits)
  }

  /// A request is sent: whether its response can have a body depends on the method (RFC 9112 §6.3).
  mutating func expect(answering method: HTTPRequest.Method) {
    state = .head(answering: method)
  }

  mutating func received(_ bytes: ByteBuffer) {
    if input.readableBytes == 0 { input = bytes } else { input.writeImmutableBuffer(bytes) }
  }

  /// The next part of what has come; nil where more has to come first. After an error nothing can be read any more.
  mutating func next() throws(HTTPMessageError) -> Part? {
    switch state {
    case .idle:
      guard input.readableBytes == 0 else { throw .malformed("it sent what nobody asked for") }
      return nil
    case .body(var body):
      // Moved out, so that the buffers in it are not copied.
      state = .idle
      switch try body.next(&input) {
      case .bytes(let bytes)?:
        state = .body(body)
        return .body(bytes)
      case .end?: return .end
      case nil:
        state = .body(body)
        return nil
      }
    case .head(let method):
      while let lines = try head.next(&input) {
        if let part = try response(lines, answering: method) { return part }
      }
      return nil
    }
  }

  /// The connection has ended; true where the last response has ended with it.
  mutating func receivedEnd() -> Bool {
    guard case .body(let body) = state, body.mayEnd else { return false }
    state = .idle
    return true
  }

  var isIdle: Bool {
    if case .idle = state { true } else { false }
  }

  /// Nil for one that another follows, of no use to anybody behind a tunnel (RFC 9110 §15.2).
  private mutating func response(
    _ lines: HeadReader.Head, answering method: HTTPRequest.Method
  ) throws(HTTPMessageError) -> Part? {
    let line = try lines.line.withUnsafeReadableBytes { bytes in
      Result { () throws(HTTPMessageError) in try StatusLine(bytes) }
    }.get()
    var fields = lines.fields
    // It has nothing to say in a response.
    if let host = fields.firstIndex(where: { $0.name.canonicalName == "host" }) { fields.remove(at: host) }
    if line.status.kind == .informational {
      guard line.status.code != 101 else { throw .malformed("it changed the protocol, which nobody asked for") }
      return nil
    }
    var framing = try BodyReader.Framing.told(by: &fields) ?? .untilClose
    if line.status == .noContent { fields[.contentLength] = nil }
    let head = HTTPResponse(status: line.status, headerFields: fields)
    if !head.hasBody(answering: method) { framing = .none }
    state = .body(BodyReader(framing, isLenient: true))
    let keepAlive = line.version.keepsAlive(fields) && framing != .untilClose && !fields.signsConnectionIn
    return .head(head, keepAlive: keepAlive)
  }
}

extension HTTPFields {
  /// By NTLM and Negotiate it is the connection that signs in, not each request (RFC 4559 §6): whoever asked over it next
  /// would be taken for the first.
  fileprivate var signsConnectionIn: Bool {
    contains { field in
      field.name == .wwwAuthenticate
        && field.value.split(separator: ",").contains { item in
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
    status = HTTPResponse.Status(code: code, reasonPhrase: String(decoding: reason, as: UTF8.self))
  }
}
