/// What this node is as a component of an XMPP server (XEP-0114).
package struct ComponentResource: Codable, Sendable, Hashable {
  /// Its services are `name@domain`.
  package let domain: String
  package let online: Bool
  /// What happened last that kept it from being so; null where nothing did.
  @Nullable package private(set) var problem: String?

  package init(domain: String, online: Bool, problem: String?) {
    self.domain = domain
    self.online = online
    self.problem = problem
  }
}
