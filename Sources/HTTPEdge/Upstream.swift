import TLS

/// Where the connections of one client go, and what each is opened with.
struct Upstream: Sendable {
  let address: HTTPAddress
  let limits: HTTPClientLimits
  /// Nil for HTTP in the clear. What cannot be used fails each attempt to connect.
  let tls: Result<TLSConfiguration, TLSError>?

  /// Reads the system's authorities where the address asks for them.
  init(_ address: HTTPAddress, limits: HTTPClientLimits) {
    let tls: Result<TLSConfiguration, TLSError>? =
      switch address {
      case .tcp, .unix: nil
      case .tls(let host, _, let trust):
        Result { () throws(TLSError) in try TLSConfiguration.upstream(host: host.withoutZone, trust: trust) }
      }
    self.init(address, limits: limits, tls: tls)
  }

  init(_ address: HTTPAddress, limits: HTTPClientLimits, tls: Result<TLSConfiguration, TLSError>?) {
    self.address = address
    self.limits = limits
    self.tls = tls
  }
}
