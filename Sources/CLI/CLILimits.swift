/// Limits and times of the command line, in one place.
enum CLILimits {
  /// How long `hearth devices` browses where no daemon runs: a cold browse takes about a second.
  static let browse = Duration.seconds(3)

  /// How long the shell waits for names at most: longer is felt as a hang.
  static let completion = Duration.milliseconds(500)

  /// How long the system's resolver is waited for: a name that takes longer is as good as none.
  static let resolving = Duration.seconds(1)

  /// How often an open question is looked at: is there an answer, and does the question still stand?
  static let questionInterval = Duration.milliseconds(500)

  /// The progress bar is redrawn at most this often.
  static let progressInterval = Duration.milliseconds(100)

  /// A download this short is over before a bar could be read.
  static let progressDelay = Duration.milliseconds(500)

  /// Bytes of an upload that are read at once from a file.
  static let uploadPart = 64 << 10
}
