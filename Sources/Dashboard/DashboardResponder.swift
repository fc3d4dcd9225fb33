import Codecs
import FoundationEssentials
package import Front
package import HTTPEdge
package import HTTPTypes
package import Logging
package import Mesh
import HTTPX
import Trust
import XMPP

/// Answers at `http://hearth.localhost:8332`, and says why a device does not.
///
/// Whoever uses this machine may look at devices; its owner changes things, and only from a form of the dashboard's own
/// pages.
///
/// More than eight properties: all that its pages show, or let the owner change.
package struct DashboardResponder: FrontResponder {
  private let node: Node
  private let services: any OwnedServices
  private let mayChange: @Sendable (UInt32) async -> Bool
  private let logger: Logger
  private let declined = DeclinedRequests()
  private let invites = IssuedInvites()
  private let icons = DeviceIcons()
  private let listeners = Listeners()
  private let live: LiveParts

  /// - Parameter mayChange: whether this user of the machine (uid) may change what the node serves, and make friends of it.
  package init(
    node: Node, services: any OwnedServices, mayChange: @escaping @Sendable (_ user: UInt32) async -> Bool,
    logger: Logger
  ) {
    (self.node, self.services, self.mayChange, self.logger) = (node, services, mayChange, logger)
    live = LiveParts { [node, services, invites] reader in
      var home = await Home(of: node, services, invites, for: reader)
      home.isLive = true
      return home.parts
    }
  }

  package func response(
    to request: Request, path: String, of origin: String, at front: FrontAddress
  ) async throws -> Response {
    var response: Response
    do {
      response = try await answer(request, path: path, of: origin, at: front)
    } catch let problem as Problem {
      response = problem.response(to: request.head, by: node.proxyName, dashboard: front.dashboard)
    }
    // No other page keeps a hold of its window, or gets hold of what it shows.
    response.headers[.crossOriginOpenerPolicy] = "same-origin"
    response.headers[.crossOriginResourcePolicy] = "same-origin"
    return response
  }

  package func response(to request: HTTPRequest, failing error: FrontError, at front: FrontAddress?) -> Response {
    let problem: Problem
    switch error {
    case .device(let error): problem = Problem(error, of: node)
    case .app(let device, let status, let word):
      let known = node.device(device)
      let health = node.status().health[device] ?? known?.health(now: .now)
      problem = Problem(
        appOf: device, status, word, isOwn: known?.isLocal == true, since: health?.isDown == true ? health?.since : nil)
    case .loop(let device): problem = .loop(device)
    case .internalError(let device): problem = .internalError(device)
    case .misdirected(let reason): problem = .misdirected(reason)
    case .badRequest(let reason): problem = .badRequest(reason)
    case .forbidden(let reason): problem = .forbidden(reason)
    case .unconfirmed(let device, let origin, let path):
      return Confirmation(of: device, at: origin, path: path).response()
    case .overServers(let device, let servers, let origin, let path):
      return ServerNotice(of: device, over: servers, at: origin, path: path).response()
    }
    return problem.response(to: request, by: node.proxyName, dashboard: front?.dashboard)
  }

  /// Throws `Problem` and `CancellationError`.
  private func answer(
    _ request: Request, path: String, of origin: String, at front: FrontAddress
  ) async throws -> Response {
    if case .refuse(let reason) = CrossSiteGate.verdict(on: request.head, to: path, at: origin) {
      throw refused(.forbidden(reason), path, nil)
    }
    guard let route = DashboardRoute(path) else { throw Problem.notFound }
    guard route.methods.contains(request.method) else {
      let methods = route.methods.map(\.rawValue).joined(separator: ", ")
      return .own(.methodNotAllowed, type: "text/plain", "\(methods)\n", fields: [.allow: methods])
    }
    guard request.method != .post || CrossSiteGate.isOwnForm(request.head, at: origin) else {
      throw refused(.forbidden("Only a form of the dashboard's own pages may do this."), path, nil)
    }
    let caller = await DashboardCaller.of(request, mayChange: mayChange)
    guard request.method == .post else { return try await page(route, path, at: front, for: caller) }
    guard caller.mayChange else { throw refused(.notTheOwner(caller, route), path, caller) }
    let next = try await perform(route, try await FormFields.read(from: request), caller)
    let location = origin + next.path
    return Response(status: .seeOther, headers: [.location: location, .contentLength: "0", .cacheControl: "no-store"])
  }

  private func refused(_ problem: Problem, _ path: String, _ caller: DashboardCaller?) -> Problem {
    logger.notice(
      "refused on the dashboard",
      metadata: [
        "path": "\(path.prefix { $0 != "?" })", "user": "\(caller?.user.map(String.init) ?? "-")",
        "why": "\(problem.message)",
      ])
    return problem
  }

  private func page(
    _ route: DashboardRoute, _ target: String, at front: FrontAddress, for caller: DashboardCaller
  ) async throws -> Response {
    let reader = LiveParts.Reader(isOwner: caller.mayChange, front: front)
    switch route {
    case .script: return .own(.ok, type: "text/javascript; charset=utf-8", DashboardScript.text)
    case .live: return try events(for: reader)
    case .icon(let jid):
      guard let device = node.device(jid) else { throw Problem.notFound }
      return await icons.response(for: device, node)
    case .open: return try open(target, at: front)
    case .ask(let jid): return try friendship(with: jid, at: front, for: caller)
    default: return DashboardPage(home: await Home(of: node, services, invites, for: reader)).response()
    }
  }

  private func events(for reader: LiveParts.Reader) throws -> Response {
    guard let listener = listeners.add(isOwner: reader.isOwner) else {
      var problem = Problem(
        .serviceUnavailable, error: "connection_limit_reached", title: "Too many pages are open",
        message: "Only \(DashboardLimits.listeners) pages of the dashboard can be live at once.")
      problem.retryAfter = DashboardLimits.retryAfter
      throw problem
    }
    return Response(
      status: .ok, headers: Response.ownFields(type: "text/event-stream"),
      body: Body(PageEvents(parts: live, reader: reader, listener: listener)))
  }

  /// A `web+httpx:` link (HTML standard §8.9.1.3), which leads nowhere but to devices.
  private func open(_ target: String, at front: FrontAddress) throws -> Response {
    let query = target.firstIndex(of: "?").map { String(target[$0...].dropFirst()) } ?? ""
    let text = FormFields(query)["uri"] ?? ""
    let prefix = "web+"
    guard text.lowercased().hasPrefix(prefix + "httpx:"), let uri = try? HTTPXURI(String(text.dropFirst(prefix.count)))
    else { throw Problem.badRequest("This is no address of a device.") }
    return Response(status: .seeOther, headers: [.location: front.url(of: uri), .contentLength: "0"])
  }

  private func friendship(
    with jid: JID, at front: FrontAddress, for caller: DashboardCaller
  ) throws -> Response {
    let book = node.trustService.current
    guard let device = node.device(jid) else { throw Problem(node.notDiscovered(jid)) }
    return AskPage(
      front: front, device: device, friendship: FriendshipState(device, book), own: book.own,
      renounced: FriendshipState.renounced(device, book), declined: declined.time(of: device.jid),
      mayChange: caller.mayChange
    ).response()
  }

  private func perform(
    _ route: DashboardRoute, _ form: FormFields, _ caller: DashboardCaller
  ) async throws -> DashboardRoute {
    logger.notice(
      "asked for on the dashboard",
      metadata: ["path": "\(route.path)", "user": "\(caller.user.map(String.init) ?? "-")"])
    do {
      return try await OwnerForms(of: node, services: services, declined: declined, invites: invites).perform(
        route, form)
    } catch let error as TrustError {
      throw Problem(error)
    } catch let error as MeshError {
      throw Problem(error, of: node)
    } catch let error as OwnerActions.DeviceChanged {
      throw Problem.changedMeanwhile(error.device)
    } catch let error as ServingError {
      throw Problem(error)
    } catch let error as CancellationError {
      throw error
    } catch {
      logger.error("failed on the dashboard", metadata: ["path": "\(route.path)", "error": "\(error)"])
      throw Problem(
        .internalServerError, error: "proxy_internal_error", title: "Something went wrong here",
        message: "It was not done. The log of this node says why.")
    }
  }
}
