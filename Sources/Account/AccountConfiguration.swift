package import XMPP

/// Which account, and how to reach its server.
///
/// More than eight properties: one for each setting.
package struct AccountConfiguration: Hashable, Sendable {
  package enum Security: String, Hashable, Sendable, CaseIterable {
    /// TLS from the first byte (XEP-0368).
    case direct
    /// RFC 6120 §5.
    case startTLS = "starttls"
  }

  /// A host with a port in place of what the DNS says.
  package struct Server: Hashable, Sendable, CustomStringConvertible {
    package let host: String
    package let port: Int

    package init(host: String, port: Int) {
      (self.host, self.port) = (host, port)
    }

    package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
  }

  /// Bare.
  package var address: JID
  package var password: String
  package var server: Server?
  /// How to speak to `server`; nil: STARTTLS, as on port 5222.
  package var security: Security?
  /// SHA-256 of the one certificate that the server may show; nil: one that an authority has signed for the address's domain.
  package var fingerprint: [UInt8]?
  /// Whether the server may be told the password itself.
  package var allowsPlain: Bool
  /// Whether friends' nodes may reach this one over the account.
  package var isRelay: Bool
  /// Whether a service answers HTTP at this address.
  package var isServing: Bool
  /// Whether contacts may be told where this machine is, for bodies that go beside the server.
  package var isDirect = false
  /// Whether the owner hears of accounts that want to be contacts.
  package var takesRequests = true
  /// Of this node, told in its presence where it relays.
  package var node: String?
  /// The resource to ask for (RFC 6120 §7).
  package var resource: String

  package init(
    address: JID, password: String, server: Server? = nil, security: Security? = nil, fingerprint: [UInt8]? = nil,
    allowsPlain: Bool = false, isRelay: Bool = false, isServing: Bool = false,
    node: String? = nil, resource: String
  ) {
    self.isServing = isServing
    self.node = node
    self.address = address
    self.password = password
    self.server = server
    self.security = security
    self.fingerprint = fingerprint
    self.allowsPlain = allowsPlain
    self.isRelay = isRelay
    self.resource = resource
  }
}
