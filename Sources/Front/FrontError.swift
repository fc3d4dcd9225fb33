package import Mesh
package import XMPP

/// Why the front itself answers where a device should.
package enum FrontError: Error, Sendable {
  /// The device gave no answer.
  case device(MeshError)
  /// The device's node says that the app behind it gave none, with this status, by the error's name (RFC 9209 §2.3).
  case app(JID, status: Int, error: String)
  /// The request went round in a circle: the device's app is this very front (RFC 9110 §7.6.3).
  case loop(JID)
  /// An error of this node's own.
  case internalError(JID)
  /// A request that names no device (421, RFC 9110 §15.5.20), with the reason.
  case misdirected(String)
  /// One that cannot be read, with the reason.
  case badRequest(String)
  /// Another site's request, or one for another site, with the reason.
  case forbidden(String)
  /// Another site's link to this device carries data: the user has to say so, by a click at `origin`. `path` is with its
  /// query.
  case unconfirmed(JID, origin: String, path: String)
  /// The device is reached over these servers, which read what passes: the user is told once, and goes on by a click.
  case overServers(JID, servers: [String], origin: String, path: String)
}

extension FrontError {
  /// The `error` parameter of `Proxy-Status` (RFC 9209 §2.3).
  package var proxyStatus: String {
    switch self {
    case .device(let error): error.code.proxyStatus
    case .app(_, _, let error): error
    case .loop: "proxy_loop_detected"
    case .internalError: "proxy_internal_error"
    case .misdirected, .badRequest: "http_request_error"
    case .forbidden, .unconfirmed, .overServers: "http_request_denied"
    }
  }

  /// For the log.
  var reason: String {
    switch self {
    case .device(let error): error.message
    case .misdirected(let reason), .badRequest(let reason), .forbidden(let reason): reason
    case .app: "its app gives no answer"
    case .loop: "its target is this front"
    case .internalError: "an error of this node"
    case .overServers: "the user is told who reads along"
    case .unconfirmed: "a link of another site that carries data"
    }
  }
}
