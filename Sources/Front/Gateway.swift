import Codecs
package import HTTPEdge
import HTTPTypes
import HTTPX
package import Logging
package import Mesh
import XMPP

/// One HTTP request of this machine → the device → its answer, streaming both ways.
///
/// Shared by the front and by the control socket, which differ in who asks: a browser, for which the device is an origin
/// of the front's, or a program that knows `httpx` and gets what the device sent.
package struct Gateway: Sendable {
  private let node: Node
  private let responder: any FrontResponder
  /// For how long a device that was here lately and cannot be reached is tried.
  private let patience: Duration
  private let via = Via()
  private let notices = ServerNotices()
  private let logger: Logger

  package init(node: Node, responder: any FrontResponder, patience: Duration = .zero, logger: Logger) {
    self.node = node
    self.responder = responder
    self.patience = patience
    self.logger = logger
  }

  /// Asks `device` for `path`, and writes its answer, or says why there is none.
  ///
  /// Returns when the answer has been written. Throws when the client went away or the answer broke off; the
  /// connection has to be closed then, since only that tells the client that the body is incomplete.
  ///
  /// - Parameter origin: where the browser finds the device; nil for a program that knows `httpx`.
  func forward(
    _ request: Request, to device: JID, path: String, origin: DeviceOrigin?, _ reply: ResponseWriter
  ) async throws {
    let id = RequestID(in: request.headers) ?? RequestID()
    do {
      guard !via.marks(request.headers) else { throw FrontError.loop(device) }
      let route = try node.route(to: device)
      try tell(of: route, request.head, path, origin)
      // As it announces itself, upper and lower case: some peers compare by characters.
      let outgoing = outgoing(request, along: route, path, origin, id)
      try await node.send(outgoing, along: route, patience: patience) { response in
        let response = incoming(response, from: route, origin, id)
        if let page = page(insteadOf: response, to: request.head, of: route, origin) {
          return try await reply.write(page)
        }
        try await reply.write(response.head, response.body)
      }
    } catch  where !reply.isBegun && !(error is CancellationError || error is HTTPMessageError) {
      try await reply.write(refusal(error, of: request.head, to: device, origin, id))
    }
  }

  /// The same for a program's request, whose target is an `httpx` URI in absolute form; 400 for any other.
  package func forward(_ request: Request, _ reply: ResponseWriter) async throws {
    let uri: HTTPXURI
    do throws(HTTPXError) {
      uri = try HTTPXURI(request.head.path ?? "")
    } catch {
      return try await reply.write(
        responder.response(to: request.head, failing: .badRequest(error.message), at: nil))
    }
    try await forward(request, to: uri.jid, path: uri.path, origin: nil, reply)
  }

  /// Throws `overServers` where a person is about to see for the first time what servers read.
  private func tell(of route: Route, _ request: HTTPRequest, _ path: String, _ origin: DeviceOrigin?) throws(FrontError)
  {
    guard let origin, !route.servers.isEmpty, CrossSiteGate.isNavigation(request), !notices.isTold(route.jid) else {
      return
    }
    // A click on the page that tells it: other sites' pages can open that, and not click there.
    if request.headerFields[values: .secFetchSite] == ["same-origin"] { return notices.note(route.jid) }
    throw .overServers(route.jid, servers: route.servers, origin: origin.text, path: path)
  }

  /// What a person sees where the device's node answers in its app's place; nil for what an app has said, and for programs.
  private func page(
    insteadOf response: HTTPXResponse, to request: HTTPRequest, of route: Route, _ origin: DeviceOrigin?
  ) -> Response? {
    guard let origin, response.head.headerFields.has(.proxyStatus),
      [.serverError, .clientError].contains(response.head.status.kind)
    else { return nil }
    return failurePage(response.head, to: request, of: route, origin)
  }

  @inline(never) private func failurePage(
    _ head: HTTPResponse, to request: HTTPRequest, of route: Route, _ origin: DeviceOrigin
  ) -> Response? {
    // The last word is this node's, the one before it the device's node's.
    guard request.method == .get, Representation.preferred(request.headerFields[values: .accept]) == .html,
      let word = head.headerFields.proxyStatus.dropLast().last, let error = word.error,
      word.proxy.lowercased() == route.authority.lowercased()
    else { return nil }
    let reason = FrontError.app(route.jid, status: head.status.code, error: error)
    var page = responder.response(to: request, failing: reason, at: origin.front)
    page.headers[.proxyStatus] = head.headerFields[.proxyStatus]
    page.headers[.retryAfter] = head.headerFields[.retryAfter]
    page.headers[.hearthRequestID] = head.headerFields[.hearthRequestID]
    return page
  }

  @inline(never) private func refusal(
    _ error: any Error, of request: HTTPRequest, to device: JID, _ origin: DeviceOrigin?, _ id: RequestID
  ) -> Response {
    let reason: FrontError
    switch error {
    case let error as FrontError: reason = error
    case let error as MeshError: reason = .device(error)
    // A body that broke off before anything of its head was written, at an app of this very node.
    case let error as HTTPClientError:
      let message = "The answer of “\(device)” broke off: \(error.message)."
      reason = .device(MeshError(.connectionLost, device: device, message: message))
    case let error as BodyError:
      let message = "“\(device)” gave no valid answer: \(error)."
      reason = .device(MeshError(.protocolError, device: device, message: message))
    default:
      logger.error("request failed", metadata: ["id": "\(id.text)", "device": "\(device)", "error": "\(error)"])
      reason = .internalError(device)
    }
    logger.info(
      "request failed", metadata: ["id": "\(id.text)", "error": "\(reason.proxyStatus)", "reason": "\(reason.reason)"])
    var response = responder.response(to: request, failing: reason, at: origin?.front)
    response.head.headerFields[.hearthRequestID] = id.text
    return response
  }

  /// The request as the device gets it: hop-by-hop fields end here (RFC 9110 §7.6.1), and `Expect`, which the server
  /// side of this hop has answered.
  @inline(never) private func outgoing(
    _ request: Request, along route: Route, _ path: String, _ origin: DeviceOrigin?, _ id: RequestID
  ) -> HTTPXRequest {
    var head = request.head
    HopByHop.strip(&head)
    var fields = head.headerFields
    if fields.has(.expect) { fields[.expect] = nil }
    origin?.adaptRequest(&fields)
    via.mark(request: &fields, id)
    // The device knows itself by its address, not by the name that this machine's browsers use.
    head = HTTPRequest(
      method: head.method, scheme: HTTPXURI.scheme, authority: route.authority, path: path, headerFields: fields)
    return HTTPXRequest(head, body: request.body)
  }

  @inline(never) private func incoming(
    _ response: HTTPXResponse, from route: Route, _ origin: DeviceOrigin?, _ id: RequestID
  ) -> HTTPXResponse {
    var response = response
    HopByHop.strip(&response.head)
    origin?.adaptResponse(&response.head.headerFields, isTrusted: route.isTrusted)
    via.mark(response: &response.head.headerFields, id)
    // The last word is this node's, so that what it says of itself can be told from what others say (RFC 9209 §2).
    if response.head.headerFields.has(.proxyStatus) {
      response.head.headerFields.append(ProxyStatus(node.proxyName))
    }
    return response
  }
}
