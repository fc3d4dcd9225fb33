import Front
import Mesh
import Origins
import Trust

/// What `hearth.toml` says; every key has a default, so an empty file, or none, will do.
struct Configuration: Equatable, Sendable {
  /// `[node]`.
  struct NodeSection: Equatable, Sendable {
    /// The user part of the node's own address.
    var name = "hearth"
    /// The machine part of all its addresses; nil: the host name.
    var machine: String?
    /// TCP port of the XMPP listener, 1–32767; nil: 5298 where it is free, else a free one.
    var listen: Int?
    /// Names of the interfaces to announce and browse on; nil: all.
    var interfaces: [String]?
    /// What becomes of requests of friendship.
    var requests = RequestMode.ask
  }

  /// `[front]`.
  struct FrontSection: Equatable, Sendable {
    var enabled = true
    /// TCP port on 127.0.0.1 and ::1.
    var port = 8332
  }

  /// `[limits]`.
  struct LimitsSection: Equatable, Sendable {
    /// Bytes that peers may make this node hold, all together.
    var memory = NodeConfiguration.standardMemory
  }

  var node = NodeSection()
  var front = FrontSection()
  var limits = LimitsSection()
  /// `[forward]`, by port.
  var forwards: [Forward] = []
  /// `[services.NAME]`, sorted by name.
  var services: [ServiceDefinition] = []
}

/// One service as its owner defines it, in `hearth.toml` or with `hearth serve`.
struct ServiceDefinition: Equatable, Sendable {
  /// The user part of its address.
  var name: String
  /// Where the answers come from, as written: `http://host:port`, `unix:/path` or an absolute path of a folder.
  var target: String
  var title: String?
  /// One line about the device, announced to everyone on the link.
  var description: String?
  /// Who may use it.
  var access: AccessPolicy
  /// SHA-256 of the certificate that an `https` target has to show, in hexadecimal; nil: the system's authorities say.
  var fingerprint: String?
  /// Whether an `https` target may show any certificate.
  var insecure = false
  /// Whether the folders of a target that is one are listed where they have no index page; nil: they are.
  var listing: Bool?
  /// How requests reach an app.
  var app = AppOptions()
}
