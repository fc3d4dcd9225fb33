/// For whom a request is sent: those who share the connections to one upstream.
package enum UpstreamCaller: Hashable, Sendable {
  /// The user of this node.
  case own
  /// One whom the owner knows, by the bytes of its id.
  case known([UInt8])
  /// One whom nobody knows, by the bytes of its id. All who have shown no key are one, whose id is empty.
  case stranger([UInt8])

  /// Ids are digests, whose first bytes tell them apart well enough: each request is looked up by its caller several times.
  package func hash(into hasher: inout Hasher) {
    switch self {
    case .own: break
    case .known(let id), .stranger(let id): hasher.combine(id.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
    }
  }
}
