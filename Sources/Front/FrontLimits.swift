/// How long things may take at the front, and what it keeps. Numbers, units, reasons; nothing else decides them.
enum FrontLimits {
  /// A device that cannot be reached is tried for so long before the user is told: a nap of its Wi-Fi, or a restart.
  static let patience = Duration.seconds(3)
  /// Names of devices that are remembered as they were written: a home has fewer, and a spelling costs some 200 bytes.
  static let knownNames = 256
}
