/// How long things may take at the front. Numbers, units, reasons; nothing else decides them.
enum FrontLimits {
  /// A device that cannot be reached is tried for so long before the user is told: a nap of its Wi-Fi, or a restart.
  static let patience = Duration.seconds(3)
  /// Between two tries, where nothing new is heard of the device.
  static let retry = Duration.milliseconds(500)
  /// Seconds for which a device that was seen may be back in a moment: a day.
  static let recently = 86_400.0
}
