/// Limits and times of the daemon's composition and configuration, in one place.
enum DaemonLimits {
  /// A configuration is written by hand: 1 MiB is a mistake, not a configuration.
  static let configurationBytes = 1 << 20

  /// `friends.json`: 1024 friends with 64 devices each take 8 MiB.
  static let friendsBytes = 32 << 20

  /// `services.json`: far beyond what anyone serves; a larger file is not ours.
  static let servicesBytes = 1 << 20

  /// `forwards.json`: far beyond what may be forwarded; a larger file is not ours.
  static let forwardsBytes = 1 << 20

  /// `account.json`, and a file with a password: an address and a password take 3 KiB.
  static let accountBytes = 16 << 10

  /// Ports behind one that is taken, of which a free one is suggested.
  static let suggestedPorts = 100

  /// The files of an identity: a key and a certificate take 1 KiB, a chain of statements 16 KiB.
  static let identityBytes = 64 << 10

  /// One foreign client keeps ports in a signed 16-bit integer.
  static let listenPorts = 1...32767

  /// Bytes that peers may make a node hold: less would not carry a few bodies at once, more is no limit.
  static let memory = 4 << 20...64 << 30

  /// How long `hearth serve` waits for the announcement: probing takes 1 s, and another with every name that is taken.
  static let announcement = Duration.seconds(4)

  /// When a shutdown that was asked for is forced; 3 s is promised, and goodbyes are sent before.
  static let gracefulShutdown = Duration.milliseconds(2200)

  /// What the thread of what passes over servers is nicer than the others (0 to 19): beside one of the link's that wants the same
  /// processor it gets a tenth, and is put aside when that wakes.
  static let serverNiceness: Int32 = 10

  /// Event loops of the daemon, which carry everything between sockets. A request that stays on one loop wakes no other
  /// thread, which costs more than the request's own work; half of the cores are left to the apps and the other node's side.
  static func eventLoops(cores: Int) -> Int { max(1, cores / 2) }
}
