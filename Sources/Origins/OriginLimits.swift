/// Limits of folders that are served, in one place.
package enum OriginLimits {
  /// Seconds that an owner may give an app to begin its answer: up to a day.
  package static let timeouts = 1...86400

  /// Seconds after which a caller whose turn at an app did not come may try again (RFC 9110 §10.2.3).
  static let retryAfter = 5

  /// Bytes of a file that are read at once, on a thread pool, as four parts: fewer hops.
  static let fileBlock = 256 * 1024

  /// Bytes of a file that are handed on at once; a file that is no larger is read with its attributes.
  static let filePart = 64 * 1024

  /// Files and folders in one list: about 1.5 MiB of a page, which a phone still scrolls, and less than half a second of a
  /// small board's time.
  static let listedEntries = 5000
}
