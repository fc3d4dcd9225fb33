package import Trust
package import XMPP

/// One device that this node announces: a name, and what answers for it. A reference, since each request to it has one.
package final class HostedService: Sendable {
  /// The user part of its address; unique in a node.
  package let name: String
  package let title: String?
  /// One line about the device, announced as `msg`.
  package let description: String?
  /// What the owner configured, for display: `http://127.0.0.1:8080`, `/srv/www`.
  package let target: String
  /// Who may do what with it.
  package let policy: AccessPolicy
  package let handler: any ServiceHandler
  /// As long as it is served with these settings.
  let health = ServiceHealth()

  package init(
    name: String, title: String? = nil, description: String? = nil, target: String, policy: AccessPolicy,
    handler: any ServiceHandler
  ) {
    self.name = name
    self.title = title
    self.description = description
    self.target = target
    self.policy = policy
    self.handler = handler
  }
}

/// What a node is and does at the moment.
package struct NodeStatus: Sendable {
  package struct Served: Sendable {
    package let name: String
    /// What it is meant to be announced as; nil where name and machine make no address.
    package let wanted: JID?
    /// As announced; nil until the link has accepted a name. Another than the wanted one is that of somebody else.
    package let jid: JID?
    package let target: String
    package let policy: AccessPolicy
    /// Why it is not announced, where that is so.
    package let problem: String?
    package let health: HealthReport

    package init(
      name: String, wanted: JID?, jid: JID?, target: String, policy: AccessPolicy, problem: String?,
      health: HealthReport
    ) {
      self.name = name
      self.wanted = wanted
      self.jid = jid
      self.target = target
      self.policy = policy
      self.problem = problem
      self.health = health
    }
  }

  /// Large bodies to and from peers: those that went beside their streams, and those for which no connection came about.
  package struct Bodies: Sendable {
    package let direct: Int
    package let fellBack: Int

    package init(direct: Int = 0, fellBack: Int = 0) { (self.direct, self.fellBack) = (direct, fellBack) }
  }

  package let jid: JID
  /// What the node is meant to be called itself: another than `jid` where somebody else has that name.
  package let wanted: JID
  /// TCP port of the XMPP listener.
  package let port: Int
  /// nil while there is something to announce and browse by, else why there is not.
  package let discoveryProblem: String?
  /// Why the node itself is not announced, where discovery works; nil while it is, or nobody knows yet.
  package let announcementProblem: String?
  package let services: [Served]
  /// Open streams to peers.
  package let streams: Int
  /// How large bodies went since the node was started.
  package let bodies: Bodies

  /// Of what answers for the devices of this node, as they are announced.
  package var health: [JID: HealthReport] {
    Dictionary(services.compactMap { service in service.jid.map { ($0, service.health) } }) { first, _ in first }
  }

  package init(
    jid: JID, wanted: JID, port: Int, discoveryProblem: String?, announcementProblem: String? = nil,
    services: [Served], streams: Int, bodies: Bodies = Bodies()
  ) {
    self.announcementProblem = announcementProblem
    self.jid = jid
    self.wanted = wanted
    self.port = port
    self.discoveryProblem = discoveryProblem
    self.services = services
    self.streams = streams
    self.bodies = bodies
  }
}
