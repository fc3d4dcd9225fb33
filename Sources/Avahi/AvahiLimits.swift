/// Limits and times of this module.
enum AvahiLimits {
  /// First and longest wait between attempts to reach D-Bus; doubled each time. A restart of the bus takes well under
  /// a second, and a machine without one should not be kept busy.
  static let firstRetry = Duration.milliseconds(200)
  static let longestRetry = Duration.seconds(5)
  /// How often interfaces that are named in the configuration are looked for; the kernel tells us of none.
  static let interfaceCheck = Duration.seconds(5)
  /// How often it is looked whether a name may be asked for again that somebody else has had.
  static let nameCheck = Duration.seconds(5)
  /// Goodbyes are said within milliseconds; only an avahi-daemon that hangs takes longer (D-Bus waits 25 s for it).
  static let goodbye = Duration.seconds(2)
  /// Resolvers kept, to be told of changes and of silence: so many device × address family are fresh at any time. Each has
  /// avahi-daemon ask the link again before its records end, every 96 s. Avahi refuses a client more than 1,024 objects
  /// (`objects-per-client-max`), and browsers and announcements need some of them.
  static let keptResolvers = 512
  /// Resolvers that serve one instance after the other, for those beyond the kept ones; and how many may be without an answer.
  static let passingResolvers = 64
  /// Instances × interfaces × address families that are known at once: avahi-daemon remembers 4,096 records of an interface
  /// and family (`cache-entries-max`), and a machine has a few of those.
  static let listings = 16_384
  /// How long what has no resolver of its own stays as it was told: then it is resolved again.
  static let refresh = Duration.seconds(300)
  /// Seconds between the last two looks at a name that may have changed hands; 1 before the first, then doubled. In all two
  /// minutes, since that long lives what avahi-daemon remembers of the one who had it (RFC 6762 §10).
  static let longestDoubt = 64
  /// Of these in a second: each costs half a millisecond of CPU, here and in avahi-daemon.
  static let refreshesAtOnce = 8
  /// Events that wait for whoever reads them: all listings twice, found and lost. Some 10 MiB, where nobody reads.
  static let events = 2 * listings
  /// Instances that others want to be resolved, until the Avahi thread takes them.
  static let wanted = 1024
}
