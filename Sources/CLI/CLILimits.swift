/// Limits and times of the command line and the daemon's composition, in one place.
enum CLILimits {
  /// A configuration is written by hand: 1 MiB is a mistake, not a configuration.
  static let configurationBytes = 1 << 20

  /// One foreign client keeps ports in a signed 16-bit integer.
  static let listenPorts = 1...32767

  /// How long `hearth devices` browses where no daemon runs: a cold browse takes about a second.
  static let browse = Duration.seconds(3)

  /// How long the shell waits for names at most: longer is felt as a hang.
  static let completion = Duration.milliseconds(500)

  /// How long `hearth serve` waits for the announcement: probing takes 1 s, and another with every name that is taken.
  static let announcement = Duration.seconds(4)

  /// When a shutdown that was asked for is forced; 3 s is promised, and goodbyes are sent before.
  static let gracefulShutdown = Duration.milliseconds(2200)

  /// How often an open question is looked at: is there an answer, and does the question still stand?
  static let questionInterval = Duration.milliseconds(500)

  /// The progress bar is redrawn at most this often.
  static let progressInterval = Duration.milliseconds(100)

  /// A download this short is over before a bar could be read.
  static let progressDelay = Duration.milliseconds(500)
}
