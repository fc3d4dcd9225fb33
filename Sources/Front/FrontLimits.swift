/// How long things may take at the front. Numbers, units, reasons; nothing else decides them.
enum FrontLimits {
  /// A device that cannot be reached is tried for so long before the user is told: a nap of its Wi-Fi, or a restart.
  static let patience = Duration.seconds(3)
}
