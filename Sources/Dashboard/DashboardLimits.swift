/// Limits and times of the dashboard's pages. Numbers, units, reasons; nothing else decides them.
enum DashboardLimits {
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
