/// Limits and times of the command line, in one place.
enum CLILimits {
  /// How long `hearth devices` browses where no daemon runs: a cold browse takes about a second.
  static let browse = Duration.seconds(3)

  /// How long the shell waits for names at most: longer is felt as a hang.
  static let completion = Duration.milliseconds(500)

  /// How long the system's resolver is waited for: a name that takes longer is as good as none.
  static let resolving = Duration.seconds(1)

  /// How long `hearth doctor` waits for an answer by multicast: responders take up to 120 ms (RFC 6762 §6), on a lossy Wi-Fi more.
  static let multicastAnswer = Duration.seconds(2)

  /// Until a neighbour's port accepts, or refuses: the same as the daemon gives it on one address.
  static let connect = Duration.seconds(3)

  /// For a whole request of `hearth doctor`: a stream is dialled, and a device that was here lately is waited for.
  static let doctorRequest = Duration.seconds(15)

  /// Seconds by which two clocks may differ before it is told: invites are good for ten minutes.
  static let clockDifference = 60.0

  /// Cells that are left of a name, however narrow the terminal is.
  static let shortestName = 8

  /// Cells of a terminal that does not say how wide it is.
  static let columns = 80

  /// How long `hearth befriend` without a device waits for the other side to begin: until somebody there has sat down.
  static let pairingWait = Duration.seconds(300)

  /// How often an open question is looked at: is there an answer, and does the question still stand?
  static let questionInterval = Duration.milliseconds(500)

  /// The progress bar is redrawn at most this often.
  static let progressInterval = Duration.milliseconds(100)

  /// A download this short is over before a bar could be read.
  static let progressDelay = Duration.milliseconds(500)

  /// Bytes of an upload that are read at once from a file.
  static let uploadPart = 64 << 10

  /// Names that an error asks whether they were meant: more are read by nobody.
  static let suggestions = 3

  /// Bytes of a file that is percent-encoded, or holds cookies.
  static let formFile = 16 << 20

  /// Bytes that `-G` puts into an address: more is taken by no device (`HTTPXLimits.uriBytes`).
  static let queryBytes = 64 << 10

  /// Redirects that are followed, as many as curl does.
  static let redirects = 50

  /// Cookies that are kept, of all devices together.
  static let cookies = 3000
}
