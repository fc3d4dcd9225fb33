package import XMPP

/// Which component of an XMPP server this node is (XEP-0114), and how to reach the server.
package struct ComponentConfiguration: Hashable, Sendable {
  /// Its own domain, which the server has for it.
  package var domain: JID
  package var secret: String
  package var server: AccountConfiguration.Server

  package init(domain: JID, secret: String, server: AccountConfiguration.Server) {
    (self.domain, self.secret, self.server) = (domain, secret, server)
  }
}

/// How it is with the component.
package struct ComponentStatus: Sendable, Hashable {
  package let domain: JID
  package var isOnline = false
  /// What happened last that kept it from being so.
  package var problem: AccountProblem?
}
