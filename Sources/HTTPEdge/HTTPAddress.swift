/// Where an HTTP server listens, as a client dials it.
package enum HTTPAddress: Sendable, Hashable {
  /// A name or a literal address without brackets; names are tried in both address families (RFC 8305).
  case tcp(host: String, port: Int)
  /// The path of a unix socket.
  case unix(path: String)
}

extension HTTPAddress: CustomStringConvertible {
  package var description: String {
    switch self {
    case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    case .unix(let path): "unix:\(path)"
    }
  }
}
