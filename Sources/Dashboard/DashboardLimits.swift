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
  /// Lines of invites that are shown: more are rarely open at once, and each is void after ten minutes.
  static let invites = 16
  /// Seconds between two looks of a page that shows something under way, and has no script.
  static let refresh = 3
  /// Between two looks of all open pages together: a person takes that for at once, and a storm on the link costs no more.
  static let update = Duration.milliseconds(500)
  /// Without a change for so long, an open page is told that the stream still lives.
  static let heartbeat = Duration.seconds(15)
  /// Milliseconds after which a browser whose stream broke comes back.
  static let reconnect = 2000
  /// Open pages that are live, of the owner and of others each: a stream is a connection, and a browser has six of them.
  static let listeners = 32
  /// Requests that are listed: some screens of them.
  static let requests = 200
  /// Bytes of a device's icon: those of many sizes in one file have as many.
  static let iconBytes = 256 << 10
  /// For a device's app to give its icon.
  static let iconTime = Duration.seconds(5)
  /// Icons that are remembered: those of a large home.
  static let icons = 128
  /// For so long an icon is taken for the same; where there was none, another look is soon worth it.
  static let iconAge = Duration.seconds(3600)
  static let missingIconAge = Duration.seconds(60)
  /// Seconds after which devices that nobody hears of are folded away: a day.
  static let old = 86_400.0
}
