/// What `TLSHandler` tells by `userInboundEventTriggered`.
package enum TLSEvent: Hashable, Sendable {
  /// The handshake is done. Only now may the other side be called by a name; the certificate is nil where it is a client
  /// that showed none. `cipher` is the standard's name, such as `TLS_AES_128_GCM_SHA256`.
  case established(PeerCertificate?, protocol: TLSVersion, cipher: String)
  /// The same, by the key that was shared (`TLSConfiguration.sharing`): the other side is who had it.
  case shared
}
