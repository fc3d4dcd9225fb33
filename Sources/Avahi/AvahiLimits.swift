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
  /// Resolvers kept, to be told of changes and of silence. Avahi refuses a client more than 1,024 objects
  /// (`objects-per-client-max`), and browsers and announcements need some of them.
  static let keptResolvers = 512
  /// Resolvers that serve one instance after the other, for those beyond the kept ones.
  static let passingResolvers = 64
  /// Instances waiting for one; as many as avahi-daemon itself remembers of an interface (`cache-entries-max`).
  static let waitingInstances = 4096
}
