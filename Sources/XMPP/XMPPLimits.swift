package import NIOCore

/// How long a stream waits for the other side.
package enum StreamTimes {
  /// From the connection to the end of negotiation, TLS and SASL included. A LAN needs milliseconds; a device that wakes
  /// up, a few seconds.
  package static let negotiation = TimeAmount.seconds(10)
  /// From a responder's header to its features, where we wait for them. Nearly all send both in one write; some of the
  /// known peers say version 1.0 and send none.
  package static let features = TimeAmount.seconds(1)
  /// From our end tag to the other side's. Half of the known peers send none and hang up.
  package static let close = TimeAmount.seconds(2)
}

extension SASL {
  /// Failed attempts after which the stream ends (RFC 6120 §6.4.5: 2 to 5 retries).
  static let maximumFailures = 3
}
