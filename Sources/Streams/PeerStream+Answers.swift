import Codecs
import Bytestreams
import HTTPTypes
import HTTPX
import Logging
import NIOCore
import XML
import XMPP

/// A request of the peer that waits for `run()`, or is being answered by it.
struct ReceivedRequest: Sendable {
  /// The IQ to answer.
  let iq: Stanza
  let stanza: RequestStanza
  let incoming: IncomingRequest
}

/// Requests of the peer to us (XEP-0332 §4).
extension PeerStream {
  /// The answer where there is one already: a refusal.
  func receivedHTTP(_ iq: Stanza, _ payload: Element) -> Stanza? {
    guard let identity else { return iq.error(StanzaError(.unexpectedRequest)) }
    do throws(StanzaError) {
      guard let stanza = try RequestStanza(payload) else { return iq.error(StanzaError(.badRequest)) }
      guard answering < Limits.requests else {
        throw StanzaError(.resourceConstraint, "Too many requests are under way on this stream.")
      }
      let length = try stanza.head.headerFields.contentLength()
      // One without a body may still say how long it would be (RFC 9110 §9.3.2).
      let body = try body(stanza.data, length: stanza.data == .none ? nil : length)
      let request = IncomingRequest(
        request: HTTPXRequest(stanza.head, body: body), device: iq.to ?? host.node(), peer: identity)
      answering += 1
      enqueue(ReceivedRequest(iq: iq, stanza: stanza, incoming: request))
      rescheduleTimer()
      return nil
    } catch {
      return iq.error(error)
    }
  }

  nonisolated func answer(_ request: ReceivedRequest) async {
    var isAnswered = false
    do {
      try await host.answer(request.incoming) { response in
        let body = request.stanza.head.method == .head ? .empty : response.body
        let whole = try await body.whole(upTo: HTTPXLimits.inlineBytes)
        let transfer = try await begin(response.head, whole, request)
        isAnswered = true
        if let transfer { try await pump(whole.map { Body($0) } ?? body, transfer) }
      }
      if !isAnswered { await refuse(request, StanzaError(.internalServerError)) }
    } catch let error as StanzaError where !isAnswered {
      await refuse(request, error)
    } catch  where !isAnswered {
      logger.debug("no answer", metadata: ["device": "\(request.incoming.device)", "error": "\(error)"])
      await refuse(request, StanzaError(.internalServerError, "The service failed."))
    } catch {
      // The body broke off, and the peer was told.
      logger.debug("answer broke off", metadata: ["device": "\(request.incoming.device)", "error": "\(error)"])
    }
    await answered()
  }

  private func answered() {
    answering -= 1
    touch()
    rescheduleTimer()
  }

  private func refuse(_ request: ReceivedRequest, _ error: StanzaError) {
    handler.send(request.iq.error(error))
  }

  /// Sends the head, with the body where it fits in; else names the transfer that the body has to go by.
  private func begin(_ head: HTTPResponse, _ whole: ByteBuffer?, _ request: ReceivedRequest) throws -> TransferID? {
    guard (200...999).contains(head.status.code) else {
      throw StanzaError(.internalServerError, "The service gave no final status.")
    }
    var stanza = ResponseStanza(head, dialect: request.stanza.dialect)
    let receiver = BodyReceiver.requester(
      request.stanza, stanzaLimit: features?.limits?.maxBytes, isHearth: isHearth)
    let body = head.hasBody(answering: request.stanza.head.method) ? whole : ByteBuffer()
    let plan = BodyPlan.choose(
      body, contentType: head.headerFields[.contentType], head: stanza.element, for: receiver)
    guard let route = BodyRoute(plan) else {
      throw StanzaError(.resourceConstraint, "The response is larger than what you take.")
    }
    stanza.data = route.data
    guard handler.send(request.iq.result(stanza.element)) else { throw failure ?? .closed("it is closing.") }
    touch()
    if let transfer = route.transfer { start(transfer, blockSize: route.blockSize) }
    return route.transfer
  }
}
