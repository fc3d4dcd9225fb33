import Codecs
import HTTPTypes
import NIOCore

/// The bytes of one connection from a client → requests, in parts.
struct RequestReader {
  enum Part {
    case head(ReceivedHead)
    case body(ByteBuffer)
    case end
  }

  private var head: HeadReader
  private var body: BodyReader?
  private var input = ByteBuffer()

  init(limits: HTTPHeadLimits) {
    head = HeadReader(isLenient: false, limits: limits)
  }

  mutating func received(_ bytes: ByteBuffer) {
    input.append(unread: bytes)
  }

  /// A request has begun, and has not ended.
  var isInside: Bool { body != nil || input.readableBytes > 0 }

  /// The connection has ended; true where the request in hand has ended with it, as what follows an upgrade does.
  mutating func receivedEnd() -> Bool {
    guard body?.mayEnd ?? false else { return false }
    body = nil
    return true
  }

  /// The next part of what has come; nil where more has to come first. After an error nothing can be read any more.
  mutating func next() throws(HTTPMessageError) -> Part? {
    if body != nil {
      switch try body?.next(&input) {
      case .bytes(let bytes)?: return .body(bytes)
      case .end?:
        body = nil
        return .end
      case nil: return nil
      }
    }
    guard input.readableBytes > 0, var lines = try head.next(&input) else { return nil }
    let framing = try BodyReader.Framing.told(by: &lines.fields) ?? .none
    let head = try ReceivedHead(lines, framing)
    body = BodyReader(head.traits.upgrades ? .untilClose : framing, isLenient: false)
    return .head(head)
  }
}

/// The head of a request as it came.
struct ReceivedHead {
  let request: HTTPRequest
  let traits: ServerMachine.RequestTraits

  /// Exactly one `Host` is needed (RFC 9112 §3.2; HTTP/1.0 may have none). `Expect: 100-continue` is answered here, and goes
  /// no further, and neither does an `Upgrade` that is not carried out (RFC 9110 §7.8): all but that of a GET without a body
  /// to a WebSocket, behind which all that comes is of the other protocol, if it is agreed.
  init(_ lines: HeadReader.Head, _ framing: BodyReader.Framing) throws(HTTPMessageError) {
    let line = try lines.line.reading { bytes throws(HTTPMessageError) in try RequestLine(bytes) }
    let (method, version) = (line.method, line.version)
    let isHTTP10 = version.minor == 0
    // Before 1.1 there were no chunks, so that somebody on the way may have taken the body to end elsewhere (RFC 9112 §6.1).
    if framing == .chunked, isHTTP10 { throw .malformed("a request of HTTP/1.0 has chunks") }
    var fields = lines.fields
    let hosts = lines.hosts
    guard hosts.count == 1 || hosts.isEmpty && isHTTP10 else {
      throw .malformed(hosts.isEmpty ? "there is no Host" : "there is more than one Host")
    }
    var expects = false
    if fields.value(of: .expect)?.asciiLowercased == "100-continue" {
      expects = !isHTTP10
      fields[.expect] = nil
    }
    // What follows one that could change the protocol may be of that protocol.
    let mayChangeProtocol = method == .connect || fields.has(.upgrade)
    var request = HTTPRequest(
      method: method, scheme: "http", authority: hosts.first, path: line.target, headerFields: fields)
    let upgrades =
      request.asksForWebSocket && !isHTTP10 && !expects && [.none, .counted(0)].contains(framing)
      && fields.hasConnectionOption("upgrade")
    if mayChangeProtocol { request.headerFields[upgrades ? .contentLength : .upgrade] = nil }
    self.request = request
    traits = ServerMachine.RequestTraits(
      isHead: method == .head, isHTTP10: isHTTP10,
      keepsAlive: version.keepsAlive(fields) && !mayChangeProtocol, expects: expects,
      upgrades: upgrades)
  }
}

/// RFC 9112 §3: three parts, with one space between them.
private struct RequestLine {
  let method: HTTPRequest.Method
  let target: String
  let version: HTTPVersion1

  init(_ line: UnsafeRawBufferPointer) throws(HTTPMessageError) {
    guard let first = line.firstIndex(of: 0x20, from: 0), let second = line.firstIndex(of: 0x20, from: first + 1) else {
      throw .malformed("the first line is not “method target version”")
    }
    guard let method = UnsafeRawBufferPointer(rebasing: line[..<first]).text.flatMap({ HTTPRequest.Method($0) }) else {
      throw .malformed("the method is no token")
    }
    let bytes = UnsafeRawBufferPointer(rebasing: line[(first + 1)..<second])
    var controls: UInt8 = 0
    for byte in bytes { controls |= byte < 0x20 || byte == 0x7F ? 1 : 0 }
    guard !bytes.isEmpty, controls == 0, let target = bytes.text else {
      throw .malformed("the target holds a control character, or is no text")
    }
    guard let version = HTTPVersion1(UnsafeRawBufferPointer(rebasing: line[(second + 1)...])) else {
      throw .malformed("the version is not HTTP/1.1 or 1.0")
    }
    (self.method, self.target, self.version) = (method, target, version)
  }
}

/// HTTP/1.0, 1.1, or a later minor version, which is read as 1.1 (RFC 9112 §2.3).
struct HTTPVersion1 {
  let minor: Int

  init(minor: Int) {
    self.minor = minor
  }

  init?(_ text: UnsafeRawBufferPointer) {
    guard text.count == 8, UnsafeRawBufferPointer(rebasing: text[..<7]).equals(lowercased: "http/1."),
      text[7].isASCIIDigit
    else { return nil }
    minor = Int(text[7] - UInt8(ascii: "0"))
  }

  /// RFC 9112 §9.3.
  func keepsAlive(_ fields: HTTPFields) -> Bool {
    guard fields.has(.connection) else { return minor > 0 }
    return !fields.hasConnectionOption("close") && (minor > 0 || fields.hasConnectionOption("keep-alive"))
  }
}
