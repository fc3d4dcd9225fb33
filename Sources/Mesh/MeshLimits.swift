/// Every bound of this module, with its unit and its reason.
enum MeshLimits {
  /// Stanzas about friendship that wait to be dealt with. Each takes microseconds, or one write to disk; a flood of them
  /// loses its end, and nothing else waits for it.
  static let news = 1024
  /// How long `join` and `ask` wait for the other node's answer. It comes at once, or when its owner has decided.
  static let friendship = Duration.seconds(10)
  /// How long a device is waited for that was just heard of: one cold browse, and a bit.
  static let discovery = Duration.seconds(5)
}
