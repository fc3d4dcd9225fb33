import Codecs
import Bytestreams
import HTTPTypes
package import HTTPX
import NIOCore
import XML
import XMPP

/// Requests of ours to the peer (XEP-0332 §4).
extension PeerStream {
  private struct Exchange: Sendable {
    let id: String
    let response: EventLoopFuture<HTTPXResponse>
    /// The request's body, where it goes beside the stanza.
    let upload: (TransferID, Body)?
  }

  /// Sends a request, and hands the response to `receive`, which has to take the body before it returns.
  ///
  /// When this returns or throws, nothing of the exchange is left behind, here or, after one round trip, at the peer.
  ///
  /// - Throws: `StreamFailure` where no response came, or its body broke off; what `receive` throws.
  nonisolated package func send(
    _ request: HTTPXRequest, receive: (HTTPXResponse) async throws -> Void
  ) async throws {
    guard let info = try await info() else {
      throw StreamFailure.notHTTP("it answers no queries, as chat programs do.")
    }
    guard info.features.contains(Namespace.http) else {
      throw StreamFailure.notHTTP("it does not offer HTTP over XMPP.")
    }
    let whole = try await request.body.whole(upTo: HTTPXLimits.inlineBytes)
    let exchange = try await begin(request, whole)
    guard let (transfer, body) = exchange.upload else { return try await finish(exchange, receive) }
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        // Why an upload stops is for the peer to say: its response may come all the same.
        try? await self.pump(body, transfer)
        await self.limit(exchange.id)
      }
      try await finish(exchange, receive)
      group.cancelAll()
    }
  }

  nonisolated private func finish(
    _ exchange: Exchange, _ receive: (HTTPXResponse) async throws -> Void
  ) async throws {
    let response: HTTPXResponse
    do {
      response = try await wait(exchange.id, exchange.response)
    } catch {
      await ended()
      throw error
    }
    await ended()
    try await receive(response)
  }

  private func ended() {
    requesting -= 1
    touch()
  }

  /// The time for the response begins when the body has been sent.
  private func limit(_ id: String) {
    queries.limit(id, to: eventLoop.now + Timeouts.response)
    rescheduleTimer()
  }

  private func begin(_ request: HTTPXRequest, _ whole: ByteBuffer?) throws -> Exchange {
    var stanza = RequestStanza(request.head)
    let receiver = BodyReceiver.responder(stanzaLimit: features?.limits?.maxBytes, isHearth: isHearth)
    let contentType = request.head.headerFields[.contentType]
    let plan = BodyPlan.choose(whole, contentType: contentType, head: stanza.element, for: receiver)
    guard let route = BodyRoute(plan) else {
      throw StreamFailure.malformed("the request is too large for it.")
    }
    stanza.data = route.data
    let promise = eventLoop.makePromise(of: HTTPXResponse.self)
    requesting += 1
    let id = ask(
      "set", stanza.element, .response(promise, request.head.method),
      within: route.transfer == nil ? Timeouts.response : nil)
    let body = whole.map { Body($0) } ?? request.body
    if let transfer = route.transfer { start(transfer, blockSize: route.blockSize) }
    return Exchange(id: id, response: promise.futureResult, upload: route.transfer.map { ($0, body) })
  }

  /// Reads the response where it arrives, since what belongs to it may be in the same packet.
  func respond(
    _ promise: EventLoopPromise<HTTPXResponse>, _ method: HTTPRequest.Method, _ result: Result<Stanza, StreamFailure>
  ) {
    promise.completeWith(Result { try response(to: method, try result.get()) })
  }

  /// Nobody waits for this any more. Should a body follow, whoever sends it learns that nobody will read it.
  func decline(_ stanza: Stanza) {
    if stanza.type == "result" { _ = try? response(to: .get, stanza) }
  }

  private func response(to method: HTTPRequest.Method, _ stanza: Stanza) throws(StreamFailure) -> HTTPXResponse {
    guard let payload = stanza.payload else { throw .notHTTP("its answer has no HTTP in it.") }
    do {
      guard let stanza = try ResponseStanza(payload) else { throw StreamFailure.notHTTP("its answer is not HTTP.") }
      guard stanza.head.hasBody(answering: method) else { return HTTPXResponse(stanza.head) }
      let length = try stanza.head.headerFields.contentLength()
      return HTTPXResponse(stanza.head, body: try body(stanza.data, length: length))
    } catch let error as HTTPXError {
      throw .malformed(error.message)
    } catch let error as StanzaError {
      throw .malformed(error.text ?? error.condition.rawValue)
    } catch {
      throw error as? StreamFailure ?? .malformed("\(error)")
    }
  }

  /// The body that a stanza has or announces.
  ///
  /// - Throws: `StanzaError` where it is none.
  func body(_ data: BodyData, length: Int?) throws(StanzaError) -> Body {
    if let bytes = data.bytes {
      guard length == nil || length == bytes.readableBytes else {
        throw StanzaError(.badRequest, "The body has \(bytes.readableBytes) bytes, its Content-Length says otherwise.")
      }
      return Body(bytes)
    }
    switch data {
    case .chunks(let streamId): return try expect(TransferID(mechanism: .chunks, name: streamId), length: length)
    case .ibb(let sid): return try expect(TransferID(mechanism: .ibb, name: sid), length: length)
    case .unsupported(let name): throw StanzaError(.featureNotImplemented, "Bodies by “\(name)” are not understood.")
    case .none, .text, .xml, .base64: return .empty
    }
  }
}

/// Where a body goes: into the stanza, or beside it by a name that the stanza announces.
struct BodyRoute {
  let data: BodyData
  let transfer: TransferID?
  /// Bytes in a block or chunk beside the stanza.
  let blockSize: Int

  init?(_ plan: BodyPlan) {
    // Unique in the stream, and not to be guessed by whoever else may write to it.
    let name = String(UInt64.random(in: .min ... .max), radix: 36)
    switch plan {
    case .inline(let data):
      (self.data, transfer, blockSize) = (data, nil, 0)
    case .ibb(let size):
      (data, transfer, blockSize) = (.ibb(sid: name), TransferID(mechanism: .ibb, name: name), size)
    case .chunks(let size):
      (data, transfer, blockSize) = (.chunks(streamId: name), TransferID(mechanism: .chunks, name: name), size)
    case .unsendable: return nil
    }
  }
}

extension HTTPResponse {
  /// RFC 9112 §6.3: these have none, whatever their fields say.
  func hasBody(answering method: HTTPRequest.Method) -> Bool {
    method != .head && status.code != 204 && status.code != 304
  }
}

extension HTTPFields {
  /// RFC 9110 §8.6: one number, or the same several times.
  func contentLength() throws(StanzaError) -> Int? {
    let values = Set(self[values: .contentLength].flatMap { $0.split(separator: ",") }.map { $0.trimmed })
    guard let value = values.first else { return nil }
    guard values.count == 1, value.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let length = Int(value) else {
      throw StanzaError(.badRequest, "Content-Length is not one number.")
    }
    return length
  }
}

extension Substring {
  fileprivate var trimmed: String {
    let space: (Character) -> Bool = { $0 == " " || $0 == "\t" }
    return String(drop(while: space).reversed().drop(while: space).reversed())
  }
}
