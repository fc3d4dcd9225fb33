import Codecs
package import HTTPEdge
import HTTPTypes
package import HTTPX
package import Mesh
package import NIOCore

/// Answers with what a local app answers.
///
/// Only the configured address is ever dialled, whatever a peer writes into its request; redirects are passed on, not
/// followed. Heads change as `ForwardedFields` and `OwnAddress` say, bodies not at all. An app that gives no response
/// becomes a 502, 503 or 504 that says why in its `failure`; one that breaks off inside a body becomes an error: never a short body.
package struct ReverseProxy: ServiceHandler {
  private let client: HTTPClient
  private let base: String
  private let forwarded: ForwardedFields
  private let own: OwnAddress
  private let prefersXML: Bool

  /// `base` is put before every path, without a slash at its end. `options.timeout` outranks that of `limits`.
  package init(
    to address: HTTPAddress, base: String = "", options: AppOptions = AppOptions(), limits: HTTPClientLimits = .init(),
    eventLoopGroup: any EventLoopGroup
  ) {
    var limits = limits
    if let timeout = options.timeout { limits.response = .seconds(Int64(timeout)) }
    client = HTTPClient(address: address, limits: limits, eventLoopGroup: eventLoopGroup)
    self.base = base
    prefersXML = options.xml
    forwarded = ForwardedFields(address, base: base, options: options)
    own = OwnAddress(scheme: address.scheme, authority: address.authority, base: base)
  }

  package func respond(
    to request: HTTPXRequest, from caller: Caller, send: (HTTPXResponse) async throws -> Void
  ) async throws {
    guard let target = target(of: request.head), let length = RequestLength(request) else {
      return try await send(Self.badRequest(request.head.method))
    }
    var head = request.head
    head.path = target
    forwarded.apply(to: &head, from: caller)
    var isSent = false
    do {
      try await client.send(head, body: length.framed(request.body), for: UpstreamCaller(caller)) { response, body in
        isSent = true
        try await send(HTTPXResponse(outgoing(response), body: body, prefersXML: prefersXML))
      }
    } catch let error as HTTPClientError where !isSent {
      try await send(ProxyFailure(error).response(to: request.head.method))
    }
  }

  package func check() async throws(OriginFailure) {
    do throws(HTTPClientError) {
      try await client.checkConnection()
    } catch {
      throw ProxyFailure(error).failure
    }
  }

  private static func badRequest(_ method: HTTPRequest.Method) -> HTTPXResponse {
    var response = HTTPXResponse.plain(.badRequest, "This request cannot be passed on.", to: method)
    response.failure = OriginFailure(.request, error: OriginFailure.requestError, reason: "the app was not asked")
    return response
  }

  /// The request target for the app; nil where the peer's is none that may be passed on.
  private func target(of head: HTTPRequest) -> String? {
    guard let target = head.path.flatMap(RequestTarget.init), head.method != .connect else { return nil }
    if target.form == .asterisk { return head.method == .options ? target.text : nil }
    guard target.staysAtHost else { return nil }
    // The base is a boundary: an app that resolves dot segments itself must not be led above it.
    guard base.isEmpty || RequestPath.staysBelow(target.path) else { return nil }
    return base + target.text
  }

  private func outgoing(_ response: HTTPResponse) -> HTTPResponse {
    var response = response
    response.headerFields.mapReferencesOfResponse { own.relative($0) ?? $0 }
    return response
  }
}

/// How many bytes a request's body has, told by the body and by `Content-Length`, which must agree (RFC 9110 §8.6).
private struct RequestLength {
  /// Nil where it is not known.
  let bytes: Int?

  init?(_ request: HTTPXRequest) {
    let fields = request.head.headerFields[values: .contentLength]
    guard let field = fields.first else {
      bytes = request.body.length
      return
    }
    // An app might take another one of several.
    guard fields.count == 1, let announced = ContentLength.number(field),
      request.body.length == nil || request.body.length == announced
    else { return nil }
    bytes = announced
  }

  /// The body with the length that it has.
  func framed(_ body: Body) -> Body {
    body.length == bytes ? body : Body(body, length: bytes)
  }
}
