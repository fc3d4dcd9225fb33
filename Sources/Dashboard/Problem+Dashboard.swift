import HTTPTypes
import Trust
import XMPP

/// What can go wrong on the dashboard.
extension Problem {
  static var notFound: Problem {
    Problem(.notFound, error: "http_request_error", title: "Not found", message: "The dashboard has no such page.")
  }

  static func changedMeanwhile(_ device: JID) -> Problem {
    Problem(
      .conflict, error: "http_request_denied", title: "\(device) has changed",
      message: "“\(device)” is announced with another id than your page showed. Look again before you go on.")
  }

  static func notTheOwner(_ caller: DashboardCaller, _ route: DashboardRoute) -> Problem {
    let unknown = caller.user == nil ? " Here it cannot be told whose program asks, or it asks through a proxy." : ""
    var problem = Problem(
      .forbidden, error: "http_request_denied", title: "Not allowed",
      message: "Only \(DashboardCaller.whoMay) may do this.\(unknown)")
    problem.nextSteps = NextSteps(nil, ["They can do it in a terminal."], commands: [route.command])
    return problem
  }

  /// What the owner meant to do was not done.
  init(_ error: TrustError) {
    let status: HTTPResponse.Status =
      switch error.code.kind {
      case .invalid: .unprocessableContent
      case .unknown: .notFound
      case .conflict: .conflict
      case .damaged: .internalServerError
      }
    self.init(
      status, error: "http_request_error", title: "That was not done",
      message: error.text.prefix(1).uppercased() + error.text.dropFirst() + ".")
  }
}

extension Problem {
  init(_ error: ServingError) {
    self.init(.unprocessableContent, error: "http_request_error", title: "That was not done", message: error.message)
  }
}

extension DashboardRoute {
  /// The same in a terminal.
  fileprivate var command: String {
    switch self {
    case .list, .script, .live, .icon, .open: "hearth requests"
    case .ask(let jid): Command.request(jid)
    case .befriend(let jid): Command.befriend(jid)
    case .accept(let id): Command.accept(id)
    case .reject(let id): Command.reject(id)
    case .confirmPairing, .cancelPairing: "hearth befriend"
    case .closePermit: "hearth permit off"
    case .withdraw(let id): "hearth requests withdraw \(id.short)"
    case .invite: "hearth invite"
    case .join: "hearth join"
    case .rename(let id): "hearth friends rename \(id)"
    case .remove(let id): Command.remove(id)
    case .block(let id): "hearth friends block \(id)"
    case .unblock(let id): Command.unblock(id)
    case .serve: "hearth serve"
    case .stop: "hearth unserve"
    }
  }
}
