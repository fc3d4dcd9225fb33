import FoundationEssentials
package import Front
package import HTTPEdge
package import HTTPTypes
package import Logging
package import Mesh
import Trust
import XMPP

/// Answers at `http://hearth.localhost:8332`, and says why a device does not.
///
/// Whoever uses this machine may look at devices; its owner changes things, and only from a form of the dashboard's own
/// pages.
package struct DashboardResponder: FrontResponder {
  private let node: Node
  private let mayChange: @Sendable (UInt32) async -> Bool
  private let logger: Logger
  private let declined = DeclinedRequests()

  /// - Parameter mayChange: whether this user of the machine (uid) may make friends of the node, and end requests.
  package init(node: Node, mayChange: @escaping @Sendable (_ user: UInt32) async -> Bool, logger: Logger) {
    self.node = node
    self.mayChange = mayChange
    self.logger = logger
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
    case .loop(let device): problem = .loop(device)
    case .internalError(let device): problem = .internalError(device)
    case .misdirected(let reason): problem = .misdirected(reason)
    case .badRequest(let reason): problem = .badRequest(reason)
    case .forbidden(let reason): problem = .forbidden(reason)
    case .unconfirmed(let device, let origin, let path):
      return Confirmation(of: device, at: origin, path: path).response()
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
    guard request.method == .post else { return try page(route, at: front, for: caller) }
    guard caller.mayChange else { throw refused(.notTheOwner(caller, route), path, caller) }
    let next = try await perform(route, try await FormFields.read(from: request), caller)
    let location = origin + next.path
    return Response(status: .seeOther, headers: [.location: location, .contentLength: "0", .cacheControl: "no-store"])
  }

  private func refused(_ problem: Problem, _ path: String, _ caller: DashboardCaller?) -> Problem {
    logger.notice(
      "refused on the dashboard",
      metadata: ["path": "\(path)", "user": "\(caller?.user.map(String.init) ?? "-")", "why": "\(problem.message)"])
    return problem
  }

  private func page(_ route: DashboardRoute, at front: FrontAddress, for caller: DashboardCaller) throws -> Response {
    let book = node.trustService.current
    guard case .ask(let jid) = route else {
      return DevicesPage(front: front).response(
        node.devices(), caller.mayChange ? book : nil, health: node.status().health, now: .now)
    }
    guard let device = node.device(jid) else {
      throw Problem(MeshError(.notDiscovered, device: jid, message: "No device “\(jid)” is announced on this network."))
    }
    return AskPage(
      front: front, device: device, friendship: FriendshipState(device, book), own: book.own,
      declined: declined.time(of: device.jid), mayChange: caller.mayChange
    ).response()
  }

  private func perform(
    _ route: DashboardRoute, _ form: FormFields, _ caller: DashboardCaller
  ) async throws -> DashboardRoute {
    logger.notice(
      "asked for on the dashboard",
      metadata: ["path": "\(route.path)", "user": "\(caller.user.map(String.init) ?? "-")"])
    do {
      return try await OwnerForms(of: node, declined: declined).perform(route, form)
    } catch let error as TrustError {
      throw Problem(error)
    } catch let error as MeshError {
      throw Problem(error, of: node)
    } catch let error as OwnerActions.DeviceChanged {
      throw Problem.changedMeanwhile(error.device)
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
