import NIOCore

/// Limits and times of the control socket, in one place.
enum ControlLimits {
  /// A description of one service; the rest is not ours.
  static let requestBytes = 64 << 10

  /// A list of devices with a thousand entries is about 400 KiB.
  static let answerBytes = 16 << 20

  /// One line of a watched list.
  static let lineBytes = 64 << 10
}
