package import NIOCore

/// What the streams of a node have in common.
package struct StreamConfiguration: Sendable {
  /// The node's own address: whom a peer talks to that names none of ours.
  package var node: JID
  /// Whether an address is one that this node announces.
  package var isLocal: @Sendable (JID) -> Bool
  /// What is offered to a peer that talks to this address of ours.
  package var features: @Sendable (JID) -> StreamFeatures
  /// A new id for the header of a stream: unique, and not to be guessed (RFC 6120 §4.7.3).
  package var streamID: @Sendable () -> String

  package init(
    node: JID, isLocal: @escaping @Sendable (JID) -> Bool, features: @escaping @Sendable (JID) -> StreamFeatures,
    streamID: @escaping @Sendable () -> String = { String(UInt64.random(in: .min ... .max), radix: 36) }
  ) {
    self.node = node
    self.isLocal = isLocal
    self.features = features
    self.streamID = streamID
  }
}

/// How long a stream waits for the other side.
package enum StreamTimes {
  /// From the connection to the end of negotiation. A LAN needs milliseconds; a device that wakes up, a few seconds.
  package static let negotiation = TimeAmount.seconds(10)
  /// From our end tag to the other side's. Half of the known peers send none and hang up.
  package static let close = TimeAmount.seconds(2)
}
