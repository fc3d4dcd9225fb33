import FoundationEssentials
import HTTPTypes
import HTTPX
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
    isPassing = Self.isPassing(error.code)
  }

  private static func isPassing(_ code: MeshError.Code) -> Bool {
    switch code {
    case .notDiscovered, .away, .refused, .unanswered, .timedOut, .forbidden, .insecure, .limit, .protocolError,
      .connectionLost:
      true
    case .notHTTP, .noUpgrade, .changed: false
    }
  }

  /// The app behind a device gave no answer, as the device's node says.
  ///
  /// - Parameter word: the error's name (RFC 9209 §2.3); `http_request_error` where it is the request that is at fault.
  init(appOf device: JID, _ status: Int, _ word: String, isOwn: Bool, since: Date?) {
    guard word != OriginFailure.requestError else {
      self.init(requestTo: device, status)
      return
    }
    let (title, what) = Self.app(word)
    let whose = isOwn ? "Start it: it is an app of this computer." : "Its owner has to start it, or to wait for it."
    self.init(
      HTTPResponse.Status(code: status), error: word, title: "The app of \(device) \(title)",
      message: "“\(device)” is here, and the app behind it \(what). \(whose)", device: device)
    self.since = since
    isPassing = true
  }

  /// What a folder says of a request, as the device's node tells.
  private init(requestTo device: JID, _ status: Int) {
    let (title, what) =
      switch status {
      case 404:
        (
          "\(device) has no such page",
          "shows nothing at this address: its name may be misspelt, the file may be gone, or its owner lists no files here."
        )
      case 403:
        (
          "\(device) cannot show this",
          "has a file at this address that its program may not read. Its owner can permit that."
        )
      default: ("\(device) does not take this request", "does not know what to do with this address.")
      }
    self.init(
      HTTPResponse.Status(code: status), error: OriginFailure.requestError, title: title,
      message: "“\(device)” is here, and \(what)", device: device)
    hasFirstPage = true
  }

  private static func app(_ word: String) -> (title: String, what: String) {
    switch word {
    case "connection_refused": ("is not running", "is not running")
    case "connection_timeout", "dns_error": ("cannot be reached", "cannot be reached from there")
    case "http_response_timeout": ("did not answer in time", "gave no answer in time")
    case "destination_unavailable": ("is missing", "is missing: its folder cannot be read")
    case "connection_limit_reached", "http_request_denied": ("is busy", "has too much to do")
    default: ("gave no answer", "gave no answer that can be passed on")
    }
  }

  /// The same, with what there is to do about it where friendship or keys are the reason.
  init(_ error: MeshError, of node: Node) {
    self.init(error, at: node)
    way = error.server.map { .server($0) } ?? (node.usesAccount ? .link : nil)
  }

  private init(_ error: MeshError, at node: Node) {
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
