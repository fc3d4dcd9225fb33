/// How long things may take at the front. Numbers, units, reasons; nothing else decides them.
enum FrontLimits {
  /// A device that cannot be reached is tried for so long before the user is told: a nap of its Wi-Fi, or a restart.
  static let patience = Duration.seconds(3)
  /// Between two tries, where nothing new is heard of the device.
  static let retry = Duration.milliseconds(500)
  /// Seconds for which a device that was seen may be back in a moment: a day.
  static let recently = 86_400.0
  /// Seconds after which a device that was full is worth another try.
  static let retryAfter = 5
  /// Bytes of a form: two ids, a name and digits, many times over.
  static let formBytes = 4096
  /// After a request of friendship was sent, a node that needs nobody's word has answered by then; people take longer.
  static let answer = Duration.seconds(2)
  /// Answers of no that are remembered, so that the page can say so.
  static let declinedRequests = 64
  /// Seconds between two looks of a page that shows something under way.
  static let refresh = 3
}
