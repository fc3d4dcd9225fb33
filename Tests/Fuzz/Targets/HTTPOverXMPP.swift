import HTTPTypes
import HTTPX
import NIOCore
import XML
import XMPP

@testable import HTTPEdge

extension FuzzTarget {
  /// XEP-0332: a message that was read is written so that it is read as the same, in a stanza and on HTTP/1.1, where it is one
  /// message and no more.
  static let httpOverXMPP = FuzzTarget("http-over-xmpp", longest: 8192) { bytes in
    var exchange = ExchangeMachine(limit: 1 << 20)
    for element in elements(bytes) {
      let iq = Stanza(element) ?? .set(id: "1", element)
      guard let payload = iq.payload else { continue }
      if let request = try? RequestStanza(payload) {
        check(request)
        answer(iq, payload, &exchange)
      }
      for upgrading in [false, true] {
        if let response = try? ResponseStanza(payload, upgrading: upgrading) { check(response, upgrading) }
        _ = try? exchange.response(iq, to: .get, upgrading: upgrading)
      }
    }
  }

  // MARK: Requests

  private static func check(_ request: RequestStanza) {
    let again = rewritten(request)
    requireEqual(request.head, again.head, "The head changes when it is written")
    requireEqual(fields(request.head.headerFields), fields(again.head.headerFields), "The fields change")
    checkData(request.data, again.data)
    requireEqual(again, rewritten(again), "What was written once changes when it is written again")

    var message = ByteBuffer()
    message.write(request.head)
    let (line, fields) = head(&message)
    requireEqual(line, "\(request.head.method.rawValue) \(request.head.path ?? "") HTTP/1.1", "Another request line")
    let host = request.head.authority.map { [Field("Host", $0)] } ?? []
    // Several cookies become one field.
    requireEqual(
      fields.filter { !$0.isCookie }, host + Self.fields(request.head.headerFields).filter { !$0.isCookie },
      "HTTP/1.1 has other fields")
  }

  private static func rewritten(_ request: RequestStanza) -> RequestStanza {
    var written = ByteBuffer()
    request.writeStart(into: &written)
    written.write(request.data)
    request.writeEnd(into: &written)
    do {
      guard let again = try RequestStanza(read(written)) else { fatalError("It is no request any more") }
      return again
    } catch {
      fatalError("What was read cannot be read again: \(error): \(String(buffer: written))")
    }
  }

  /// Whatever was asked, it can be answered, and the answer is read as what was answered.
  private static func answer(_ iq: Stanza, _ payload: Element, _ exchange: inout ExchangeMachine) {
    guard let (answerable, received) = try? exchange.received(iq, payload) else { return }
    if let length = received.length, let bytes = received.data.bytes {
      requireEqual(length, bytes.readableBytes, "The body is not as long as its Content-Length says")
    }
    let head = HTTPResponse(status: .ok, headerFields: [.contentType: "text/plain"])
    let body = ByteBuffer(string: "hello")
    if let outgoing = try? exchange.answer(head, body, to: answerable) {
      let result = iq.result(read(outgoing.payload))
      do {
        let back = try exchange.response(result, to: answerable.request.head.method)
        requireEqual(back.head, head, "The answer has another head")
        let isHead = answerable.request.head.method == .head
        requireEqual(back.data.bytes, isHead ? ByteBuffer() : body, "The answer has another body")
      } catch {
        fatalError("Our own answer cannot be read: \(error)")
      }
    }
    exchange.answered()
  }

  // MARK: Responses

  private static func check(_ response: ResponseStanza, _ upgrading: Bool) {
    let again = rewritten(response, upgrading)
    requireEqual(response.head, again.head, "The head changes when it is written")
    requireEqual(fields(response.head.headerFields), fields(again.head.headerFields), "The fields change")
    checkData(response.data, again.data)

    var message = ByteBuffer()
    message.write(response.head)
    let (line, fields) = head(&message)
    let status = response.head.status
    requireEqual(line, "HTTP/1.1 \(status.code) \(status.reasonPhrase)", "Another status line")
    requireEqual(fields, Self.fields(response.head.headerFields), "HTTP/1.1 has other fields")
  }

  private static func rewritten(_ response: ResponseStanza, _ upgrading: Bool) -> ResponseStanza {
    var written = ByteBuffer()
    response.writeStart(into: &written)
    written.write(response.data)
    response.writeEnd(into: &written)
    do {
      guard let again = try ResponseStanza(read(written), upgrading: upgrading) else {
        fatalError("It is no response any more")
      }
      return again
    } catch {
      fatalError("What was read cannot be read again: \(error): \(String(buffer: written))")
    }
  }

  // MARK: Both

  private static func checkData(_ data: BodyData, _ again: BodyData) {
    if case .unsupported = data { return }
    requireEqual(data, again, "The body changes when it is written")
  }

  /// The head that these bytes are, and all of them.
  private static func head(_ message: inout ByteBuffer) -> (line: String, fields: [Field]) {
    var limits = HTTPHeadLimits()
    (limits.fieldSize, limits.fieldsSize, limits.fieldCount) = (1 << 24, 1 << 24, 1 << 16)
    var reader = HeadReader(isLenient: false, limits: limits)
    let text = String(buffer: message)
    do {
      guard let head = try reader.next(&message) else { fatalError("On HTTP/1.1 its head does not end: \(text)") }
      require(message.readableBytes == 0, "On HTTP/1.1 something is behind its head: \(text)")
      return (String(buffer: head.line), head.hosts.map { Field("Host", $0) } + fields(head.fields))
    } catch {
      fatalError("HTTP/1.1 does not carry what was read: \(error): \(text)")
    }
  }

  private static func fields(_ fields: HTTPFields) -> [Field] {
    fields.map { Field($0.name.rawName, $0.withUnsafeBytesOfValue(Array.init)) }
  }
}

private struct Field: Equatable {
  let name: String
  let value: [UInt8]

  init(_ name: String, _ value: [UInt8]) { (self.name, self.value) = (name, value) }
  init(_ name: String, _ value: String) { self.init(name, Array(value.utf8)) }

  var isCookie: Bool { name.lowercased() == "cookie" }
}
