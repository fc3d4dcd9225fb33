import NIOCore
package import TLS

/// Where an HTTP server listens, as a client dials it.
package enum HTTPAddress: Sendable, Hashable {
  /// A name or a literal address without brackets; names are tried in both address families (RFC 8305).
  case tcp(host: String, port: Int)
  /// The same through TLS; `trust` says which certificates will do (RFC 9110 §4.3.4).
  case tls(host: String, port: Int, trust: TLSConfiguration.UpstreamTrust)
  /// The path of a unix socket.
  case unix(path: String)

  /// The port of `http:` (RFC 9110 §4.2.1).
  package static let httpPort = 80
  /// The port of `https:` (RFC 9110 §4.2.2).
  package static let httpsPort = 443

  /// Of the URLs that lead there.
  package var scheme: String {
    switch self {
    case .tcp, .unix: "http"
    case .tls: "https"
    }
  }

  /// What `Host` says there: without the scheme's own port (RFC 9110 §4.2.3), and without an address's zone, which means
  /// something on this machine only (RFC 6874 §3). `localhost` for a unix socket.
  package var authority: String {
    switch self {
    case .tcp(let host, let port): Self.authority(host, port == Self.httpPort ? nil : port)
    case .tls(let host, let port, _): Self.authority(host, port == Self.httpsPort ? nil : port)
    case .unix: "localhost"
    }
  }

  /// The socket address, where the host is an IP address (without zone) and so needs no resolver.
  var literal: SocketAddress? {
    switch self {
    case .tcp(let host, let port), .tls(let host, let port, _): try? SocketAddress(ipAddress: host, port: port)
    case .unix: nil
    }
  }

  private static func authority(_ host: String, _ port: Int?) -> String {
    let name = host.contains(":") ? "[\(host.withoutZone)]" : host
    return port.map { "\(name):\($0)" } ?? name
  }
}

extension HTTPAddress: CustomStringConvertible {
  package var description: String {
    switch self {
    case .tcp(let host, let port), .tls(let host, let port, _):
      host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    case .unix(let path): "unix:\(path)"
    }
  }
}

extension String {
  /// An IPv6 address without the name of the link that it is for (RFC 4007 §11).
  var withoutZone: String { String(prefix { $0 != "%" }) }
}
