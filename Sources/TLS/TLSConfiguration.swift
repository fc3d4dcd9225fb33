import COpenSSL
import NIOCore

/// How to speak TLS with one kind of peer. Make one and use it for every connection: each costs 100 KiB and more.
package struct TLSConfiguration: Sendable {
  package enum Role: Hashable, Sendable {
    case client, server
  }

  package enum UpstreamTrust: Hashable, Sendable {
    /// Whom this system trusts, for this host and within the certificate's dates.
    case systemCAs
    /// The one certificate whose DER has this SHA-256 (32 bytes).
    case fingerprint([UInt8])
    /// Anyone: what is sent can be read and changed by whoever is in between.
    case insecure
  }

  let context: TLSContext
  let role: Role
  /// Told to the server in the clear (RFC 6066 §3). Between nodes nothing is.
  let serverName: String?
  /// Told to the server likewise (RFC 7301).
  var applicationProtocol: String?
  /// For one connection only.
  private(set) var sharedKey: SharedKey?

  init(context: TLSContext, role: Role, serverName: String?) {
    (self.context, self.role, self.serverName) = (context, role, serverName)
  }

  /// The same for one connection whose other side may have this key: where it has, the handshake goes by that, and without
  /// certificates.
  package func sharing(_ key: SharedKey?) -> TLSConfiguration {
    var configuration = self
    configuration.sharedKey = key
    return configuration
  }

  /// Between nodes: this side shows its certificate, any self-signed one of the other is accepted, and who that is can be
  /// learnt from `TLSEvent.established`. A client may show none; a server cannot.
  ///
  /// A client's handshake ends before the server has looked at the client's certificate (TLS 1.3): a refusal comes as an
  /// error behind `established`.
  package static func node(_ identity: Identity, role: Role) throws(TLSError) -> TLSConfiguration {
    try node(identity, role: role, newest: .v13)
  }

  static func node(
    _ identity: Identity, role: Role, newest: TLSVersion, preferring preference: CipherPreference = .ofThisProcessor
  ) throws(TLSError) -> TLSConfiguration {
    let context = try TLSContext(rule: .anyNode, newest: newest, preferring: preference)
    try context.require(signatures: TLSContext.nodeSignatures, certificateListBytes: TLSLimits.certificateListBytes)
    try context.use(identity)
    return TLSConfiguration(context: context, role: role, serverName: nil)
  }

  /// To a server at `https://host`; an IPv6 address is given without brackets.
  ///
  /// - Throws: `TLSError` with `unusableConfiguration` for a host that no certificate can name, a fingerprint of the wrong
  ///   length, or when the system's authorities cannot be read.
  package static func upstream(host: String, trust: UpstreamTrust) throws(TLSError) -> TLSConfiguration {
    try upstream(host: host, trust: trust, authorities: nil)
  }

  /// `authorities`: a file of certificates in PEM that stands in for the system's.
  package static func upstream(
    host: String, trust: UpstreamTrust, authorities: String?
  ) throws(TLSError) -> TLSConfiguration {
    let host = host.hasSuffix(".") ? String(host.dropLast()) : host
    let isAddress = (try? SocketAddress(ipAddress: host, port: 0)) != nil
    let context = try TLSContext(rule: try rule(trust))
    if case .systemCAs = trust { try context.trust(authorities: authorities, for: host, isAddress: isAddress) }
    return TLSConfiguration(context: context, role: .client, serverName: isAddress ? nil : host)
  }

  /// The same for one protocol of several that a port may have (ALPN, RFC 7301): at most 255 bytes of ASCII.
  package func speaking(_ applicationProtocol: String) -> TLSConfiguration {
    var configuration = self
    configuration.applicationProtocol = applicationProtocol
    return configuration
  }

  private static func rule(_ trust: UpstreamTrust) throws(TLSError) -> CertificateRule {
    switch trust {
    case .systemCAs: return .authorities
    case .insecure: return .any
    case .fingerprint(let digest):
      guard digest.count == 32 else {
        throw TLSError(.unusableConfiguration, "a fingerprint is a SHA-256: 64 hexadecimal digits")
      }
      return .fingerprint(digest)
    }
  }
}

package enum TLSVersion: String, Hashable, Sendable {
  case v12 = "TLSv1.2"
  case v13 = "TLSv1.3"

  var code: Int32 {
    switch self {
    case .v12: TLS1_2_VERSION
    case .v13: TLS1_3_VERSION
    }
  }
}
