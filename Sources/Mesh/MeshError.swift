package import FoundationEssentials
package import Trust
package import XMPP

/// Why a request to a device came to nothing before its HTTP answer did.
package struct MeshError: Error, Sendable {
  package enum Code: String, Sendable, CaseIterable {
    /// No device of this name is, or lately was, on the link.
    case notDiscovered
    /// It was here, and said goodbye or stopped answering.
    case away
    /// Its host answered, and nothing listens on the port.
    case refused
    /// No address of it accepts or refuses a connection.
    case unanswered
    /// No answer within the deadline.
    case timedOut
    /// An XMPP peer that does not speak HTTP (XEP-0332).
    case notHTTP
    /// Its node carries no WebSockets.
    case noUpgrade
    /// The device does not let this node in.
    case forbidden
    /// Its key is not the one that its name belongs to, or that it announced.
    case changed
    /// It has to be reached over TLS, and is not: somebody may be in between.
    case insecure
    /// A limit of the device, or of this node, was reached; later may do.
    case limit
    /// It answered with something that is no answer.
    case protocolError
    /// The stream broke while the request was under way.
    case connectionLost
  }

  package let code: Code
  package let device: JID
  /// One sentence for the user: what happened, and what to do about it as far as that is no command.
  package let message: String
  package let nextStep: NextStep?
  /// Of `forbidden`, what refused, where that is not for who it is that asked.
  package enum Refuser: Sendable, Hashable {
    /// The owner's rules for the service.
    case rules
    /// Its node, which does not hear this one at all.
    case node
  }
  package var refuser: Refuser?
  /// The server over which it was tried; nil: at home, on the link.
  package private(set) var server: String?
  /// When the device was last seen, where it ever was.
  package let lastSeen: Date?

  package init(_ code: Code, device: JID, message: String, nextStep: NextStep? = nil, lastSeen: Date? = nil) {
    self.code = code
    self.device = device
    self.message = message
    self.nextStep = nextStep
    self.lastSeen = lastSeen
  }

  /// The same where it was tried over this server; nil: on the link.
  func over(_ server: String?) -> MeshError {
    var error = self
    error.server = server
    return error
  }
}

/// How each failure appears to HTTP: the one table (RFC 9110 §15.6, RFC 9209 §2.3).
///
/// RFC 9209 recommends 500 and 503 where a device is unknown or away. It has reverse proxies in mind, whose backends are
/// theirs to provide; here the network lacks the device, and nothing is wrong at this end: 502.
extension MeshError.Code {
  package var status: Int {
    switch self {
    case .notDiscovered, .away, .refused, .notHTTP, .protocolError, .connectionLost, .changed, .insecure: 502
    case .unanswered, .timedOut: 504
    case .forbidden: 403
    case .noUpgrade: 501
    case .limit: 503
    }
  }

  /// The `error` parameter of `Proxy-Status`.
  package var proxyStatus: String {
    switch self {
    case .notDiscovered: "destination_not_found"
    case .away: "destination_unavailable"
    case .refused: "connection_refused"
    case .unanswered: "connection_timeout"
    case .timedOut: "http_response_timeout"
    case .notHTTP: "http_protocol_error"
    case .noUpgrade: "http_upgrade_failed"
    case .forbidden: "http_request_denied"
    case .changed: "tls_certificate_error"
    case .insecure: "tls_protocol_error"
    case .limit: "connection_limit_reached"
    case .protocolError: "http_protocol_error"
    case .connectionLost: "connection_terminated"
    }
  }
}
