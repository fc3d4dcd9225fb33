/// For whom a request is sent: those who share the connections to one upstream.
package enum UpstreamCaller: Hashable, Sendable {
  /// The user of this node.
  case own
  /// One whom the owner knows, by the bytes of its id.
  case known([UInt8])
  /// One whom nobody knows, by the bytes of its id. All who have shown no key are one, whose id is empty.
  case stranger([UInt8])
}
