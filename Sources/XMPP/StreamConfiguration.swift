/// What a stream has to know of its node, and what is wanted of it.
package struct StreamConfiguration: Sendable {
  /// The node's own address: whom a peer talks to that names none of ours.
  package var node: JID
  /// Whether an address is one that this node announces.
  package var isLocal: @Sendable (JID) -> Bool
  /// What is offered to a peer that talks to this address of ours.
  package var features: @Sendable (JID) -> StreamFeatures
  /// A new id for the header of a stream: unique, and not to be guessed (RFC 6120 §4.7.3).
  package var streamID: @Sendable () -> String
  /// What is negotiated; of several that a stream is ready for, the preferred first.
  package var steps: [NegotiationStep]
  /// Whether nothing is said of either side before TLS: what passes there is for somebody else to read.
  package var isReserved: Bool

  package init(
    node: JID, isLocal: @escaping @Sendable (JID) -> Bool, features: @escaping @Sendable (JID) -> StreamFeatures,
    streamID: @escaping @Sendable () -> String = { String(UInt64.random(in: .min ... .max), radix: 36) },
    steps: [NegotiationStep] = [], isReserved: Bool = false
  ) {
    self.isReserved = isReserved
    self.node = node
    self.isLocal = isLocal
    self.features = features
    self.streamID = streamID
    self.steps = steps
  }
}
