import Account
import Front
import HTTPX
import Mesh
import Origins
import Trust
import XMPP

/// What `hearth.toml` says; every key has a default, so an empty file, or none, will do.
///
/// More than eight properties: one for each table of the file.
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

  /// `[transfer]`.
  struct TransferSection: Equatable, Sendable {
    /// How bodies go beside their stanzas: the first that a peer allows.
    var prefer = BodyMechanism.standard
  }

  /// `[log]`.
  struct LogSection: Equatable, Sendable {
    /// Whether each request is a line in the log.
    var access = false
  }

  /// `[metrics]`.
  struct MetricsSection: Equatable, Sendable {
    /// TCP port on 127.0.0.1 and ::1, for Prometheus; nil: none.
    var listen: Int?
  }

  /// `[account]`.
  ///
  /// More than eight properties: one for each key.
  struct AccountSection: Equatable, Sendable {
    /// Bare; nil: the one of `hearth account login`, if any.
    var jid: JID?
    /// Its first line is the password.
    var passwordFile: String?
    /// In place of what the DNS says.
    var server: AccountConfiguration.Server?
    var tls: AccountConfiguration.Security?
    /// SHA-256 of the one certificate that the server may show.
    var fingerprint: [UInt8]?
    /// Whether the server may be told the password itself.
    var allowsPlain = false
    /// Whether friends' nodes may reach this one over it.
    var isRelay = true
    /// Whether friends learn of it.
    var isShared = true
    /// The service that answers foreign peers at its address; nil: none.
    var served: String?
    /// Whether contacts may be told where this machine is, for bodies that go beside the server.
    var isDirect = false
  }

  /// `[component]`.
  struct ComponentSection: Equatable, Sendable {
    var domain: JID
    /// Its first line is the secret.
    var secretFile: String
    var server: AccountConfiguration.Server
  }

  var account = AccountSection()
  /// nil: this node is no component.
  var component: ComponentSection?
  var node = NodeSection()
  var front = FrontSection()
  var limits = LimitsSection()
  var transfer = TransferSection()
  var log = LogSection()
  var metrics = MetricsSection()
  /// `[forward]`, by port.
  var forwards: [Forward] = []
  /// `[services.NAME]`, sorted by name.
  var services: [ServiceDefinition] = []
}

/// One service as its owner defines it, in `hearth.toml` or with `hearth serve`.
///
/// More than eight properties: one for each key.
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
