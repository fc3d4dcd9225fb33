import Codecs
import FoundationEssentials
import HTTPTypes
import HTTPX
import Logging
import Streams
import Trust
import XMPP

/// Who answers for a device of ours, and whether this caller may ask it.
struct Router: Sendable {
  let table: ServiceTable
  /// Told of each refusal.
  let trustService: TrustService
  /// Told of each request that has ended.
  let requestLog: RequestLog
  let logger: Logger

  /// Answers a peer's request, or throws the `StanzaError` with which it is refused before HTTP.
  ///
  /// - Parameter mayAsk: false for who has asked too often, and is told so.
  func answer(
    _ request: HTTPXRequest, for device: JID, from caller: Caller, mayAsk: Bool = true,
    send: (HTTPXResponse) async throws -> Void
  ) async throws {
    requestLog.began()
    var progress = RequestProgress()
    do {
      let counted = progress.began(request, requestLog)
      guard mayAsk else { return try await refuse(&progress, counted.head, for: device, from: caller, send) }
      let (service, request) = try admit(counted, for: device, from: caller)
      progress.service = service.name
      try await respond(service, request, for: device, from: caller) { response in
        try await send(progress.answered(response, requestLog))
      }
    } catch {
      ended(request.head, for: device, from: caller, progress, error)
      throw error
    }
    ended(request.head, for: device, from: caller, progress, nil)
  }

  /// Apart, so that the memory of a request that waits has no room for this.
  @inline(never) private func refuse(
    _ progress: inout RequestProgress, _ head: HTTPRequest, for device: JID, from caller: Caller,
    _ send: (HTTPXResponse) async throws -> Void
  ) async throws {
    try await send(progress.answered(Self.tooManyRequests(for: device), requestLog))
    ended(head, for: device, from: caller, progress, nil)
  }

  @inline(never) private func ended(
    _ head: HTTPRequest, for device: JID, from caller: Caller, _ progress: RequestProgress, _ error: (any Error)?
  ) {
    requestLog.ended(
      RequestRecord(.served, head, to: device, by: caller, progress, failure: error, at: Date()),
      of: progress.service ?? table.service(device)?.name)
  }

  /// The service that this caller may ask, and the request as it gets it.
  @inline(never) private func admit(
    _ request: HTTPXRequest, for device: JID, from caller: Caller
  ) throws(StanzaError) -> (HostedService, HTTPXRequest) {
    // Before it is told what there is.
    if caller.isGuest { throw Refusal.stranger.stanzaError }
    guard let service = table.service(device) else {
      throw StanzaError(.serviceUnavailable, "\(device) serves no HTTP.")
    }
    let head = request.head
    try check(head.method, of: head, at: service, caller)
    // Whatever passes in a WebSocket, it began as a GET: HTTP's method for one is CONNECT, where it has one (RFC 8441 §4).
    if head.asksForWebSocket { try check(.connect, of: head, at: service, caller) }
    logger.debug(
      "let in", metadata: ["service": "\(service.name)", "trust": "\(caller.standing.word)", "who": "\(caller.who)"])
    return (service, service.policy.methods == nil ? request : Self.plain(request))
  }

  /// What a friend is told of a device of ours.
  func report(of device: JID, to caller: Caller, version: String, now: Date) throws(StanzaError) -> DeviceReport {
    guard case .friend = caller.standing else {
      throw StanzaError(.forbidden, "Only friends of this node are told.")
    }
    let service = table.service(device).map { service in
      DeviceReport.Service(
        isOpen: service.policy.decide(caller.standing, method: "GET", target: "/") == .allow,
        health: service.health.report.health)
    }
    return DeviceReport(version: version, time: now, address: caller.identity.networkAddress, service: service)
  }

  private func check(
    _ method: HTTPRequest.Method, of head: HTTPRequest, at service: HostedService, _ caller: Caller
  ) throws(StanzaError) {
    guard
      case .refuse(let refusal) = service.policy.decide(
        caller.standing, method: method.rawValue, target: head.path ?? "/")
    else { return }
    trustService.decided(.accessRefused(caller.identity, service: service.name, refusal))
    throw refusal.stanzaError
  }

  /// The caller's own body may have broken off with its stream: that is no error of this node's.
  @inline(never) private func failed(_ service: HostedService, _ error: any Error) {
    logger.log(
      level: error is StreamFailure ? .debug : .error, "handler failed",
      metadata: ["service": "\(service.name)", "error": "\(error)"])
  }

  private static let failed = HTTPXResponse(
    HTTPResponse(status: .internalServerError), body: Body("The service failed.\n"),
    failure: OriginFailure(.request, error: "proxy_internal_error", reason: "an error of this node"))

  /// The device's node says it, and no app was asked (RFC 6585 §4).
  @inline(never) private static func tooManyRequests(for device: JID) -> HTTPXResponse {
    let head = HTTPResponse(status: .tooManyRequests, headerFields: [.retryAfter: "\(MeshLimits.retryAfter)"])
    let failure = OriginFailure(.request, error: "http_request_denied", reason: "too many requests of a stranger")
    return signed(
      HTTPXResponse(
        head, body: Body("Too many requests: friends of this device may ask more often.\n"), failure: failure),
      by: device)
  }

  private func note(_ response: HTTPXResponse, of service: HostedService) {
    let change =
      if let failure = response.failure { service.health.failed(failure) } else { service.health.answered() }
    guard let change else { return }
    logger.report(change, of: service)
    table.healthChanged(service.name)
  }

  /// With the device's word in `Proxy-Status` (RFC 9209 §2) where the response is not the app's, or others have said theirs.
  @inline(never) private static func signed(_ response: HTTPXResponse, by device: JID) -> HTTPXResponse {
    guard response.failure != nil || response.head.headerFields.has(.proxyStatus) else { return response }
    var response = response
    response.head.headerFields.append(ProxyStatus(HTTPXURI(jid: device).authority, error: response.failure?.error))
    return response
  }

  /// Without the fields by which many frameworks let a POST stand for another method, past the owner's list of them.
  private static func plain(_ request: HTTPXRequest) -> HTTPXRequest {
    var head = request.head
    head.headerFields.removeAll { methodOverrides.contains($0.name.folded) }
    return HTTPXRequest(head, body: request.body)
  }

  private static let methodOverrides: Set = ["x-http-method-override", "x-http-method", "x-method-override"]

  /// An handler that fails before it answered is a 500; one that fails later breaks the body off.
  private func respond(
    _ service: HostedService, _ request: HTTPXRequest, for device: JID, from caller: Caller,
    send: (HTTPXResponse) async throws -> Void
  ) async throws {
    var isBegun = false
    do {
      try await service.handler.respond(to: request, from: caller) { response in
        isBegun = true
        note(response, of: service)
        try await send(Self.signed(response, by: device))
      }
    } catch  where !isBegun && !(error is CancellationError) {
      failed(service, error)
    }
    if !isBegun, !Task.isCancelled { try await sendFailure(of: service, at: device, send) }
  }

  // Apart, so that the memory of a request that waits has no room for this.
  @inline(never) private func sendFailure(
    of service: HostedService, at device: JID, _ send: (HTTPXResponse) async throws -> Void
  ) async throws {
    note(Self.failed, of: service)
    try await send(Self.signed(Self.failed, by: device))
  }
}
