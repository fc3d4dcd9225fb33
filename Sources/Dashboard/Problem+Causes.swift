import HTTPTypes
package import Mesh
import Trust
import XMPP

extension Problem {
  /// A device that gave no answer.
  package init(_ error: MeshError) {
    self.init(
      HTTPResponse.Status(code: error.code.status), error: error.code.proxyStatus, title: Self.title(error),
      message: error.text, device: error.device)
    lastSeen = error.lastSeen
    if error.code == .limit { retryAfter = DashboardLimits.retryAfter }
  }

  /// The same, with what there is to do about it where friendship or keys are the reason.
  init(_ error: MeshError, of node: Node) {
    guard let device = node.device(error.device) else {
      self.init(error)
      return
    }
    // This node ends such a stream itself, whatever that looks like from above.
    let error =
      device.standing == .blocked
      ? MeshError(.forbidden, device: device.jid, message: "You have blocked the node of “\(device.jid)”.") : error
    self.init(error)
    nextSteps = NextSteps(for: error, at: device, node.trustService.current)
  }

  private static func title(_ error: MeshError) -> String {
    switch error.code {
    case .notDiscovered: "\(error.device) is not on this network"
    case .away: "\(error.device) is away"
    case .refused: "\(error.device) refuses connections"
    case .unanswered: "\(error.device) cannot be reached"
    case .timedOut: "\(error.device) did not answer in time"
    case .notHTTP: "\(error.device) has no web pages"
    case .noUpgrade: "\(error.device) carries no WebSockets"
    case .forbidden: "\(error.device) does not let this computer in"
    case .changed: "\(error.device) shows another key"
    case .insecure: "\(error.device) cannot be reached securely"
    case .limit: "\(error.device) is busy"
    case .protocolError: "\(error.device) gave no valid answer"
    case .connectionLost: "The connection to \(error.device) broke"
    }
  }

  /// The request went round in a circle.
  static func loop(_ device: JID) -> Problem {
    Problem(
      .loopDetected, error: "proxy_loop_detected", title: "\(device) leads back here",
      message:
        "“\(device)” passes requests on to this front, which asks “\(device)” again. Give its service another target.",
      device: device)
  }

  /// An error of our own.
  static func internalError(_ device: JID) -> Problem {
    Problem(
      .internalServerError, error: "proxy_internal_error", title: "Something went wrong here",
      message: "The request to “\(device)” failed inside this node. Its log says why.", device: device)
  }

  /// A request that names no device, or none in a way that can be read.
  static func misdirected(_ reason: String) -> Problem {
    Problem(
      .misdirectedRequest, error: "http_request_error", title: "No such device here", message: reason)
  }

  static func badRequest(_ reason: String) -> Problem {
    Problem(.badRequest, error: "http_request_error", title: "Bad request", message: reason)
  }

  static func forbidden(_ reason: String) -> Problem {
    Problem(.forbidden, error: "http_request_denied", title: "Not allowed", message: reason)
  }
}
