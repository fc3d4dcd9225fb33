import NIOCore

enum EventLoopLimits {
  /// Until connections are accepted again where the system had no room for one more.
  static let acceptPause = TimeAmount.seconds(1)
}
